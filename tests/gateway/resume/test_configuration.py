"""`[resume]` in the configuration: what it makes, what it refuses, and a secret that is never shown."""

from pathlib import Path

import pytest

from speakback.config import ConfigError, ResumeSettings, load_settings
from speakback.gateway.resume.resumption import resumption_by
from speakback.observe.metrics import Metrics

SECRET = "never-to-be-seen"


def refusals(**variables: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load_settings(None, {f"SPEAKBACK_RESUME__{name}": value for name, value in variables.items()})
    return str(refused.value)


def test_a_store_needs_its_place() -> None:
    assert "needs resume.directory" in refusals(STORE="file")
    assert "needs resume.redis_url" in refusals(STORE="redis")


@pytest.mark.parametrize("url", [f"http://:{SECRET}@here", f"{SECRET}", f"redis//{SECRET}"])
def test_an_address_that_is_none_is_refused_and_not_quoted(url: str) -> None:
    problem = refusals(STORE="redis", REDIS_URL=url)
    assert "a redis, rediss or unix URL" in problem
    assert SECRET not in problem


def test_the_address_is_not_shown() -> None:
    url = f"redis://:{SECRET}@localhost:6379/0"
    loaded = load_settings(None, {"SPEAKBACK_RESUME__STORE": "redis", "SPEAKBACK_RESUME__REDIS_URL": url})
    assert SECRET not in repr(loaded)
    assert loaded.settings.resume.redis_url is not None
    assert loaded.settings.resume.redis_url.get_secret_value() == url


async def test_each_store_is_made_and_let_go(tmp_path: Path) -> None:
    for settings in (
        ResumeSettings(),
        ResumeSettings(store="file", directory=tmp_path / "kept"),
        ResumeSettings.model_validate({"store": "redis", "redis_url": "redis://localhost:1/0"}),
    ):
        async with resumption_by(settings, Metrics()) as resumption:
            assert resumption is not None


async def test_it_can_be_off() -> None:
    async with resumption_by(ResumeSettings(enabled=False), Metrics()) as resumption:
        assert resumption is None
