"""What a client may set for its session, and how a `session.update` changes it. Pure: patches in, frozen views out.

`patched` gives the next view or refuses the whole patch. What is in effect is not always what was asked
for; `session_object.py` shows it to the client.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from speakback.config.voices import Voices
from speakback.gateway.realtime.accepted_keys import VENDOR_VOICES
from speakback.gateway.realtime.formats import PCM_24K, WireFormat
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.wire_models import (
    AudioFormat,
    Extension,
    FunctionTool,
    InputAudio,
    OutputAudio,
    ProviderPin,
    ProviderPins,
    SemanticVad,
    ServerVad,
    SessionPatch,
    StrategyChoice,
)
from speakback.providers.chain.entry import Pin
from speakback.providers.engines import Pins
from speakback.providers.llm import Tool
from speakback.session.settings import SessionSettings
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import Idle, TurnConfig
from speakback.turn.endpointing import CalibratedEndpointing, FixedEndpointing
from speakback.turn.strategies import UnknownStrategy, Value, strategy

Eagerness: TypeAlias = Literal["low", "medium", "high"]

EAGERNESS: dict[Eagerness, CalibratedEndpointing] = {
    "high": CalibratedEndpointing(confidence=0.6, most_ms=2000, unscored_ms=500),
    "medium": CalibratedEndpointing(confidence=0.7, most_ms=4000),
    "low": CalibratedEndpointing(confidence=0.9, most_ms=8000, unscored_ms=1200),
}
"""The longest waits are OpenAI's. `auto`, and no eagerness, mean the strategy's own."""

DEFAULT_SILENCE_MS = 500
"""OpenAI's default for `server_vad`."""

IDLE_PROMPTS = 3
"""How often `idle_timeout_ms` makes the agent speak up before it waits in silence."""

OWN_EVENTS: Mapping[str, str] = {
    "latency": "speakback.latency",
    "overlap": "speakback.overlap",
    "drafts": "speakback.drafts",
    "provider": "speakback.provider",
    "floor": "speakback.floor",
    "pauses": "speakback.pause",
    "plan": "speakback.plan",
}
"""The events of ours that a client may ask for: by which name, and their type."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What this server has, as far as clients are told; set once, by its configuration."""

    model: str
    voices: tuple[Voices, ...]
    """Of each provider that may speak, in the order in which they are asked. Never empty."""
    speed: float
    languages: tuple[str, ...] | None
    """What the speech-to-text model understands; None: many."""
    strategy: str
    defaults: SessionSettings

    def voices_of(self, provider: str | None) -> tuple[str, ...]:
        """The voices of the provider that is pinned, its own first; None: of the one that is asked first."""
        return next((one.names for one in self.voices if one.provider == provider), self.voices[0].names)


@dataclass(frozen=True, slots=True)
class SessionView:
    """All that a client may set for its session, with the values in effect."""

    offer: Offer
    settings: SessionSettings
    strategy: str
    strategy_turn: TurnConfig
    """The strategy with its overrides, before `turn_detection` changed it."""
    turn_detection: ServerVad | SemanticVad | None
    """What the client chose; None: the strategy's own (or none, where `settings.listens` is False)."""
    input_format: WireFormat = PCM_24K
    output_format: WireFormat = PCM_24K
    opted_in: bool = False
    binary_audio: bool = False
    events: tuple[str, ...] = ()
    playback_ack: bool = False
    resume: bool = True
    """Whether the conversation may be kept, so that a client that opted in can resume it."""
    strategy_overrides: tuple[tuple[str, Value], ...] | None = None
    """What the client changed of its strategy; None: it chose none."""

    @property
    def voice(self) -> str:
        """The voice in effect, as long as nobody stands in for the provider that is asked first."""
        return self.settings.voice or self.offer.voices_of(self.settings.pins.tts.provider)[0]

    @property
    def wants_resumption(self) -> bool:
        """Whether the client is to be given a token."""
        return self.opted_in and self.resume


def first_view(offer: Offer) -> SessionView:
    """The view of a client that has not said anything."""
    return SessionView(offer, offer.defaults, offer.strategy, offer.defaults.turn, None)


def patched(view: SessionView, patch: SessionPatch) -> SessionView:
    """The view after a `session.update`. Raises `Refusal`; then nothing of the patch counts."""
    if patch.speakback is not None:
        view = _with_extension(view, patch.speakback)
    if patch.audio is not None and patch.audio.input is not None:
        view = _with_input(view, patch.audio.input)
    if patch.audio is not None and patch.audio.output is not None:
        view = _with_output(view, patch.audio.output)
    view = replace(view, settings=_with_reply_options(view, patch))
    if view.binary_audio and not (view.input_format.is_pcm and view.output_format.is_pcm):
        raise Refusal(
            "invalid_value",
            "binary messages carry PCM16: with binary_audio, both audio formats must be audio/pcm",
            param="session.speakback.binary_audio",
        )
    return replace(view, settings=replace(view.settings, turn=_turn_config(view)))


def wire_format(model: AudioFormat) -> WireFormat:
    """The format that a client named."""
    return WireFormat(model.type, model.rate)


def speaks(modalities: list[Literal["text", "audio"]], param: str) -> bool:
    """Whether `output_modalities` asks for audio. Raises `Refusal`."""
    if set(modalities) == {"text", "audio"}:
        raise Refusal(
            "invalid_value",
            f'{param} is ["audio"] (speech with its transcript) or ["text"], not both',
            param=param,
        )
    return "audio" in modalities


def tools_of(models: list[FunctionTool]) -> tuple[Tool, ...]:
    """The session's tools; a tool without parameters takes none."""
    return tuple(
        Tool(
            name=model.name,
            description=model.description or "",
            parameters_json=json.dumps(model.parameters or {"type": "object", "properties": {}}),
        )
        for model in models
    )


def max_tokens_of(asked: int | Literal["inf"], view: SessionView) -> int:
    """`inf` means the most that this server is configured for."""
    return view.offer.defaults.max_tokens if asked == "inf" else asked


def _with_reply_options(view: SessionView, patch: SessionPatch) -> SessionSettings:
    settings = view.settings
    if patch.instructions is not None:
        settings = replace(settings, instructions=patch.instructions)
    if patch.output_modalities is not None:
        settings = replace(settings, speaks=speaks(patch.output_modalities, "session.output_modalities"))
    if patch.tools is not None:
        settings = replace(settings, tools=tools_of(patch.tools))
    if patch.tool_choice is not None:
        settings = replace(settings, tool_choice=patch.tool_choice)
    if patch.max_output_tokens is not None:
        settings = replace(settings, max_tokens=max_tokens_of(patch.max_output_tokens, view))
    if patch.temperature is not None:
        settings = replace(settings, temperature=patch.temperature)
    return settings


def _with_input(view: SessionView, patch: InputAudio) -> SessionView:
    settings = view.settings
    if patch.format is not None:
        view = replace(view, input_format=wire_format(patch.format))
    if "transcription" in patch.model_fields_set:
        settings = replace(settings, transcribes=patch.transcription is not None)
    if patch.transcription is not None and patch.transcription.language is not None:
        settings = replace(settings, language=_known_language(view.offer, patch.transcription.language))
    if "turn_detection" in patch.model_fields_set:
        settings = replace(settings, listens=patch.turn_detection is not None)
        view = replace(view, turn_detection=patch.turn_detection)
    return replace(view, settings=settings)


def _with_output(view: SessionView, patch: OutputAudio) -> SessionView:
    if patch.format is not None:
        view = replace(view, output_format=wire_format(patch.format))
    return _with_voice(view, patch.voice) if isinstance(patch.voice, str) else view


def _with_voice(view: SessionView, voice: str) -> SessionView:
    """Voices are a provider's: those of the one that is pinned, or else asked first, may be chosen."""
    own, *others = view.offer.voices_of(view.settings.pins.tts.provider)
    if voice == own or voice in others:
        return replace(view, settings=replace(view.settings, voice=None if voice == own else voice))
    if voice in VENDOR_VOICES:
        return view
    known = ", ".join((own, *others))
    raise Refusal(
        "invalid_value", f"there is no voice {voice[:64]!r} here; there are {known}", param="session.audio.output.voice"
    )


def _known_language(offer: Offer, language: str) -> str:
    if offer.languages is not None and language not in offer.languages:
        raise Refusal(
            "invalid_value",
            f"this server's speech-to-text model understands {', '.join(offer.languages)} only, not {language}",
            param="session.audio.input.transcription.language",
        )
    return language


def _with_extension(view: SessionView, patch: Extension) -> SessionView:
    view = replace(view, opted_in=True)
    if patch.binary_audio is not None:
        view = replace(view, binary_audio=patch.binary_audio)
    if patch.playback_ack is not None:
        view = replace(view, playback_ack=patch.playback_ack)
    if patch.resume is not None:
        view = replace(view, resume=patch.resume)
    if patch.events is not None:
        for index, name in enumerate(patch.events):
            if name not in OWN_EVENTS:
                raise Refusal(
                    "invalid_value",
                    f"no event of ours is called {name[:64]!r}; known: {', '.join(OWN_EVENTS)}",
                    param=f"session.speakback.events.{index}",
                )
        settings = replace(view.settings, follows_floor="floor" in patch.events, follows_plan="plan" in patch.events)
        view = replace(view, events=tuple(dict.fromkeys(patch.events)), settings=settings)
    if patch.providers is not None:
        pins = _pins(view.settings.pins, patch.providers)
        kept = view.settings.voice if view.settings.voice in view.offer.voices_of(pins.tts.provider) else None
        view = replace(view, settings=replace(view.settings, pins=pins, voice=kept))
    return view if patch.strategy is None else _with_strategy(view, patch.strategy)


def _pins(pins: Pins, patch: ProviderPins) -> Pins:
    """What is left out stays pinned as it is; null unpins."""
    named = patch.model_fields_set
    return Pins(
        stt=_pin(patch.stt) if "stt" in named else pins.stt,
        llm=_pin(patch.llm) if "llm" in named else pins.llm,
        tts=_pin(patch.tts) if "tts" in named else pins.tts,
    )


def _pin(wish: str | ProviderPin | None) -> Pin:
    asked = ProviderPin(provider=wish) if isinstance(wish, str) or wish is None else wish
    return Pin(asked.provider, asked.region, asked.only)


def _with_strategy(view: SessionView, choice: str | StrategyChoice) -> SessionView:
    """Overrides count from the named strategy anew; those of the session's earlier choice are gone."""
    asked = StrategyChoice(name=choice) if isinstance(choice, str) else choice
    name = asked.name or view.strategy
    try:
        turn = strategy(name, asked.overrides)
        return replace(view, strategy=name, strategy_turn=turn, strategy_overrides=tuple(asked.overrides.items()))
    except UnknownStrategy as problem:
        raise Refusal("invalid_value", str(problem), param="session.speakback.strategy") from None


def _turn_config(view: SessionView) -> TurnConfig:
    chosen, turn = view.turn_detection, view.strategy_turn
    match chosen:
        case None:
            return turn
        case ServerVad():
            wait_ms = DEFAULT_SILENCE_MS if chosen.silence_duration_ms is None else chosen.silence_duration_ms
            turn = replace(turn, endpointing=FixedEndpointing(wait_ms))
            if chosen.idle_timeout_ms is not None:
                idle = Idle(wait_ms=chosen.idle_timeout_ms, reprompts=IDLE_PROMPTS, goodbye=False)
                turn = replace(turn, idle=idle)
        case SemanticVad(eagerness="low" | "medium" | "high" as eagerness):
            turn = replace(turn, endpointing=EAGERNESS[eagerness])
        case SemanticVad():
            pass
    if chosen.create_response is not None:
        turn = replace(turn, auto_reply=chosen.create_response)
    return replace(turn, barge_in=BargeIn.NEVER) if chosen.interrupt_response is False else turn
