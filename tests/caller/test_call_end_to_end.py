"""`speakback call` against a server process with real models, over a real socket; the mind only echoes."""

import asyncio
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.caller.errors import CallError
from speakback.caller.script import ScriptLine, spoken
from speakback.caller.server_process import ServerProcess, server_process
from speakback.providers.adapters.piper import Piper
from speakback.timebase import VOICE_HZ

pytestmark = pytest.mark.timeout(180)

PHONE_HZ = 8000
ECHO = {"SPEAKBACK_LLM__PROVIDER": "echo"}
SAYS = ("The train to London leaves at noon.", "Please bring some bread and butter.")


async def recorded(folder: Path, *texts: str) -> Path:
    """A telephone recording: each text, and two seconds of silence behind it."""
    voice = Piper()
    try:
        lines = await spoken(voice, [ScriptLine(text) for text in texts])
    finally:
        await voice.aclose()
    pause = np.zeros(2 * VOICE_HZ, np.float32)
    audio = np.concatenate([part for line in lines for part in (line.audio_24k, pause)])
    path = folder / "caller.wav"
    await asyncio.to_thread(soundfile.write, path, resample(audio, VOICE_HZ, PHONE_HZ), PHONE_HZ)
    return path


async def call(server: ServerProcess, *arguments: str, key: str | None = None) -> tuple[int | None, str, str]:
    """Exit code, standard output and error of `speakback call`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "speakback", "call", *arguments, "--url", server.url,
        env={**os.environ, "SPEAKBACK_API_KEY": server.api_key if key is None else key, "COLUMNS": "160"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def level(audio: Samples, start_ms: int, end_ms: int) -> float:
    """Mean square of a stretch."""
    return float(np.mean(np.square(audio[start_ms * VOICE_HZ // 1000 : end_ms * VOICE_HZ // 1000])))


@pytest.mark.slow
async def test_a_recording_is_answered_and_both_sides_are_kept(tmp_path: Path) -> None:
    recording = await recorded(tmp_path, SAYS[0])
    async with server_process(ECHO) as server:
        code, out, err = await call(server, str(recording), "--json", "--out", str(tmp_path / "kept" / "call"))
    assert code == 0, err
    result = json.loads(out)
    (turn,) = result["turns"]
    assert len(turn["heard"]["text"].split()) >= 4, "not which words: the voice varies by chance"
    assert turn["reply"]["text"] == turn["heard"]["text"]
    assert 0 < turn["ttfb_ms"] <= turn["ttfa_ms"]
    assert turn["server"]["ttfb_ms"] > 0
    assert turn["server"]["playback_ms"] is not None
    assert result["correlation_id"]
    assert turn["heard"]["text"] in err

    files = result.pop("files")
    assert result == json.loads(await asyncio.to_thread(Path(files["timeline"]).read_text))
    sides, rate_hz = await asyncio.to_thread(soundfile.read, files["wav"], dtype="float32")
    assert (rate_hz, sides.shape[1]) == (VOICE_HZ, 2)
    (user,), agent = result["user_speech"], turn["reply"]["speech"]
    user_ms = (user["spoken"]["start_ms"], user["spoken"]["end_ms"])
    agent_ms = (agent[0]["start_ms"], agent[-1]["end_ms"])
    assert user_ms[1] < agent_ms[0]
    assert level(sides[:, 0], *user_ms) > 1000 * level(sides[:, 0], *agent_ms)
    assert level(sides[:, 1], *user_ms) == 0
    assert level(sides[:, 1], *agent_ms) > 1e-4


@pytest.mark.slow
async def test_a_polite_caller_and_one_that_the_server_does_not_know(tmp_path: Path) -> None:
    recording = await recorded(tmp_path, *SAYS)
    out_files = str(tmp_path / "call")
    async with server_process(ECHO) as server:
        code, out, err = await call(server, str(recording), "--polite", "--out", out_files)
        wrong_code, wrong_out, wrong_err = await call(server, str(recording), "--out", out_files, key="wrong-key")
    assert code == 0, err
    timeline = json.loads(await asyncio.to_thread((tmp_path / "call.json").read_text))
    assert len(timeline["turns"]) == 2
    first, second = timeline["turns"]
    assert first["reply"]["speech"][-1]["end_ms"] < second["user"]["spoken"]["start_ms"]
    assert "latency in ms" in out
    assert (out.count(" s  user  "), out.count(" s agent  ")) == (2, 2)
    assert (wrong_code, wrong_out) == (2, "")
    assert "API key" in wrong_err
    assert "wrong-key" not in wrong_err


async def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(CallError, match=r"ended before it was ready(.|\n)*SPEAKBACK_LLM__PROVIDER"):
        async with server_process({"SPEAKBACK_LLM__PROVIDER": "nonsense"}):
            pytest.fail("it started")
