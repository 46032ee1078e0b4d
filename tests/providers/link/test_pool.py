"""The pool, with sockets that are only said to be open."""

import asyncio
from random import Random

import pytest

from speakback.providers.link.backoff import Backoff
from speakback.providers.link.failures import LinkError, LinkRefused, LinkUnreachable
from speakback.providers.link.pool import Pool, PoolTerms
from tests.providers.link.servers import own_tasks


class Socket:
    """Bears `room` uses at a time."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.uses = 0
        self.lost = False
        self.stale = False
        self.closed = asyncio.Event()
        self.was_of_use = True

    @property
    def is_ready(self) -> bool:
        return not self.lost and not self.stale and self.uses < self.room

    @property
    def is_spent(self) -> bool:
        return self.lost

    @property
    def is_unused(self) -> bool:
        return self.uses == 0

    async def aclose(self) -> None:
        self.closed.set()


class Service:
    """Opens sockets, one after the other; `opened` tells of each."""

    def __init__(self, room: int = 2, ready: int = 1, look_s: float = 60.0) -> None:
        self.opened: asyncio.Queue[Socket] = asyncio.Queue()
        self.attempts = 0
        self.second_attempt = asyncio.Event()
        self.failing = False
        self.failure: LinkError = LinkUnreachable("nobody there")
        self.gate = asyncio.Event()
        self.gate.set()
        self._room = room
        terms = PoolTerms(ready, room, look_s, Backoff(0.001, 0.002))
        self.pool: Pool[Socket] = Pool(self._open, terms, Random(1))

    async def _open(self) -> Socket:
        self.attempts += 1
        if self.attempts == 2:
            self.second_attempt.set()
        await self.gate.wait()
        if self.failing:
            raise self.failure
        socket = Socket(self._room)
        self.opened.put_nowait(socket)
        return socket

    async def use(self) -> Socket:
        socket = await self.pool.take()
        socket.uses += 1
        self.pool.changed()
        return socket


async def test_gotcha_21_what_was_warmed_is_there_at_once_and_shared() -> None:
    service = Service()
    await service.pool.warm()
    socket = service.opened.get_nowait()
    assert [await service.use() for _ in range(2)] == [socket, socket]
    await service.pool.aclose()
    assert socket.closed.is_set()


async def test_the_next_is_opened_before_it_is_needed() -> None:
    service = Service()
    await service.pool.warm()
    first = await service.opened.get()
    await service.use()
    await service.use()
    second = await service.opened.get()
    assert await service.use() is second
    assert first is not second
    await service.pool.aclose()
    assert own_tasks() == set()


async def test_those_in_use_are_counted() -> None:
    service = Service(room=1)
    used = [await service.use(), await service.use()]
    assert service.pool.sockets_in_use == 2
    used[0].uses = 0
    assert service.pool.sockets_in_use == 1
    await service.pool.aclose()


async def test_a_lost_one_is_replaced_without_being_asked() -> None:
    service = Service()
    await service.pool.warm()
    first = await service.opened.get()
    first.lost = True
    service.pool.changed()
    await service.opened.get()
    await first.closed.wait()
    assert service.pool.open_sockets == 1
    await service.pool.aclose()


async def test_gotcha_10_a_stale_one_is_not_handed_out_and_is_replaced() -> None:
    service = Service()
    await service.pool.warm()
    first = await service.opened.get()
    first.stale = True
    assert await service.use() is not first
    await first.closed.wait()
    await service.pool.aclose()


async def test_those_who_wait_share_what_is_opened_as_far_as_it_has_room() -> None:
    service = Service(room=2)
    service.gate.clear()
    waiting = [asyncio.create_task(service.pool.take()) for _ in range(3)]
    await service.second_attempt.wait()
    service.gate.set()
    sockets = await asyncio.gather(*waiting)
    assert sockets[0] is sockets[1] is not sockets[2]
    await service.pool.aclose()


async def test_giving_up_the_wait_does_not_end_the_attempt_of_others() -> None:
    service = Service(room=2)
    service.gate.clear()
    first, second = (asyncio.create_task(service.pool.take()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    service.gate.set()
    assert (await second).is_ready
    await service.pool.aclose()


async def test_while_it_cannot_be_reached_calls_fail_at_once_and_it_is_tried_on() -> None:
    service = Service()
    service.failing = True
    with pytest.raises(LinkError):
        await service.pool.warm()
    service.gate.clear()
    with pytest.raises(LinkUnreachable):
        await service.pool.take()
    service.failing = False
    service.gate.set()
    assert (await service.opened.get()).is_ready
    assert (await service.use()).is_ready
    await service.pool.aclose()


async def test_a_refusal_is_asked_for_anew() -> None:
    service = Service()
    service.failure = LinkRefused(429, b"", {})
    service.failing = True
    with pytest.raises(LinkRefused):
        await service.pool.warm()
    service.failing = False
    assert (await service.use()).is_ready
    await service.pool.aclose()


async def test_a_service_that_hangs_up_at_once_is_not_knocked_at_without_end() -> None:
    service = Service()
    waits: list[int] = []

    class Counting(Backoff):
        def wait_s(self, failures: int, rng: Random) -> float:
            waits.append(failures)
            return 0.0

    service.pool = Pool(service._open, PoolTerms(1, 1, 60.0, Counting()), Random(1))
    await service.pool.warm()
    for _ in range(3):
        socket = await service.opened.get()
        socket.was_of_use = False
        socket.lost = True
        service.pool.changed()
    await service.opened.get()
    assert waits[:3] == [1, 2, 3]
    await service.pool.aclose()


async def test_what_is_more_than_needed_is_closed() -> None:
    service = Service(room=1, ready=1, look_s=0.01)
    used = await service.use()
    sockets = [await service.opened.get() for _ in range(2)]
    assert used in sockets
    used.uses = 0
    closed = [asyncio.create_task(socket.closed.wait()) for socket in sockets]
    _, pending = await asyncio.wait(closed, return_when=asyncio.FIRST_COMPLETED)
    assert len(pending) == 1
    assert service.pool.open_sockets == 1
    await service.pool.aclose()


async def test_at_rest_nothing_is_opened() -> None:
    service = Service()
    await service.pool.warm()
    first = await service.opened.get()
    service.pool.rest()
    first.lost = True
    service.pool.changed()
    await first.closed.wait()
    assert own_tasks() <= {"pool-closing"}
    assert service.attempts == 1
    await service.pool.aclose()


async def test_after_the_end_nothing_is_opened() -> None:
    service = Service()
    await service.pool.aclose()
    with pytest.raises(LinkUnreachable, match="closed"):
        await service.pool.take()
    assert own_tasks() == set()
