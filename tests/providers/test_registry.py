"""From settings to adapters: what a name and a path lead to. The adapters themselves have tests of their own."""

import asyncio
import re
from pathlib import Path

import pytest

from speakback import weights
from speakback.config import Settings
from speakback.providers.errors import ProviderError
from speakback.providers.registry import STT, TTS
from speakback.providers.waits import UNREPORTED


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
