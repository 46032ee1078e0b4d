"""One service at one address, and everything that goes there and comes back, on record."""

from dataclasses import dataclass, field

from speakback.emulators.contracts.recording import Recording


class BrokenContractError(Exception):
    """A service does otherwise than it should; the text says what."""


def expect(holds: object, otherwise: str) -> None:
    """Raises `BrokenContractError`."""
    if not holds:
        raise BrokenContractError(otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long is waited for what, in seconds."""

    patience_s: float = 15.0
    """For anything that must come."""
    quiet_s: float = 1.0
    """Where nothing must come, it has not come in this time. A wrong key is told within 0.1 s."""
    idle_s: float = 25.0
    """Longer than a socket may be idle."""
    keep_alive_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a service is, and the key for it."""

    base_url: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What contracts need besides an address."""

    voice_id: str
    speech_wav: bytes = field(repr=False)
    """About 1 s of `clips.SPEECH`."""
    timing: Timing = Timing()


@dataclass(frozen=True, slots=True)
class Site:
    """What a contract is given."""

    address: Address
    equipment: Equipment
    recording: Recording
