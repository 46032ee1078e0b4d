"""What a caller sends, as text messages. Pure."""

import json
from base64 import b64encode

from speakback.audio.pcm import Samples, pcm16_from_samples


def session_update() -> str:
    """Audio both ways at the protocol's own format, and our extension: the latency ledger and playback acks."""
    audio_format = {"type": "audio/pcm", "rate": 24_000}
    session = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {"input": {"format": audio_format}, "output": {"format": audio_format}},
        "speakback": {"events": ["latency"], "playback_ack": True},
    }
    return json.dumps({"type": "session.update", "session": session})


def append(audio_24k: Samples) -> str:
    """The next stretch of the microphone."""
    audio = b64encode(pcm16_from_samples(audio_24k)).decode()
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
