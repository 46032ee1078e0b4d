"""What the chains of the three roles share."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from random import Random
from typing import Generic, Protocol, TypeVar

from speakback.providers.chain.entry import ANY, Entry, Pin, ordered
from speakback.providers.chain.options import ChainOptions
from speakback.providers.chain.standing import Standings
from speakback.providers.decisions import Decision, Report, Role


class Closable(Protocol):
    """A provider, whatever its role."""

    async def aclose(self) -> None: ...


C = TypeVar("C", bound=Closable)


def unheard(_: Decision) -> None:
    """A report to nobody."""


class Chain(Generic[C]):
    """Ordered providers of one role, shared by all sessions of a process; it owns them and closes them."""

    def __init__(
        self,
        role: Role,
        entries: tuple[Entry[C], ...],
        options: ChainOptions,
        probe: Callable[[C], Awaitable[None]],
        *,
        probes: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        report: Report = unheard,
        rng: Random | None = None,
    ) -> None:
        each = {entry.name: partial(probe, entry.engine) for entry in entries}
        self.entries = entries
        self.report = report
        self.options = options
        self.standings = Standings(
            role, entries, options, probes={**each, **(probes or {})}, report=report, rng=rng or Random()
        )
        self.name = entries[0].name
        """That of the provider asked first."""

    def pinned(self, pin: Pin = ANY) -> tuple[Entry[C], ...]:
        """Whom a session with this pin asks, in order. Raises `UnknownPin`."""
        return ordered(self.standings.role, self.entries, pin)

    def likely(self, entries: tuple[Entry[C], ...]) -> Entry[C]:
        """Who will be asked first at present: the first whose circuit is closed, or else the first."""
        return next((entry for entry in entries if not self.standings.is_open(entry.name)), entries[0])

    async def aclose(self) -> None:
        """Stop probing, wait for cancelled requests, and close all providers; no call may follow."""
        await self.standings.aclose()
        for entry in self.entries:
            await entry.engine.aclose()
