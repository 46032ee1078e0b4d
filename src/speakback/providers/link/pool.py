"""Sockets kept open ahead of need: one is always ready, lost ones are opened again, stale ones are not handed out."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Generic, Protocol, TypeVar

from speakback.providers.link.backoff import Backoff
from speakback.providers.link.failures import LinkError, LinkUnreachable


class Pooled(Protocol):
    """What a pool asks of what it keeps."""

    @property
    def is_ready(self) -> bool:
        """Whether it can take one more use now."""
        ...

    @property
    def is_spent(self) -> bool:
        """Whether it is gone, or will take no more and nobody uses it."""
        ...

    @property
    def is_unused(self) -> bool:
        """Whether nobody uses it now."""
        ...

    @property
    def was_of_use(self) -> bool:
        """Whether the service ever did on it what it is for."""
        ...

    async def aclose(self) -> None: ...


S = TypeVar("S", bound=Pooled)


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """How many are kept ready, and how it is seen to. Times in seconds."""

    ready: int = 1
    uses_each: int = 1
    """How many uses at a time one socket bears: so many may wait for the same one to open."""
    look_after_every_s: float = 5.0
    """Stale ones are replaced, and what is more than needed is closed, no later than this."""
    backoff: Backoff = Backoff()


class Pool(Generic[S]):
    """Sockets of one kind. `open_one` raises `LinkError`; what it opens calls `changed` when its state changes."""

    def __init__(self, open_one: Callable[[], Awaitable[S]], terms: PoolTerms, rng: Random) -> None:
        self._open_one = open_one
        self._terms = terms
        self._rng = rng
        self._sockets: list[S] = []
        self._openings: dict[asyncio.Task[S], int] = {}
        """The attempts under way, and how many wait for each."""
        self._closings: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._change = asyncio.Event()
        self._failures = 0
        self._last_failure: LinkError | None = None
        self._closed = False
        self._resting = False
        self._had_useless = False
        """One was closed that had been of no use: to open the next at once might be to knock without end."""

    @property
    def open_sockets(self) -> int:
        """How many are open now."""
        return len(self._sockets)

    @property
    def sockets_in_use(self) -> int:
        """On how many of them something is going on."""
        return sum(not socket.is_unused for socket in self._sockets)

    def changed(self) -> None:
        """One of the sockets got room, was lost or is used: see whether there are enough."""
        self._discard()
        if not self._resting and self._keeper is None and not self._closed:
            self._keeper = asyncio.create_task(self._keep(), name="pool-keeper")
        self._change.set()

    async def take(self) -> S:
        """One that is ready, those in use first; opened now where there is none.

        Another may be quicker: whoever finds it full takes again.

        While the service cannot be reached, which takes long to find out, that is raised at once, until
        an attempt in the background has succeeded; a refusal is asked for anew. Raises `LinkError`.
        """
        ready = [socket for socket in self._sockets if socket.is_ready]
        if ready:
            return next((socket for socket in ready if not socket.is_unused), ready[0])
        if isinstance(self._last_failure, LinkUnreachable) and self._keeper is not None:
            raise self._last_failure.with_traceback(None)
        return await self._open()

    async def warm(self) -> None:
        """Open what should be ready, and keep it so from now on. Raises `LinkError`, and goes on trying."""
        self._resting = False
        try:
            if not any(socket.is_ready for socket in self._sockets):
                await self._open()
        finally:
            self.changed()

    def rest(self) -> None:
        """Keep none ready any more, until `warm` is called again: the service does not want us."""
        self._resting = True
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None

    async def aclose(self) -> None:
        """Close all; no call may follow."""
        self._closed = True
        keeper = [] if self._keeper is None else [self._keeper]
        tasks: list[asyncio.Task[S] | asyncio.Task[None]] = [*keeper, *self._openings]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._close(list(self._sockets))
        await asyncio.gather(*self._closings)

    async def _open(self) -> S:
        """Those who need one at the same time share an attempt; giving up the wait does not end it."""
        if self._closed:
            raise LinkUnreachable("the voice is closed")
        shared = (task for task, waiting in self._openings.items() if waiting < self._terms.uses_each)
        opening = next(shared, None) or asyncio.create_task(self._opened(), name="pool-opening")
        self._openings[opening] = self._openings.get(opening, 0) + 1
        opening.add_done_callback(self._forget)
        return await asyncio.shield(opening)

    def _forget(self, opening: asyncio.Task[S]) -> None:
        self._openings.pop(opening, None)
        self._change.set()
        if not opening.cancelled():
            opening.exception()  # told to whoever waited: asyncio need not warn that nobody looked

    async def _opened(self) -> S:
        try:
            socket = await self._open_one()
        except LinkError as failure:
            self._failures += 1
            self._last_failure = failure
            raise
        self._last_failure = None
        self._sockets.append(socket)
        return socket

    async def _keep(self) -> None:
        now_s = asyncio.get_running_loop().time
        look_at_s = now_s() + self._terms.look_after_every_s
        while True:
            self._change.clear()
            self._discard()
            if self._had_useless:
                self._had_useless = False
                await self._wait()
            if sum(socket.is_ready for socket in self._sockets) + len(self._openings) < self._terms.ready:
                try:
                    await self._open()
                except LinkError:
                    await self._wait()
                continue
            try:
                async with asyncio.timeout_at(look_at_s):
                    await self._change.wait()
            except TimeoutError:
                self._close_surplus()
                look_at_s = now_s() + self._terms.look_after_every_s

    async def _wait(self) -> None:
        await asyncio.sleep(self._terms.backoff.wait_s(self._failures, self._rng))

    def _discard(self) -> None:
        """Close those that are spent, and stale ones: unused, and yet not ready."""
        discarded = [one for one in self._sockets if one.is_spent or (one.is_unused and not one.is_ready)]
        if any(one.was_of_use for one in self._sockets):
            self._failures = 0
        useless = sum(not one.was_of_use for one in discarded)
        self._failures += useless
        self._had_useless = self._had_useless or useless > 0
        self._close(discarded)

    def _close_surplus(self) -> None:
        unused = [socket for socket in self._sockets if socket.is_ready and socket.is_unused]
        ready = sum(socket.is_ready for socket in self._sockets)
        self._close(unused[: max(ready - self._terms.ready, 0)])

    def _close(self, sockets: list[S]) -> None:
        """Not waited for: a service that is slow to close must not keep others from being opened."""
        self._sockets = [socket for socket in self._sockets if socket not in sockets]
        for socket in sockets:
            closing = asyncio.create_task(socket.aclose(), name="pool-closing")
            self._closings.add(closing)
            closing.add_done_callback(self._closings.discard)
