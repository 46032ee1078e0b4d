"""`speakback doctor`: what it finds without loading a model, and its exit codes."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from speakback.cli import checkup
from speakback.cli.main import app
from speakback.config import Settings
from speakback.emulators.testing import ElevenLabsEmulator
from speakback.providers.registry import needed_weights
from speakback.weights import DEFAULT_WEIGHTS

pytest_plugins = ["speakback.emulators.testing"]


def settings(**sections: Mapping[str, object]) -> Settings:
    return Settings.model_validate(sections)


def test_the_defaults_need_the_default_weights() -> None:
    assert set(needed_weights(Settings())) == set(DEFAULT_WEIGHTS)


def test_what_is_not_configured_is_not_needed() -> None:
    other = settings(
        stt={"model": "base"}, end_of_turn={"provider": "none"}, llm={"provider": "echo"}, tts={"provider": "piper"}
    )
    assert needed_weights(other) == ("silero-vad", "whisper-base", "piper-joe")
    assert "xllamacpp" not in [finding.what for finding in checkup.packages(other)]
    assert "xllamacpp" in [finding.what for finding in checkup.packages(Settings())]


def test_weights_that_are_missing_have_a_remedy(tmp_path: Path) -> None:
    found = checkup.weights(settings(weights={"directory": tmp_path}, llm={"provider": "echo"}))
    assert [finding.remedy for finding in found] == [
        f"run `speakback weights {name}`" for name in ("silero-vad", "whisper-tiny.en", "smart-turn-v3.2")
    ]


def test_a_model_of_ones_own_that_is_missing(tmp_path: Path) -> None:
    gguf = tmp_path / "chat.gguf"
    own = settings(llm={"model_path": gguf})
    (finding,) = [finding for finding in checkup.weights(own) if finding.what == "llm.model_path"]
    assert "mend llm.model_path" in finding.remedy
    gguf.touch()
    (finding,) = [finding for finding in checkup.weights(own) if finding.what == "llm.model_path"]
    assert not finding.remedy


def test_keys_are_never_shown() -> None:
    llm = {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1", "api_key": "sk-secret"}
    shown = " ".join(finding.value for finding in checkup.providers(settings(llm=llm)))
    assert "key set" in shown
    assert "secret" not in shown


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "PACKAGES_OF", {"server": ("no-such-package-here",)})
    (finding,) = checkup.packages(Settings())
    assert finding.value == "missing"
    assert finding.remedy


def test_missing_weights_end_it_with_1_and_nothing_is_fetched(tmp_path: Path) -> None:
    result = CliRunner(env={"SPEAKBACK_WEIGHTS__DIRECTORY": str(tmp_path)}).invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "run `speakback weights silero-vad`" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(120)
def test_each_stage_is_timed() -> None:
    result = CliRunner(env={"SPEAKBACK_LLM__PROVIDER": "echo", "COLUMNS": "160"}).invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    for stage in ("voice (hibari)", "voice activity", "end of turn", "transcription", "language model (echo)"):
        assert stage in result.output


@pytest.mark.timeout(120)
def test_a_service_that_fails_is_told_though_a_model_of_this_machine_stands_in(
    elevenlabs_emulator: ElevenLabsEmulator,
) -> None:
    environ = {
        "ELEVENLABS_API_KEY": "sk_wrong",
        "SPEAKBACK_ELEVENLABS__BASE_URL": elevenlabs_emulator.base_url,
        "SPEAKBACK_LLM__PROVIDER": "echo",
        "SPEAKBACK_END_OF_TURN__PROVIDER": "none",
        "COLUMNS": "160",
    }
    result = CliRunner(env=environ).invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "voice (elevenlabs): failed: tts provider 'elevenlabs'" in result.stderr
    assert "the key was refused" in result.stderr
    assert "voice (hibari)" in result.output
    assert "sk_wrong" not in result.output + result.stderr


@pytest.mark.timeout(120)
def test_a_server_that_cannot_be_called_ends_it_with_1() -> None:
    runner = CliRunner(env={"SPEAKBACK_LLM__PROVIDER": "echo"})
    result = runner.invoke(app, ["doctor", "--url", "ws://127.0.0.1:9/v1/realtime"])
    assert result.exit_code == 1
    assert "cannot connect" in result.stderr
