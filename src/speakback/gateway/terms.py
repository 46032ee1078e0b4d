"""The configuration, as far as it concerns clients. Pure."""

from speakback.config import ConfigError, Settings
from speakback.config.roster import SERVICES, hears_only_english, roster
from speakback.config.voices import voices
from speakback.gateway.admission import LoadLimits
from speakback.gateway.auth import KeyRing
from speakback.gateway.connection import Limits
from speakback.gateway.realtime.session_view import Offer
from speakback.gateway.service import Terms
from speakback.observe.load import INTERVAL_S
from speakback.session.settings import Hearing, SessionSettings
from speakback.turn.config import TurnConfig
from speakback.turn.strategies import UnknownStrategy, strategy
from speakback.vad.hysteresis import VadConfig

DEFAULT_INSTRUCTIONS = (
    "You are a friendly voice assistant. You are heard, not read: answer in one or two short spoken sentences, "
    "in plain words, without lists, markup or emoji."
)
"""For a session that brings none of its own, where `llm.instructions` is not set."""


def terms_of(settings: Settings) -> Terms:
    """What this configuration makes of the server. Raises `ConfigError` for a strategy that does not exist."""
    server = settings.server
    return Terms(
        offer=_offer(settings),
        keys=KeyRing(server.accepted_key_hashes),
        limits=Limits(server.max_message_bytes, server.send_timeout_s, server.idle_timeout_s),
        max_sessions=server.max_sessions,
        load_limits=_load_limits(settings),
    )


def _load_limits(settings: Settings) -> LoadLimits:
    admission = settings.admission
    return LoadLimits(
        loop_lag_ms=admission.max_loop_lag_ms,
        queue_wait_ms=admission.max_queue_wait_ms,
        cpu_share=admission.max_cpu_share,
        memory_bytes=None if admission.max_memory_mb is None else admission.max_memory_mb * 1_000_000,
        joins=admission.max_joins_per_s * INTERVAL_S,
        workers=settings.server.workers,
    )


def _offer(settings: Settings) -> Offer:
    llm, stt = settings.llm, settings.stt
    speaks_elsewhere = roster(settings).tts[0] in SERVICES
    return Offer(
        model=llm.model or roster(settings).llm[0],
        voices=voices(settings),
        speed=settings.elevenlabs.speed if speaks_elsewhere else settings.tts.speed,
        languages=("en",) if hears_only_english(settings) else None,
        strategy=settings.turn.strategy,
        defaults=SessionSettings(
            instructions=llm.instructions or DEFAULT_INSTRUCTIONS,
            turn=_turn(settings),
            language=stt.language,
            max_tokens=llm.max_tokens,
            temperature=llm.temperature,
            hearing=_hearing(settings),
        ),
    )


def _hearing(settings: Settings) -> Hearing:
    vad = settings.vad
    return Hearing(
        vad=VadConfig(
            threshold=vad.threshold,
            release_threshold=vad.release_threshold,
            min_speech_ms=vad.min_speech_ms,
            min_silence_ms=vad.min_silence_ms,
        ),
        preroll_ms=vad.preroll_ms,
        partial_interval_ms=settings.stt.partial_interval_ms,
        score_within_ms=settings.end_of_turn.deadline_ms,
    )


def _turn(settings: Settings) -> TurnConfig:
    try:
        return strategy(settings.turn.strategy, settings.turn.overrides)
    except UnknownStrategy as problem:
        raise ConfigError([f"turn: {problem}"]) from None
