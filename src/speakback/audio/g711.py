"""G.711 telephone audio (ITU-T G.711): μ-law and A-law, one byte a sample, as numpy tables.

Decoding is a table of 256 entries. Encoding looks up a table of all 65,536 PCM16 values, built once
from the recommendation's segments; both directions agree bit for bit with the C code (Sun's g711.c)
that Python's `audioop` held until 3.13 (the tests hold checksums of the tables, taken from it).

μ-law works on 14 bits and A-law on 13: the low 2 or 3 bits of a PCM16 sample are dropped by an
arithmetic shift, which for negative values rounds away from zero.
"""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Law: TypeAlias = Literal["ulaw", "alaw"]

_ULAW_BIAS = 0x21
_ULAW_CLIP = 8159
_ULAW_SEGMENT_ENDS = np.array([0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF])
_ALAW_SEGMENT_ENDS = np.array([0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF])


def encode(pcm16: NDArray[np.int16], law: Law) -> bytes:
    """PCM16 samples, shape `[n]`, to `n` bytes."""
    return _ENCODED[law][pcm16.astype(np.int32) + 32768].tobytes()


def decode(data: bytes, law: Law) -> NDArray[np.int16]:
    """`n` bytes to PCM16 samples, shape `[n]`. Every byte is valid."""
    return _DECODED[law][np.frombuffer(data, np.uint8)]


def _ulaw_encode_all() -> NDArray[np.uint8]:
    value = np.arange(-32768, 32768) >> 2
    negative = value < 0
    magnitude = np.minimum(np.abs(value), _ULAW_CLIP) + _ULAW_BIAS
    segment = np.searchsorted(_ULAW_SEGMENT_ENDS, magnitude)
    # The loudest magnitudes pass the last segment's end by the bias; they saturate.
    code = np.where(segment > 7, 0x7F, (segment << 4) | ((magnitude >> (segment + 1)) & 0x0F))
    return (code ^ np.where(negative, 0x7F, 0xFF)).astype(np.uint8)


def _alaw_encode_all() -> NDArray[np.uint8]:
    value = np.arange(-32768, 32768) >> 3
    negative = value < 0
    magnitude = np.where(negative, -value - 1, value)
    segment = np.searchsorted(_ALAW_SEGMENT_ENDS, magnitude)
    step = (magnitude >> np.where(segment < 2, 1, segment)) & 0x0F
    return (((segment << 4) | step) ^ np.where(negative, 0x55, 0xD5)).astype(np.uint8)


def _ulaw_decode_all() -> NDArray[np.int16]:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_decode_all() -> NDArray[np.int16]:
    code = np.arange(256) ^ 0x55
    segment = (code & 0x70) >> 4
    step = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_ENCODED: dict[Law, NDArray[np.uint8]] = {"ulaw": _ulaw_encode_all(), "alaw": _alaw_encode_all()}
_DECODED: dict[Law, NDArray[np.int16]] = {"ulaw": _ulaw_decode_all(), "alaw": _alaw_decode_all()}
