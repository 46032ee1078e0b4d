"""From the configuration to loaded, warm engines: the one place where a provider's name becomes its adapter."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import structlog

from speakback import weights
from speakback.config import Settings
from speakback.config.roster import SERVICES, roster
from speakback.config.voices import PIPER_VOICE, local_voices, voices
from speakback.providers import services
from speakback.providers.audio_tags import Untagged
from speakback.providers.chain.budget import BudgetOptions
from speakback.providers.chain.entry import Entry
from speakback.providers.chain.lateness import LatenessOptions
from speakback.providers.chain.llm_chain import LlmChain
from speakback.providers.chain.options import LLM_OPTIONS, STT_OPTIONS, TTS_OPTIONS, ChainOptions
from speakback.providers.chain.stt_chain import SttChain
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.decisions import Decision
from speakback.providers.end_of_turn import EndOfTurnModel
from speakback.providers.engines import Engines
from speakback.providers.llm import LanguageModel
from speakback.providers.nicer import give_way
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from speakback.providers.urgency import Urgency
from speakback.providers.voice_set import VoiceSet
from speakback.providers.waits import UNREPORTED, WaitsReport

N = TypeVar("N")
Build: TypeAlias = Callable[[Settings, WaitsReport], N]
log = structlog.get_logger(__name__)

LOCAL_LATENESS: Mapping[str, LatenessOptions] = {
    "whisper": LatenessOptions(prior_ms=1000, floor_ms=300, ceiling_ms=4000, per_audio_s_ms=60),
    "llama": LatenessOptions(prior_ms=2000, floor_ms=500, ceiling_ms=8000),
    "hibari": LatenessOptions(prior_ms=500, floor_ms=200, ceiling_ms=2000),
}
"""The models of this machine are slower than services, and slower still where many use them."""


def _weights(weights_id: str, settings: Settings) -> Path:
    return weights.resolve(weights_id, directory=settings.weights.directory)


def _whisper(settings: Settings, waits: WaitsReport) -> SpeechToText:
    from speakback.providers.adapters.whisper import Whisper

    stt = settings.stt
    if stt.model_path is not None:
        return Whisper(stt.model_path, name="whisper", workers=stt.threads, waits=waits)
    model_id = f"whisper-{stt.model}"
    return Whisper(_weights(model_id, settings), name=model_id, workers=stt.threads, waits=waits)


def _smart_turn(settings: Settings, waits: WaitsReport) -> EndOfTurnModel:
    from speakback.providers.adapters.smart_turn import SmartTurn

    given = settings.end_of_turn.model_path
    file = given or _weights("smart-turn-v3.2", settings) / "smart-turn-v3.2-cpu.onnx"
    return SmartTurn(file, name="smart-turn", threads=settings.end_of_turn.threads, waits=waits)


def _no_end_of_turn(settings: Settings, waits: WaitsReport) -> None:
    return None


def _llama(settings: Settings, waits: WaitsReport) -> LanguageModel:
    from speakback.providers.adapters.llama import Llama
    from speakback.providers.adapters.llama_server import LlamaOptions

    llm = settings.llm
    options = LlamaOptions(context_tokens=llm.context_tokens, threads=llm.threads)
    return Llama(llm.model_path or _default_gguf(settings), options, waits=waits)


def _default_gguf(settings: Settings) -> Path:
    return _weights("qwen2.5-coder-0.5b", settings) / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"


def _echo(settings: Settings, waits: WaitsReport) -> LanguageModel:
    from speakback.providers.adapters.echo import Echo

    return Echo()


def _performs_audio_tags(settings: Settings) -> bool:
    return "elevenlabs-v3" in roster(settings).tts


def _local_tts(provider: str, settings: Settings, waits: WaitsReport) -> TextToSpeech:
    names = local_voices(provider, settings)
    engines = {name: _local_voice(name, settings, waits) for name in names}
    return VoiceSet(provider, engines, warms_all=True) if len(engines) > 1 else engines[names[0]]


def _local_voice(name: str, settings: Settings, waits: WaitsReport) -> TextToSpeech:
    voice = _piper(settings, waits) if name == PIPER_VOICE else _hibari(name, settings, waits)
    return Untagged(voice) if _performs_audio_tags(settings) else voice


def _hibari(name: str, settings: Settings, waits: WaitsReport) -> TextToSpeech:
    from speakback.providers.adapters.hibari import Hibari

    return Hibari(name, speed=settings.tts.speed, waits=waits)


def _piper(settings: Settings, waits: WaitsReport) -> TextToSpeech:
    from speakback.providers.adapters.piper import Piper

    return Piper(speed=settings.tts.speed, directory=settings.weights.directory, waits=waits)


def _unpooled(build: Callable[[Settings], N]) -> Build[N]:
    """What has no threads of its own, so that nothing waits there."""
    return lambda settings, waits: build(settings)


STT: dict[str, Build[SpeechToText]] = {"whisper": _whisper, "groq": services.groq_stt}
END_OF_TURN: dict[str, Build[EndOfTurnModel | None]] = {
    "smart-turn": _smart_turn,
    "none": _no_end_of_turn,
}
LLM: dict[str, Build[LanguageModel]] = {
    "llama": _llama,
    "echo": _echo,
    "openai": _unpooled(services.openai_llm),
    "groq": _unpooled(services.groq_llm),
}
TTS: dict[str, Build[TextToSpeech]] = {
    "hibari": partial(_local_tts, "hibari"),
    "piper": partial(_local_tts, "piper"),
    "elevenlabs": _unpooled(services.elevenlabs),
    "elevenlabs-v3": _unpooled(services.elevenlabs_v3),
}


def needed_weights(settings: Settings) -> tuple[str, ...]:
    """Ids of the registered weights that `build_engines` resolves for this configuration."""
    names = roster(settings)
    wanted = {
        "silero-vad": True,
        f"whisper-{settings.stt.model}": "whisper" in names.stt and settings.stt.model_path is None,
        "smart-turn-v3.2": settings.end_of_turn.provider == "smart-turn" and settings.end_of_turn.model_path is None,
        "qwen2.5-coder-0.5b": "llama" in names.llm and settings.llm.model_path is None,
        "piper-joe": any(PIPER_VOICE in local.names for local in voices(settings) if local.provider not in SERVICES),
    }
    return tuple(weights_id for weights_id, is_wanted in wanted.items() if is_wanted)


async def build_engines(settings: Settings, waits: WaitsReport = UNREPORTED) -> Engines:
    """Load and warm what `settings` names; slow (seconds), off the event loop. Raises `WeightsError`, `ProviderError`.

    Models are loaded one after the other, so that the peak of memory is one load's. A role that a service serves
    gets a chain, even if nobody else is in it: lateness and second requests are the chain's business. `waits` is told
    how calls of local models wait for their threads.
    """
    from speakback.vad.silero import SileroVad

    names = roster(settings)
    silero = await asyncio.to_thread(_weights, "silero-vad", settings)
    stts = await _entries(names.stt, STT, settings, waits)
    end_of_turn = await _loaded(partial(END_OF_TURN[settings.end_of_turn.provider], settings, waits))
    llms = await _entries(names.llm, LLM, settings, waits)
    voices = await _entries(names.tts, TTS, settings, waits)
    stt = SttChain(stts, _options(STT_OPTIONS, settings), report=_log) if _has_service(names.stt) else stts[0].engine
    llm = LlmChain(llms, _options(LLM_OPTIONS, settings), report=_log) if _has_service(names.llm) else llms[0].engine
    tts = (
        TtsChain(voices, _options(TTS_OPTIONS, settings), report=_log) if _has_service(names.tts) else voices[0].engine
    )
    await tts.warm()
    vad = SileroVad(silero / "silero_vad.onnx", partial(waits.work_began, "vad", Urgency.PAUSE))
    waits.pool_made("vad", vad.oldest_wait_s)
    return Engines(
        vad=vad,
        stt=stt,
        end_of_turn=end_of_turn,
        llm=llm,
        tts=tts,
        performs_audio_tags=_performs_audio_tags(settings),
    )


async def _loaded(load: Callable[[], N]) -> N:
    """What `load` gives, made on a thread that gives way; so do the threads that a model makes there for itself."""
    loader = ThreadPoolExecutor(1, thread_name_prefix="loader", initializer=give_way)
    try:
        return await asyncio.get_running_loop().run_in_executor(loader, load)
    finally:
        loader.shutdown(wait=False)


async def _entries(
    names: tuple[str, ...], builders: Mapping[str, Build[N]], settings: Settings, waits: WaitsReport
) -> tuple[Entry[N], ...]:
    return tuple([await _loaded(partial(_entry, name, builders[name], settings, waits)) for name in names])


def _entry(name: str, build: Build[N], settings: Settings, waits: WaitsReport) -> Entry[N]:
    return Entry(
        name,
        build(settings, waits),
        region=services.region_of(name, settings),
        is_local=name not in SERVICES,
        voice=next((spoken.names[0] for spoken in voices(settings) if spoken.provider == name), ""),
        lateness=LOCAL_LATENESS.get(name),
    )


def _log(decision: Decision) -> None:
    """What chains decide on no session's behalf: what they find at start, and by their probes."""
    log.warning(
        "a chain of providers decided",
        role=decision.role,
        kind=decision.kind.value,
        provider=decision.provider,
        reason=decision.reason,
    )


def _has_service(names: tuple[str, ...]) -> bool:
    return not SERVICES.isdisjoint(names)


def _options(defaults: ChainOptions, settings: Settings) -> ChainOptions:
    chain = settings.chain
    return replace(
        defaults,
        lateness=replace(defaults.lateness, quantile=chain.late_after),
        hedge=chain.hedge,
        hedge_with=chain.hedge_with,
        budget=BudgetOptions(share=chain.hedge_share),
    )
