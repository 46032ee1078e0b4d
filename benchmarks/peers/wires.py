"""What goes over the socket, for each server: how a frame of the user's audio is sent and what comes back. Pure."""

import json
import struct
from base64 import b64encode
from enum import Enum
from typing import Protocol

INTERRUPTED = "interrupted"
"""What `pipecat_server` sends where its transport is to forget the audio that waits."""


class Heard(Enum):
    """What a message from the server means to a caller."""

    AUDIO = 1
    INTERRUPTED = 2
    """Whatever audio the caller still holds is to be forgotten."""
    OTHER = 3


class Wire(Protocol):
    """One way of talking with a server."""

    path: str

    def opening(self) -> tuple[str, ...]:
        """Text messages that come before all audio."""
        ...

    def frame(self, pcm16: bytes, number: int) -> bytes | str:
        """20 ms of audio at 16 kHz, the `number`th of its session counted from 0."""
        ...

    def heard(self, message: bytes | str) -> Heard: ...


class RawWire:
    """Pipecat's: PCM16 and nothing else."""

    path = "/ws"

    def opening(self) -> tuple[str, ...]:
        """See `Wire`."""
        return ()

    def frame(self, pcm16: bytes, number: int) -> bytes:
        """See `Wire`."""
        return pcm16

    def heard(self, message: bytes | str) -> Heard:
        """See `Wire`."""
        if isinstance(message, bytes):
            return Heard.AUDIO
        return Heard.INTERRUPTED if message == INTERRUPTED else Heard.OTHER


def _session_update(*, binary: bool) -> str:
    session: dict[str, object] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": 16_000}},
            "output": {"format": {"type": "audio/pcm", "rate": 24_000}},
        },
    }
    if binary:
        session["speakback"] = {"binary_audio": True}
    return json.dumps({"type": "session.update", "session": session})


def _is_speech_started(message: str) -> bool:
    # Nearly all text messages are other events, and to read each whole would cost the caller more than the server.
    return '"input_audio_buffer.speech_started"' in message


class BinaryWire:
    """Speakback's with the binary extension."""

    path = "/v1/realtime"
    _HEADER = struct.Struct("<BBBBI")

    def opening(self) -> tuple[str, ...]:
        """See `Wire`."""
        return (_session_update(binary=True),)

    def frame(self, pcm16: bytes, number: int) -> bytes:
        """See `Wire`."""
        return self._HEADER.pack(1, 1, 0, 0, number % 2**32) + pcm16

    def heard(self, message: bytes | str) -> Heard:
        """See `Wire`."""
        if isinstance(message, bytes):
            return Heard.AUDIO
        return Heard.INTERRUPTED if _is_speech_started(message) else Heard.OTHER


class JsonWire:
    """Speakback's as OpenAI has it: audio in base64, within JSON."""

    path = "/v1/realtime"

    def opening(self) -> tuple[str, ...]:
        """See `Wire`."""
        return (_session_update(binary=False),)

    def frame(self, pcm16: bytes, number: int) -> str:
        """See `Wire`."""
        return f'{{"type": "input_audio_buffer.append", "audio": "{b64encode(pcm16).decode()}"}}'

    def heard(self, message: bytes | str) -> Heard:
        """See `Wire`."""
        if isinstance(message, bytes):
            return Heard.OTHER
        if '"response.output_audio.delta"' in message:
            return Heard.AUDIO
        return Heard.INTERRUPTED if _is_speech_started(message) else Heard.OTHER
