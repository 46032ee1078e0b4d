"""`speakback live-check`: plain about what was asked, careful with secrets, and exact in its exit code."""

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from typer.testing import CliRunner

from speakback.cli.main import app
from speakback.config import Settings
from speakback.emulators.contracts import targets as targets_module
from speakback.emulators.contracts.clips import SPEECH
from speakback.emulators.contracts.site import Address, Equipment, Timing
from speakback.emulators.contracts.targets import Target
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.faults import parse_faults
from speakback.emulators.groq.app import PREFIX, GroqOptions, groq_app
from speakback.emulators.profiles import ZERO
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter, ToneSpeaker
from speakback.emulators.testing import served_in_thread

GROQ_KEY, VOICE_KEY = "gsk_4f3uGreatSecretOfGroq77", "sk_9d1cGreatSecretOfElevenLabs"
ORGANISATION = "org_01greatsecret"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*os.environ]:
        if name.startswith("SPEAKBACK_") or name in ("GROQ_API_KEY", "ELEVENLABS_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the local voice, and without waiting long for what does not come."""
    hasty = partial(Equipment, timing=Timing(patience_s=5.0, quiet_s=0.1))
    monkeypatch.setattr("speakback.emulators.contracts.site.Equipment", hasty)
    monkeypatch.setattr("speakback.emulators.local_content.local_speaker", lambda: nullcontext(ToneSpeaker()))


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Emulators with keys of their own and ways of their own, in the place of the real services."""
    faults = parse_faults("snake-case-id,chars-durations,missing-final")
    groq: web.Application = groq_app(
        GroqOptions(
            recogniser=ScriptedRecogniser(lambda _: SPEECH),
            writer=ScriptedWriter(),
            keys=(GROQ_KEY,),
            faults=parse_faults("429"),
            organization=ORGANISATION,
        )
    )
    elevenlabs = elevenlabs_app(
        ElevenLabsOptions(
            speaker=ToneSpeaker(),
            profile=ZERO,
            keys=(VOICE_KEY,),
            faults=faults,
            inactivity_s=0.5,
            dialogue_inactivity_s=0.5,
        )
    )
    with served_in_thread({"groq": groq, "elevenlabs": elevenlabs}) as urls:

        def targets(_: Settings) -> tuple[Target, ...]:
            return (
                Target("groq", Address(base_url=urls["groq"] + PREFIX, api_key=GROQ_KEY)),
                Target("elevenlabs", Address(base_url=urls["elevenlabs"], api_key=VOICE_KEY)),
            )

        monkeypatch.setattr(targets_module, "targets", targets)
        yield


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_without_keys_the_emulators_are_asked_and_that_is_said_at_both_ends(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["live-check", "--out", str(tmp_path / "kept")])
    assert result.exit_code == 0, result.output
    lines = result.output.strip().splitlines()
    for line, service in zip(lines[:2], ("Groq", "ElevenLabs"), strict=True):
        assert line.startswith(f"no key for {service}: runs against the emulator; nothing about the real service")
    for line, service in zip(lines[-2:], ("Groq", "ElevenLabs"), strict=True):
        assert line.startswith(f"no key for {service}: ran against the emulator; nothing about the real service was")
    assert "does not hold" not in result.output
    files = sorted((tmp_path / "kept").rglob("*.jsonl"))
    assert len(files) == 16
    assert all(file.name.endswith(".emulator.jsonl") for file in files)


@pytest.mark.slow
@pytest.mark.usefixtures("others", "quick")
def test_what_a_service_does_otherwise_is_told_and_no_secret_is_kept_or_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["live-check", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "it is billed for about 20 s of audio" in result.output.splitlines()[0]
    for told in (
        "elevenlabs hello-world: audio.alignment.charsDurationsMs: live array; emulator –",
        "elevenlabs barge-in: audio.context_id: live string; emulator –",
        "elevenlabs dialogue: final: live –; emulator object",
        "groq speech: does not hold: HTTP 429 (rate_limit_exceeded), where 200 was due",
        "elevenlabs six-contexts: holds",
    ):
        assert told in result.output
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len(files) == 32
    kept = "".join(file.read_text() for file in files)
    for secret in (GROQ_KEY, VOICE_KEY, "GreatSecret", "01greatsecret"):
        assert secret not in kept + result.output
    assert "req_01" in kept
    assert len(kept) < 200_000


@pytest.mark.usefixtures("quick")
@pytest.mark.slow
def test_audio_is_kept_only_where_that_is_asked_for(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["live-check", "--out", str(tmp_path), "--audio"])
    file = next(tmp_path.glob("elevenlabs-*")) / "hello-world.emulator.jsonl"
    frames = [json.loads(line) for line in file.read_text().splitlines()]
    messages = [json.loads(one["text"]) for one in frames if (one["kind"], one["direction"]) == ("message", "received")]
    assert len(messages[0]["audio"]) > 10_000


@pytest.mark.parametrize(
    ("words", "environ", "message"),
    [
        (["--out", "taken/below"], {}, "taken"),
        (["--surprise"], {}, "No such option"),
        ([], {"GROQ_API_KEY": "gsk_with a space"}, "GROQ_API_KEY: must be a key"),
        ([], {"SPEAKBACK_GROQ__BASE_URL": "ftp://x"}, "SPEAKBACK_GROQ__BASE_URL: must be"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    words: list[str], environ: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("taken").touch()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["live-check", *words])
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output
    assert "with a space" not in result.output
    assert not Path("out").exists() or not words
