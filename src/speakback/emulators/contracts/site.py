"""One service at one address, and everything that goes there and comes back, on record."""

import asyncio
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from speakback.emulators.contracts.recording import Recording
from speakback.providers.link.opening import tls_context


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

    @property
    def is_encrypted(self) -> bool:
        return urlsplit(self.base_url).scheme == "https"


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


async def tls_of(address: Address) -> ssl.SSLContext | None:
    """The certificates to trust there; None without encryption. Read off the event loop."""
    return await asyncio.to_thread(tls_context) if address.is_encrypted else None
