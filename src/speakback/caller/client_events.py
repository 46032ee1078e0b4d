"""What a caller sends, as text messages. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pybase64 import b64encode_as_string

from speakback.audio.pcm import Samples, pcm16_from_samples


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller asks of our extension."""

    events: tuple[str, ...] = ("latency",)
    strategy: str | None = None
    """None: the server's own, and no overrides."""
    overrides: Mapping[str, int | float | bool | str] = field(default_factory=dict)
    """Of the strategy, by dotted names."""


USUAL = Wishes()


def session_update(wishes: Wishes) -> str:
    """Audio both ways at the protocol's own format, and our extension: what is wished, and playback acks."""
    audio_format = {"type": "audio/pcm", "rate": 24_000}
    session = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {"input": {"format": audio_format}, "output": {"format": audio_format}},
        "speakback": {"events": wishes.events, "playback_ack": True, **_strategy(wishes)},
    }
    return json.dumps({"type": "session.update", "session": session})


def _strategy(wishes: Wishes) -> dict[str, object]:
    if wishes.strategy is None:
        return {}
    return {"strategy": {"name": wishes.strategy, "overrides": dict(wishes.overrides)}}


def append(audio_24k: Samples) -> str:
    """The next stretch of the microphone."""
    audio = b64encode_as_string(pcm16_from_samples(audio_24k))
    return f'{{"type": "input_audio_buffer.append", "audio": "{audio}"}}'


def truncate(item_id: str, played_ms: int) -> str:
    """No more than this of an item was heard."""
    return json.dumps(
        {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": played_ms}
    )


def playback_ack(item_id: str, played_ms: int, buffered_ms: int) -> str:
    """So much of an item was played, and so much waits to be."""
    return json.dumps(
        {
            "type": "speakback.playback_ack",
            "item_id": item_id,
            "content_index": 0,
            "played_ms": played_ms,
            "buffered_ms": buffered_ms,
        }
    )
