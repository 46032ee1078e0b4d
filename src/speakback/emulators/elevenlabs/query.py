"""The query of a socket's URL: what it asks for, or why the upgrade is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.catalogue import GATED_FORMATS, MODELS, Model, Tier
from speakback.emulators.elevenlabs.errors import RefusedError
from speakback.emulators.elevenlabs.formats import DEFAULT, STREAMED, AudioFormat
from speakback.emulators.elevenlabs.options import ElevenLabsOptions

LONGEST_INACTIVITY_S = 180
MOST_SEED = 4_294_967_295
_SHARED = frozenset(
    {
        "model_id",
        "output_format",
        "language_code",
        "enable_logging",
        "apply_text_normalization",
        "sync_alignment",
        "seed",
        "single_use_token",
        "authorization",
    }
)
_SPEECH_ONLY = frozenset(
    {
        "enable_ssml_parsing",
        "inactivity_timeout",
        "auto_mode",
        "apply_language_text_normalization",
        "optimize_streaming_latency",
    }
)


@dataclass(frozen=True, slots=True)
class SocketQuery:
    """What every frame of a socket depends on."""

    model: Model
    format: AudioFormat
    sync_alignment: bool
    auto_mode: bool
    inactivity_s: float
    language_error: errors.SocketError | None
    """To be told in a frame after the first message."""


def read_query(
    query: Mapping[str, str], options: ElevenLabsOptions, kind: Literal["speech", "dialogue"]
) -> SocketQuery:
    """Raises `RefusedError`."""
    _check_names(query, options, kind)
    _check_rest(query)
    model = socket_model(query.get("model_id"), options, kind)
    language_error: errors.SocketError | None = None
    try:
        check_language(model, query.get("language_code"))
    except RefusedError as refused:
        if options.guesses.language_refused_at == "upgrade":
            raise
        language_error = refused.refusal.as_socket_error()
    return SocketQuery(
        model,
        _format(query.get("output_format", DEFAULT), options.tier),
        boolean(query, "sync_alignment", False),
        boolean(query, "auto_mode", False),
        _inactivity_s(query, options) if kind == "speech" else options.dialogue_inactivity_s,
        language_error,
    )


def _check_names(query: Mapping[str, str], options: ElevenLabsOptions, kind: Literal["speech", "dialogue"]) -> None:
    known = _SHARED | _SPEECH_ONLY if kind == "speech" else _SHARED
    for name in query:
        if name not in known and options.guesses.unknown_query_refused:
            raise RefusedError(errors.bad_parameter(name, "this endpoint has no such parameter"))


def _check_rest(query: Mapping[str, str]) -> None:
    """What changes nothing here, but must be sent properly."""
    for name in ("enable_logging", "enable_ssml_parsing", "apply_language_text_normalization"):
        boolean(query, name, False)
    _integer(query, "seed", 0, MOST_SEED)
    _integer(query, "optimize_streaming_latency", 0, 4)
    if query.get("apply_text_normalization", "auto") not in ("auto", "on", "off"):
        raise RefusedError(errors.bad_parameter("apply_text_normalization", "must be auto, on or off"))


def socket_model(model_id: str | None, options: ElevenLabsOptions, kind: Literal["speech", "dialogue"]) -> Model:
    """The model of a socket. Raises `RefusedError` where it has no place on sockets of that kind."""
    guesses = options.guesses
    default = guesses.default_model if kind == "speech" else guesses.default_dialogue_model
    model = known_model(model_id or default)
    if kind == "speech" and model.is_dialogue:
        raise RefusedError(errors.wrong_model_for_speech(model.model_id))
    if kind == "dialogue" and not model.is_dialogue:
        message = f"Model '{model.model_id}' is not supported on the text-to-dialogue websocket endpoint."
        raise RefusedError(errors.unsupported_model(message))
    return model


def known_model(model_id: str) -> Model:
    """Raises `RefusedError`."""
    if model_id not in MODELS:
        raise RefusedError(errors.unknown_model(model_id))
    return MODELS[model_id]


def check_language(model: Model, language: str | None) -> None:
    """Raises `RefusedError`."""
    if language is not None and not (model.takes_language and language in model.languages):
        raise RefusedError(errors.unsupported_language(model.model_id, language))


def check_gate(name: str, tier: Tier) -> None:
    """Raises `RefusedError` for a format that the plan does not have."""
    gate = GATED_FORMATS.get(name, Tier.FREE)
    if tier < gate:
        raise RefusedError(errors.gated_format(name, gate.name.capitalize()))


def _format(name: str, tier: Tier) -> AudioFormat:
    if name not in STREAMED:
        raise RefusedError(errors.bad_parameter("output_format", f"must be one of {', '.join(STREAMED)}"))
    check_gate(name, tier)
    return STREAMED[name]


def boolean(query: Mapping[str, str], name: str, default: bool) -> bool:
    """A parameter that is `true` or `false`, in lower case. Raises `RefusedError`."""
    text = query.get(name)
    if text not in (None, "true", "false"):
        raise RefusedError(errors.bad_parameter(name, "must be true or false"))
    return default if text is None else text == "true"


def _integer(query: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise RefusedError(errors.bad_parameter(name, f"must be a whole number from {least} to {most}"))
    return int(text)


def _inactivity_s(query: Mapping[str, str], options: ElevenLabsOptions) -> float:
    most = LONGEST_INACTIVITY_S if options.guesses.long_inactivity == "refuse" else 10**9
    asked = _integer(query, "inactivity_timeout", 1, most)
    return options.inactivity_s if asked is None else float(min(asked, LONGEST_INACTIVITY_S))
