"""What can go wrong with the services, each by a switch, drawn from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random
from types import MappingProxyType


class FaultError(ValueError):
    """A `--faults` text names no known fault, or a share outside of 0 to 1; the message says which."""


class Fault(Enum):
    """One fault. Variants of spelling are faults, too: a client that reads tolerantly does not notice."""

    SERVER_SNAKE_CASE_ID = "snake-case-id"
    """The server writes `context_id` where it otherwise writes `contextId`."""
    SERVER_SNAKE_CASE_FINAL = "snake-case-final"
    CHARS_DURATIONS = "chars-durations"
    """`charsDurationsMs` for `charDurationsMs`."""
    NO_ALIGNMENT = "no-alignment"
    MISSING_FINAL = "missing-final"
    DROP_AFTER_FLUSH_CLOSE = "drop-after-flush-close"
    """An utterance whose context is closed right behind its flush is swallowed."""
    CLOSE_1008 = "close-1008"
    """An error frame and close code 1008 in the midst of an utterance."""
    CLOSE_1006 = "close-1006"
    """The connection is gone in the midst of an utterance, without a close frame."""
    HTTP_429 = "429"
    SYSTEM_BUSY = "system-busy"
    QUOTA = "quota"
    SILENT_SUCCESS = "silent-success"
    """An utterance ends properly without any audio; a chat ends without a word."""
    SLOW_FIRST_BYTE = "slow-first-byte"
    STALLED = "stalled"
    """The answer stops in its midst and the connection stays open."""
    INVENTED_ON_SILENCE = "invented-on-silence"
    """ "Thank you." is transcribed from silence."""
    REPEATED_TRANSCRIPT = "repeated-transcript"
    ERROR_IN_STREAM = "error-in-stream"
    """`event: error` in the midst of a chat."""
    NO_DONE = "no-done"
    """A chat ends without `[DONE]` or a finish reason."""
    NOT_JSON = "not-json"
    TRUNCATED_BASE64 = "truncated-base64"
    ODD_BYTES = "odd-bytes"
    """Audio messages end in the midst of a sample."""
    LYING_CONTENT_LENGTH = "lying-content-length"
    SERVER_500 = "500"


SLOW_FIRST_BYTE_MS = 4000
COMMON = (
    Fault.CLOSE_1008,
    Fault.CLOSE_1006,
    Fault.HTTP_429,
    Fault.SYSTEM_BUSY,
    Fault.SILENT_SUCCESS,
    Fault.SLOW_FIRST_BYTE,
    Fault.STALLED,
    Fault.ERROR_IN_STREAM,
    Fault.NO_DONE,
    Fault.SERVER_500,
)
"""What a bad day is made of: each request that meets a fault meets one of these, as far as it can befall it."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults there are, each with the share of occasions that meet it."""

    shares: Mapping[Fault, float]
    any_share: float = 0.0
    """Share of occasions that meet one of `COMMON`, drawn among those that can befall it."""

    def strike(self, rng: Random, *possible: Fault) -> Fault | None:
        """The fault that befalls this occasion, of those that are possible on it; one draw for each, in their order."""
        hits = [fault for fault in possible if rng.random() < self.shares.get(fault, 0.0)]
        common = [fault for fault in possible if fault in COMMON]
        if not hits and common and rng.random() < self.any_share:
            return rng.choice(common)
        return hits[0] if hits else None


NO_FAULTS = Faults(MappingProxyType({}))


def parse_faults(text: str, any_share: float = 0.0) -> Faults:
    """`close-1006=0.1,quota` as `Faults`; a fault without a share always strikes. Raises `FaultError`."""
    shares: dict[Fault, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, share_text = part.partition("=")
        shares[_named(name.strip())] = _share(name, share_text) if share_text else 1.0
    return Faults(MappingProxyType(shares), any_share)


def _named(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        raise FaultError(f"{name!r} is no fault; there are {', '.join(fault.value for fault in Fault)}") from None


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise FaultError(f"{name}={text}: the share of a fault is a number from 0 to 1")
    return share
