import asyncio

import pytest

from speakback.providers import model_list
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.model_list import fetch_models, first_available, or_nearest
from tests.providers.groq.service import KEY, Answer, listening, says, says_nothing

MODELS = ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "whisper-large-v3-turbo")
LISTED = {"object": "list", "data": [{"id": name, "object": "model", "active": True} for name in MODELS]}


async def listed(*answers: Answer) -> tuple[str, ...]:
    async with listening(*answers) as service:
        found = await fetch_models(service.base_url, KEY, role="llm", provider="groq", region="us")
        assert service.keys == [f"Bearer {KEY}"]
        return found


async def test_the_models_are_listed_without_those_that_are_not_active() -> None:
    gone = {"id": "llama-3.3-70b-versatile", "active": False}
    data = [*LISTED["data"], gone, {"id": 7}, "private", {}]
    assert await listed(says({**LISTED, "data": data})) == MODELS


@pytest.mark.parametrize(
    "body", ["private", [], {"data": None}, {"data": []}, {"data": {"id": "private"}}, "[" * 99_999]
)
async def test_a_list_of_another_form_is_refused(body: object) -> None:
    with pytest.raises(ProviderError, match=r"\(request req_01m\)") as problem:
        await listed(says(body, headers={"x-request-id": "req_01m"}))
    assert problem.value.failure is Failure.BAD_ANSWER
    assert "private" not in str(problem.value)


async def test_a_refused_key_is_told_at_start() -> None:
    with pytest.raises(ProviderError, match="check the API key") as problem:
        await listed(says({"error": {"message": f"private {KEY}", "code": "invalid_api_key"}}, 401))
    assert problem.value.failure is Failure.REFUSED_KEY
    assert KEY not in str(problem.value)


async def test_a_service_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_list, "TIMEOUT_S", 0.1)
    async with asyncio.timeout(5):
        with pytest.raises(ProviderError) as problem:
            await listed(says_nothing)
    assert problem.value.failure is Failure.LATE


async def test_a_service_that_is_not_there_is_told(unused_tcp_port: int) -> None:
    with pytest.raises(ProviderError, match="check the base URL") as problem:
        await fetch_models(f"http://127.0.0.1:{unused_tcp_port}", None, role="stt", provider="groq")
    assert problem.value.failure is Failure.UNREACHABLE


def test_the_first_that_there_is_is_chosen() -> None:
    wanted = ("llama-3.3-70b-versatile", "openai/gpt-oss-120b", "openai/gpt-oss-20b")
    assert first_available(wanted, MODELS, role="llm", provider="groq") == "openai/gpt-oss-120b"


def test_where_there_is_none_the_nearest_is_suggested() -> None:
    with pytest.raises(
        ProviderError, match=r"none of the models gpt-oss-20.*nearest there is: openai/gpt-oss-20b$"
    ) as no:
        first_available(("gpt-oss-20",), MODELS, role="llm", provider="groq")
    assert no.value.failure is Failure.UNKNOWN_MODEL


def test_nothing_is_suggested_where_nothing_is_known() -> None:
    assert or_nearest("m", ()) == or_nearest("m", ("m",)) == ""
