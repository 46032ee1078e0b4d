"""Keys and events that real clients send and that do not apply here, as data.

A key in `NOT_APPLIED` is taken out before a message is checked, whatever its value. The reason is for
the reader and for `docs/protocol.md`. All other keys that are not known are refused.
"""

from collections.abc import Mapping

NOT_APPLIED: Mapping[str, Mapping[str, str]] = {
    "session.update": {
        "session.id": "clients send the session object back as they got it",
        "session.object": "clients send the session object back as they got it",
        "session.expires_at": "clients send the session object back as they got it; sessions do not expire",
        "session.model": "the server's configuration chooses the model; the effective one is answered",
        "session.tracing": "a vendor's own dashboard",
        "session.include": "log probabilities are not sent",
        "session.truncation": "the server fits the conversation into the model's context by itself",
        "session.reasoning": "the server's configuration chooses the model",
        "session.parallel_tool_calls": "the model decides",
        "session.audio.input.noise_reduction": "there is none; the effective value, null, is answered",
        "session.audio.input.transcription.model": "the server's configuration chooses the model",
        "session.audio.input.transcription.prompt": "the speech-to-text model takes none",
        "session.audio.input.transcription.delay": "partial transcripts come as soon as they are certain",
        "session.audio.output.speed": "the server's configuration sets the rate of speech",
    },
    "response.create": {
        "response.reasoning": "the server's configuration chooses the model",
        "response.parallel_tool_calls": "the model decides",
        "response.audio.output.voice": "a voice is chosen for the session, not for one reply",
    },
    "conversation.item.create": {
        "item.object": "always realtime.item",
        "item.status": "has no effect on the conversation",
    },
}

VENDOR_VOICES = frozenset(
    {
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
        *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
    }
)
"""Voices that clients written for OpenAI name; where this server has none of that name, its own goes on speaking."""

NOT_OFFERED: Mapping[str, str] = {
    "output_audio_buffer.clear": "it belongs to WebRTC; send response.cancel and conversation.item.truncate instead",
    "transcription_session.update": "transcription-only sessions are not offered; send session.update",
}
"""Events of other transports and products, with what to send instead."""


def drop_keys_not_applied(event: dict[str, object], event_type: str) -> None:
    """Take the keys of `NOT_APPLIED` out of a message, in place."""
    for path in NOT_APPLIED.get(event_type, {}):
        *parents, last = path.split(".")
        node: object = event
        for name in parents:
            node = node.get(name) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.pop(last, None)
