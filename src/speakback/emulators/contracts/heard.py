"""What messages with audio say: how much audio, and which characters when. Pure."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from speakback.emulators.contracts.reading import at, either, items, kind_of
from speakback.emulators.contracts.site import BrokenContractError, expect

BYTES_PER_MS = 48
"""Of PCM16 at 24 kHz."""
NEAR_MS = 50


@dataclass(frozen=True, slots=True)
class Alignment:
    """When each character is spoken."""

    text: str
    span_ms: float
    """All durations together."""


def audio_bytes(messages: Sequence[object]) -> int:
    """How many there are in all audio messages. Raises `BrokenContractError` where one is not base64 of PCM16."""
    count = 0
    for message in messages:
        audio = at(message, "audio")
        if kind_of(message) == "audio" and isinstance(audio, str):
            try:
                size = len(base64.b64decode(audio, validate=True))
            except binascii.Error:
                raise BrokenContractError("audio that is no base64") from None
            expect(size % 2 == 0, f"{size} bytes of audio, which are no whole samples")
            count += size
    return count


def alignments(messages: Sequence[object]) -> list[Alignment]:
    """Those that are there, in any of the known spellings. Raises `BrokenContractError` where arrays do not match."""
    return [_alignment(found) for message in messages if (found := at(message, "alignment")) is not None]


def _alignment(value: object) -> Alignment:
    chars = items(at(value, "chars"))
    starts = items(either(value, "charStartTimesMs", "charsStartTimesMs", "char_start_times_ms"))
    durations = items(either(value, "charDurationsMs", "charsDurationsMs", "char_durations_ms"))
    lengths = [len(chars), len(starts), len(durations)]
    expect(chars and len(set(lengths)) == 1, f"an alignment whose arrays have {lengths} items")
    span_ms = sum(one for one in durations if isinstance(one, int | float))
    return Alignment("".join(str(char) for char in chars), span_ms)
