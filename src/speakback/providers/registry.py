"""From the configuration to loaded, warm engines: the one place where a provider's name becomes its adapter."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from speakback import weights
from speakback.config import Settings
from speakback.providers.end_of_turn import EndOfTurnModel
from speakback.providers.engines import Engines
from speakback.providers.llm import LanguageModel
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech


def _weights(weights_id: str, settings: Settings) -> Path:
    return weights.resolve(weights_id, directory=settings.weights.directory)


def _whisper(settings: Settings) -> SpeechToText:
    from speakback.providers.adapters.whisper import Whisper

    stt = settings.stt
    if stt.model_path is not None:
        return Whisper(stt.model_path, name="whisper", workers=stt.threads)
    model_id = f"whisper-{stt.model}"
    return Whisper(_weights(model_id, settings), name=model_id, workers=stt.threads)


def _smart_turn(settings: Settings) -> EndOfTurnModel:
    from speakback.providers.adapters.smart_turn import SmartTurn

    given = settings.end_of_turn.model_path
    return SmartTurn(given or _weights("smart-turn-v3.2", settings) / "smart-turn-v3.2-cpu.onnx", name="smart-turn")


def _no_end_of_turn(settings: Settings) -> None:
    return None


def _llama(settings: Settings) -> LanguageModel:
    from speakback.providers.adapters.llama import Llama
    from speakback.providers.adapters.llama_server import LlamaOptions

    llm = settings.llm
    options = LlamaOptions(context_tokens=llm.context_tokens, threads=llm.threads)
    return Llama(llm.model_path or _default_gguf(settings), options)


def _default_gguf(settings: Settings) -> Path:
    return _weights("qwen2.5-coder-0.5b", settings) / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"


def _echo(settings: Settings) -> LanguageModel:
    from speakback.providers.adapters.echo import Echo

    return Echo()


def _openai(settings: Settings) -> LanguageModel:
    from speakback.providers.adapters.openai_chat import OpenAiChat

    llm = settings.llm
    assert llm.base_url is not None, "the configuration refuses openai without a base_url"
    api_key = None if llm.api_key is None else llm.api_key.get_secret_value()
    return OpenAiChat(base_url=llm.base_url, model=llm.model, api_key=api_key)


def _hibari(settings: Settings) -> TextToSpeech:
    from speakback.providers.adapters.hibari import Hibari

    return Hibari(settings.tts.voice, speed=settings.tts.speed)


def _piper(settings: Settings) -> TextToSpeech:
    from speakback.providers.adapters.piper import Piper

    return Piper(speed=settings.tts.speed, directory=settings.weights.directory)


STT: dict[str, Callable[[Settings], SpeechToText]] = {"whisper": _whisper}
END_OF_TURN: dict[str, Callable[[Settings], EndOfTurnModel | None]] = {
    "smart-turn": _smart_turn,
    "none": _no_end_of_turn,
}
LLM: dict[str, Callable[[Settings], LanguageModel]] = {"llama": _llama, "echo": _echo, "openai": _openai}
TTS: dict[str, Callable[[Settings], TextToSpeech]] = {"hibari": _hibari, "piper": _piper}


def needed_weights(settings: Settings) -> tuple[str, ...]:
    """Ids of the registered weights that `build_engines` resolves for this configuration."""
    wanted = {
        "silero-vad": True,
        f"whisper-{settings.stt.model}": settings.stt.model_path is None,
        "smart-turn-v3.2": settings.end_of_turn.provider == "smart-turn" and settings.end_of_turn.model_path is None,
        "qwen2.5-coder-0.5b": settings.llm.provider == "llama" and settings.llm.model_path is None,
        "piper-joe": settings.tts.provider == "piper",
    }
    return tuple(weights_id for weights_id, is_wanted in wanted.items() if is_wanted)


async def build_engines(settings: Settings) -> Engines:
    """Load and warm what `settings` names; slow (seconds), off the event loop. Raises `WeightsError`, `ProviderError`.

    Models are loaded one after the other, so that the peak of memory is one load's.
    """
    from speakback.vad.silero import SileroVad

    silero = await asyncio.to_thread(_weights, "silero-vad", settings)
    stt = await asyncio.to_thread(STT[settings.stt.provider], settings)
    end_of_turn = await asyncio.to_thread(END_OF_TURN[settings.end_of_turn.provider], settings)
    llm = await asyncio.to_thread(LLM[settings.llm.provider], settings)
    tts = await asyncio.to_thread(TTS[settings.tts.provider], settings)
    await tts.warm()
    return Engines(vad=SileroVad(silero / "silero_vad.onnx"), stt=stt, end_of_turn=end_of_turn, llm=llm, tts=tts)
