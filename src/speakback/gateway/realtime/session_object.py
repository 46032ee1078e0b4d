"""The wire's session object: the values in effect, as `session.created` and `session.updated` show them. Pure."""

import json
from dataclasses import asdict
from typing import TypeAlias

from speakback.gateway.realtime.formats import WireFormat
from speakback.gateway.realtime.session_view import SessionView
from speakback.gateway.realtime.wire_models import SemanticVad
from speakback.providers.chain.entry import ANY
from speakback.providers.engines import Pins
from speakback.providers.llm import Tool
from speakback.turn.barge_in import BargeIn
from speakback.turn.endpointing import FixedEndpointing

WireObject: TypeAlias = dict[str, object]


def session_object(view: SessionView, session_id: str, correlation_id: str) -> WireObject:
    """The session object of one client; our own key only where it opted in."""
    settings = view.settings
    session: WireObject = {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": view.offer.model,
        "instructions": settings.instructions,
        "output_modalities": ["audio"] if settings.speaks else ["text"],
        "audio": {
            "input": {
                "format": format_object(view.input_format),
                "transcription": _transcription_object(view),
                "noise_reduction": None,
                "turn_detection": _turn_detection_object(view),
            },
            "output": {
                "format": format_object(view.output_format),
                "voice": view.voice,
                "speed": view.offer.speed,
            },
        },
        "tools": [tool_object(tool) for tool in settings.tools],
        "tool_choice": settings.tool_choice,
        "max_output_tokens": settings.max_tokens,
        "tracing": None,
        "prompt": None,
        "include": None,
    }
    if view.opted_in:
        session["speakback"] = {
            "binary_audio": view.binary_audio,
            "events": list(view.events),
            "playback_ack": view.playback_ack,
            "providers": pins_object(settings.pins),
            "resume": view.resume,
            "strategy": view.strategy,
            "correlation_id": correlation_id,
        }
    return session


def format_object(format: WireFormat) -> WireObject:
    """The wire's name of a format; G.711 carries no rate."""
    return {"type": format.type, "rate": format.rate_hz} if format.is_pcm else {"type": format.type}


def _transcription_object(view: SessionView) -> WireObject | None:
    return {"language": view.settings.language} if view.settings.transcribes else None


def _turn_detection_object(view: SessionView) -> WireObject | None:
    settings = view.settings
    if not settings.listens:
        return None
    answers: WireObject = {
        "create_response": settings.turn.auto_reply,
        "interrupt_response": settings.turn.barge_in is not BargeIn.NEVER,
    }
    endpointing = settings.turn.endpointing
    if isinstance(endpointing, FixedEndpointing):
        return {
            "type": "server_vad",
            "threshold": settings.hearing.vad.threshold,
            "prefix_padding_ms": settings.hearing.preroll_ms,
            "silence_duration_ms": endpointing.wait_ms,
            "idle_timeout_ms": settings.turn.idle.wait_ms if settings.turn.idle.reprompts else None,
            **answers,
        }
    chosen = view.turn_detection
    eagerness = chosen.eagerness if isinstance(chosen, SemanticVad) and chosen.eagerness else "auto"
    return {"type": "semantic_vad", "eagerness": eagerness, **answers}


def pins_object(pins: Pins) -> WireObject:
    """What is pinned; a role that is not is left out."""
    roles = (("stt", pins.stt), ("llm", pins.llm), ("tts", pins.tts))
    return {role: asdict(pin) for role, pin in roles if pin != ANY}


def tool_object(tool: Tool) -> WireObject:
    """The wire's form of a tool."""
    parameters: object = json.loads(tool.parameters_json)
    return {"type": "function", "name": tool.name, "description": tool.description, "parameters": parameters}
