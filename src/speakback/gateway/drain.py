"""How a server leaves so that nobody hears it.

    step                                                            when
    readiness fails; nobody new is let in                           at once
    load balancers, which ask `/readyz`, look elsewhere             for `notice_s`
    the listening socket is closed
    each client is told in band (`speakback.goaway`)
    each connection ends (1012) once its conversation is at rest    until `deadline_s`, or until hurried
    what still goes on ends as it stands (1012)                     then
    the sockets of clients that do not answer are cut               `CLOSING_S` later

A hurry (a second signal) skips every wait but the last. However a client behaves, all is over `CLOSING_S` + `CUTTING_S`
after the deadline, which therefore lies before the time that the whole has (`terms_within`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import WSCloseCode

REASON = "the server restarts"
"""Told with `speakback.goaway` and with the close."""
CLOSING_S = 1.0
"""How long clients have to answer a close that did not wait for their conversation's rest."""
CUTTING_S = 0.3
"""How long a connection may take to end once its socket is gone."""
LEAST_SHARE = 0.5
"""Of the time that the whole may take, conversations have no less than this to come to rest."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DrainTerms:
    """How long a server may take to leave, in seconds since it was asked to."""

    deadline_s: float = 20.0
    notice_s: float = 0.0
    """Part of it: how long the server listens on, unready, until nobody sends it anyone."""


def terms_within(whole_s: float, notice_s: float, ending_s: float) -> DrainTerms:
    """Terms by which a process that needs `ending_s` behind its drain has ended after `whole_s`. Pure.

    Conversations have at least `LEAST_SHARE` of it: where the whole is that short, the end may come later.
    """
    return DrainTerms(max(whole_s - CLOSING_S - CUTTING_S - ending_s, whole_s * LEAST_SHARE), notice_s)


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain came to, in connections."""

    present: int
    """When it began."""
    cut_short: int
    """Ended at the deadline or by a hurry, not at rest."""


class House(Protocol):
    """What a drain asks of a server: a `gateway.service.Service`."""

    @property
    def present(self) -> int:
        """Clients that were let in and have not left."""
        ...

    def begin_leaving(self) -> None:
        """Be unready, and let nobody in any more."""
        ...

    def take_leave(self, by_s: float, reason: str) -> None:
        """Tell each client, and end each connection at rest; `by_s`, of the loop's clock, is the deadline."""
        ...

    def leave(self, code: int, reason: str) -> None:
        """Ask every connection to end now."""
        ...

    def abort(self) -> None:
        """Cut every socket."""
        ...

    async def emptied(self) -> None:
        """Wait until nobody is present."""
        ...


async def drain(
    house: House, stop_listening: Callable[[], Awaitable[None]], terms: DrainTerms, hurry: asyncio.Event
) -> Drained:
    """Leave, in the order and by the times of this module; `hurry` ends it at once."""
    began_s = asyncio.get_running_loop().time()
    deadline_s = began_s + terms.deadline_s
    present = house.present
    house.begin_leaving()
    log.info("drain began", present=present, deadline_s=terms.deadline_s)

    await happens(hurry.wait(), by_s=min(began_s + terms.notice_s, deadline_s))
    await stop_listening()
    house.take_leave(deadline_s, REASON)

    await happens(either(house.emptied(), hurry.wait()), by_s=deadline_s)
    drained = Drained(present, cut_short=house.present)
    await end_now(house)
    log.info("drain ended", present=present, cut_short=drained.cut_short)
    return drained


async def end_now(house: House) -> None:
    """End every connection as it stands; over within `CLOSING_S` + `CUTTING_S`, whatever the clients do."""
    now = asyncio.get_running_loop().time
    house.leave(WSCloseCode.SERVICE_RESTART, REASON)
    if await happens(house.emptied(), by_s=now() + CLOSING_S):
        return
    house.abort()
    if not await happens(house.emptied(), by_s=now() + CUTTING_S):
        log.warning("connections did not end with their sockets", present=house.present)


async def happens(something: Coroutine[object, object, object], *, by_s: float) -> bool:
    """Wait for it; whether it came `by_s`, of the loop's clock."""
    try:
        async with asyncio.timeout_at(by_s):
            await something
    except TimeoutError:
        return False
    return True


async def either(one: Coroutine[object, object, object], other: Coroutine[object, object, object]) -> None:
    """Wait for the first of both; the other is cancelled."""
    waiting = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
