"""What a client has set for its session, in the words in which it could have set it. Pure.

Not the values in effect, but the patches that lead to them: what the client left as the server had it follows the
server that goes on with the conversation, which may be of another version or configuration.
"""

import json

from pydantic import TypeAdapter, ValidationError

from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.session_object import format_object, pins_object, tool_object
from speakback.gateway.realtime.session_view import Offer, SessionView, first_view, patched
from speakback.gateway.realtime.wire_models import SessionPatch

WireObject = dict[str, object]
_PATCHES = TypeAdapter(list[SessionPatch])


def kept(view: SessionView) -> str:
    """What `restored` makes the view of, as JSON."""
    patches: list[WireObject] = [{"type": "realtime", **_settings(view), "audio": _audio(view), **_extension(view)}]
    if not view.settings.transcribes:  # behind the language, which comes with a transcription only
        patches.append({"type": "realtime", "audio": {"input": {"transcription": None}}})
    return json.dumps(patches)


def restored(offer: Offer, text: str) -> SessionView:
    """The view at this server. Raises `Refusal` where it cannot be had here."""
    view = first_view(offer)
    try:
        patches = _PATCHES.validate_json(text) if text else []
    except ValidationError:  # its message quotes the client's instructions
        raise Refusal("invalid_value", "what the client had set cannot be read by this version") from None
    for patch in patches:
        view = patched(view, patch)
    return view


def _settings(view: SessionView) -> WireObject:
    now, before = view.settings, view.offer.defaults
    changed: WireObject = {}
    if now.instructions != before.instructions:
        changed["instructions"] = now.instructions
    if now.speaks != before.speaks:
        changed["output_modalities"] = ["audio"] if now.speaks else ["text"]
    if now.tools != before.tools:
        changed["tools"] = [tool_object(tool) for tool in now.tools]
    if now.tool_choice != before.tool_choice:
        changed["tool_choice"] = now.tool_choice
    if now.max_tokens != before.max_tokens:
        changed["max_output_tokens"] = now.max_tokens
    if now.temperature != before.temperature:
        changed["temperature"] = now.temperature
    return changed


def _audio(view: SessionView) -> WireObject:
    first = first_view(view.offer)
    heard: WireObject = {}
    if view.input_format != first.input_format:
        heard["format"] = format_object(view.input_format)
    if view.settings.language != first.settings.language:
        heard["transcription"] = {"language": view.settings.language}
    if view.turn_detection is not None:
        heard["turn_detection"] = view.turn_detection.model_dump(exclude_unset=True)
    elif not view.settings.listens:
        heard["turn_detection"] = None
    spoken: WireObject = {}
    if view.output_format != first.output_format:
        spoken["format"] = format_object(view.output_format)
    if view.settings.voice is not None:
        spoken["voice"] = view.settings.voice
    return {"input": heard, "output": spoken}


def _extension(view: SessionView) -> WireObject:
    if not view.opted_in:
        return {}
    chosen: WireObject = {}
    if view.strategy_overrides is not None:
        chosen["strategy"] = {"name": view.strategy, "overrides": dict(view.strategy_overrides)}
    return {
        "speakback": {
            "binary_audio": view.binary_audio,
            "events": list(view.events),
            "playback_ack": view.playback_ack,
            "providers": pins_object(view.settings.pins),
            "resume": view.resume,
            **chosen,
        }
    }
