"""The binary messages of the `speakback` extension: an 8-byte header and PCM16. Pure.

byte 0     version, 1
byte 1     kind: 1 user audio (client → server), 2 agent audio (server → client)
byte 2     flags, 0 in this version
byte 3     channel, 0 in this version
bytes 4-7  sequence number, unsigned, little-endian: counts the messages of its direction from 0, wraps at 2**32
then       PCM16, little-endian, mono
"""

import struct
from enum import IntEnum
from typing import NamedTuple

VERSION = 1
HEADER_BYTES = 8
SEQUENCE_SPAN = 2**32

_HEADER = struct.Struct("<BBBBI")


class Kind(IntEnum):
    """What a binary message carries."""

    USER_AUDIO = 1
    AGENT_AUDIO = 2


_KINDS = {int(kind): kind for kind in Kind}


class BadFrame(ValueError):
    """Bytes that are no binary message of this protocol; the message says why."""


class AudioFrame(NamedTuple):
    """One binary message; fifty are made a second and session."""

    kind: Kind
    sequence: int
    pcm16: bytes


def pack(frame: AudioFrame) -> bytes:
    """The message's bytes."""
    return _HEADER.pack(VERSION, frame.kind, 0, 0, frame.sequence % SEQUENCE_SPAN) + frame.pcm16


def unpack(data: bytes) -> AudioFrame:
    """The message that `data` holds. Raises `BadFrame`."""
    if len(data) < HEADER_BYTES:
        raise BadFrame(f"a binary message begins with a header of {HEADER_BYTES} bytes, and this has {len(data)} bytes")
    version, kind, flags, channel, sequence = _HEADER.unpack_from(data)
    if version != VERSION:
        raise BadFrame(f"the binary header's version must be {VERSION}, not {version}")
    if kind not in _KINDS:
        raise BadFrame(f"the binary header's kind must be 1 (user audio) or 2 (agent audio), not {kind}")
    if flags or channel:
        raise BadFrame(f"flags and channel must be 0 in version {VERSION}, not {flags} and {channel}")
    return AudioFrame(_KINDS[kind], sequence, data[HEADER_BYTES:])
