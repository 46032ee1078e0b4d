"""From settings to adapters: what a name and a path lead to. The adapters themselves have tests of their own."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scripted_server import scripted_engines
from speakback import weights
from speakback.config import Settings
from speakback.providers.engines import Engines
from speakback.providers.errors import ProviderError
from speakback.providers.registry import STT, TTS, build_engines
from speakback.providers.urgency import Urgency
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.vad.hysteresis import FRAME_SAMPLES


async def test_whisper_is_named_after_its_model_and_ones_own_is_just_whisper() -> None:
    folder = await asyncio.to_thread(weights.resolve, "whisper-tiny.en")
    own = Settings.model_validate({"stt": {"model_path": folder}})
    for settings, name in ((Settings(), "whisper-tiny.en"), (own, "whisper")):
        whisper = await asyncio.to_thread(STT["whisper"], settings, UNREPORTED)
        assert whisper.name == name
        await whisper.aclose()


async def test_piper_looks_where_the_settings_keep_weights() -> None:
    no_directory = Path(__file__)
    settings = Settings.model_validate({"weights": {"directory": no_directory}})
    piper = await asyncio.to_thread(TTS["piper"], settings, UNREPORTED)
    with pytest.raises(ProviderError, match=f"{re.escape(str(no_directory))} cannot be used"):
        await piper.warm()
    await piper.aclose()


def test_a_voice_that_there_is_not_is_told_to_the_operator() -> None:
    with pytest.raises(ProviderError, match="there is no voice 'zzz'"):
        TTS["hibari"](Settings.model_validate({"tts": {"voice": "zzz"}}), UNREPORTED)


class Told:
    """Keeps what it is told of the VAD."""

    def __init__(self) -> None:
        self.pools: list[str] = []
        self.vad_waited = asyncio.Event()

    def pool_made(self, role: str, oldest_wait_s: Callable[[], float]) -> None:
        assert oldest_wait_s() == 0.0
        self.pools.append(role)

    def work_queued(self, role: str, change: int) -> None:
        pass

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        if role == "vad":
            assert not urgency.may_be_in_vain, "admission counts it"
            self._loop.call_soon_threadsafe(self.vad_waited.set)

    def work_shed(self, role: str, urgency: Urgency, waited_s: float) -> None:
        pass

    async def hears_of(self, engines: Engines) -> None:
        """Returns when the VAD has told how long a frame waited."""
        self._loop = asyncio.get_running_loop()
        stream = engines.vad.open_stream(lambda _: None)
        async with asyncio.timeout(10):
            while not self.vad_waited.is_set():
                stream.push(np.zeros(FRAME_SAMPLES, np.float32))
                await asyncio.sleep(0.02)
        stream.close()


NOTHING_HEAVY = Settings.model_validate({"llm": {"provider": "echo"}, "end_of_turn": {"provider": "none"}})


@pytest.mark.parametrize("build", [build_engines, scripted_engines])
async def test_the_waits_of_the_vad_are_told_like_those_of_a_pool(
    build: Callable[[Settings, WaitsReport], Awaitable[Engines]],
) -> None:
    told = Told()
    engines = await build(NOTHING_HEAVY, told)
    assert "vad" in told.pools
    await told.hears_of(engines)
    await engines.aclose()
