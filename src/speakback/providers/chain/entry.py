"""Who is in a chain, in which order they are asked, and what a session may pin. Pure."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from speakback.providers.chain.lateness import LatenessOptions

P = TypeVar("P", covariant=True)
E = TypeVar("E", bound="Entry[object]")


@dataclass(frozen=True, slots=True)
class Entry(Generic[P]):
    """One provider of a chain."""

    name: str
    """As configured; no two in a chain have the same. A service in two regions is two entries."""
    engine: P
    region: str | None = None
    """None: nowhere in particular."""
    is_local: bool = False
    """Runs on this machine: any region may use it, and it is never asked twice at a time."""
    voice: str = ""
    """What is heard when it speaks, in words for the record; only of voices."""
    lateness: LatenessOptions | None = None
    """None: as the chain's. A local model is slower than a service, and should not be held to its times."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What one session wants of one role.

    A region is a law: nothing outside of it is asked, except what runs on this machine. A provider is a
    wish: it is asked first, the others stand in for it; with `only` it is a law as well.
    """

    provider: str | None = None
    region: str | None = None
    only: bool = False


ANY = Pin()


class UnknownPin(ValueError):
    """A pin names no provider or region of the chain, or leaves nobody to ask; the message says what there is."""


def ordered(role: str, entries: tuple[E, ...], pin: Pin) -> tuple[E, ...]:
    """Whom a session with this pin asks, in order. Raises `UnknownPin`."""
    names = ", ".join(entry.name for entry in entries)
    if pin.provider is None and pin.only:
        raise UnknownPin(f"{role}: only which provider? There are {names}")
    if pin.provider is not None and pin.provider not in {entry.name for entry in entries}:
        raise UnknownPin(f"{role}: there is no provider {pin.provider!r}; there are {names}")
    regions = sorted({entry.region for entry in entries if entry.region is not None})
    if pin.region is not None and pin.region not in regions:
        raise UnknownPin(f"{role}: no provider is in region {pin.region!r}; there are {', '.join(regions) or 'none'}")
    within = [entry for entry in entries if pin.region is None or entry.is_local or entry.region == pin.region]
    wished = [entry for entry in within if entry.name == pin.provider]
    if pin.provider is not None and not wished:
        raise UnknownPin(f"{role}: provider {pin.provider!r} is not in region {pin.region!r}")
    return tuple(wished if pin.only else wished + [entry for entry in within if entry not in wished])
