import asyncio
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from speakback.session import notices as n
from speakback.session.items import MessageItem
from speakback.session.waiting import (
    BEHIND_MS,
    CRAMMED_BYTES,
    CRAMMED_NOTICES,
    MOST_BYTES,
    MOST_NOTICES,
    Waiting,
    weight_bytes,
)
from speakback.turn.tables import Agent, Floor, User
from tests.session.scripted import PATIENCE_S


@dataclass
class Clock:
    now_ms: int = 1000

    def __call__(self) -> int:
        return self.now_ms


def waiting() -> tuple[Waiting, Clock]:
    clock = Clock()
    return Waiting(clock), clock


def started(number: int = 1) -> n.Notice:
    return n.UserSpeechStarted(f"item_{number}", 300)


def grew(delta: str, item_id: str = "item_1") -> n.ReplyTextGrew:
    return n.ReplyTextGrew("resp_1", item_id, 0, delta, speaks=False)


def audio(ms: int = 40) -> n.ReplyAudioSent:
    return n.ReplyAudioSent("resp_1", "item_1", 0, np.zeros(24 * ms, np.float32))


async def taken(notices: Waiting) -> list[n.Notice | None]:
    return [await notices.take() for _ in range(len(notices))]


async def test_what_is_put_is_taken_in_order() -> None:
    notices, _ = waiting()
    for number in range(3):
        notices.put(started(number))
    assert await taken(notices) == [started(0), started(1), started(2)]


async def test_taking_waits_and_may_be_cancelled() -> None:
    notices, _ = waiting()
    taking = asyncio.create_task(notices.take())
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.wait([taking])
    taking = asyncio.create_task(notices.take())
    await asyncio.sleep(0)
    notices.put(started())
    assert await taking == started()


async def test_once_closed_what_waits_is_taken_and_then_none_as_often_as_asked() -> None:
    notices, _ = waiting()
    notices.put(started(1))
    notices.close()
    notices.put(started(2))
    assert [await notices.take() for _ in range(3)] == [started(1), None, None]


async def test_closing_wakes_who_waits_for_a_notice() -> None:
    notices, _ = waiting()
    taking = asyncio.create_task(notices.take())
    await asyncio.sleep(0)
    notices.close()
    assert await taking is None


# ---- behind ---------------------------------------------------------------------------------------


async def test_a_client_is_behind_once_something_waits_too_long_and_until_nothing_waits() -> None:
    notices, clock = waiting()
    notices.put(started(1))
    clock.now_ms += BEHIND_MS
    notices.put(started(2))
    seen = [notices.is_behind]
    clock.now_ms += 1
    seen.append(notices.is_behind)
    for _ in range(2):
        await notices.take()
        seen.append(notices.is_behind)
    assert seen == [False, True, True, False]


async def test_nothing_that_waits_is_not_behind_however_long() -> None:
    notices, clock = waiting()
    notices.put(started())
    await notices.take()
    clock.now_ms += 60_000
    notices.put(started())
    assert not notices.is_behind


async def test_who_waits_for_it_learns_that_it_caught_up() -> None:
    notices, clock = waiting()
    await notices.caught_up()
    notices.put(started(1))
    notices.put(started(2))
    clock.now_ms += BEHIND_MS + 1
    waits = asyncio.create_task(notices.caught_up())
    await asyncio.sleep(0)
    await notices.take()
    await asyncio.sleep(0)
    assert not waits.done()
    await notices.take()
    async with asyncio.timeout(PATIENCE_S):
        await waits


async def test_deltas_are_told_one_by_one_to_a_client_that_is_in_time() -> None:
    notices, _ = waiting()
    notices.put(grew("One "))
    notices.put(grew("two "))
    assert len(notices) == 2


async def test_deltas_of_one_item_are_merged_for_a_client_that_is_behind() -> None:
    notices, clock = waiting()
    notices.put(started())
    clock.now_ms += BEHIND_MS + 1
    told: list[n.Notice] = [
        grew("One "),
        n.TranscriptGrew("item_u", "What "),
        grew("Uno ", "item_2"),
        grew("two "),
        n.TranscriptGrew("item_u", "time "),
        grew("three.", "item_1"),
    ]
    for notice in told:
        notices.put(notice)
    assert await taken(notices) == [
        started(),
        grew("One two three."),
        n.TranscriptGrew("item_u", "What time "),
        grew("Uno ", "item_2"),
    ]
    assert notices.weight_bytes == 0


def floor(audio_ms: int) -> n.FloorChanged:
    return n.FloorChanged(User.SILENT, Agent.IDLE, Floor.NOBODY, False, audio_ms)


async def test_every_change_of_the_floor_is_told_to_a_client_that_is_in_time() -> None:
    notices, _ = waiting()
    notices.put(floor(20))
    notices.put(floor(40))
    assert await taken(notices) == [floor(20), floor(40)]


async def test_a_client_that_is_behind_is_told_only_how_the_floor_stands_now() -> None:
    notices, clock = waiting()
    notices.put(floor(20))
    clock.now_ms += BEHIND_MS + 1
    for notice in (grew("One "), floor(40), grew("two "), floor(60)):
        notices.put(notice)
    assert await taken(notices) == [grew("One two "), floor(60)]
    assert notices.weight_bytes == 0


# ---- how much may wait ------------------------------------------------------------------------------


async def test_a_crammed_client_has_room_again_once_enough_is_taken() -> None:
    notices, _ = waiting()
    await notices.room()
    for number in range(CRAMMED_NOTICES + 1):
        notices.put(started(number))
    assert notices.is_crammed
    waits = asyncio.create_task(notices.room())
    await asyncio.sleep(0)
    assert not waits.done()
    await notices.take()
    async with asyncio.timeout(PATIENCE_S):
        await waits


def test_a_few_large_notices_are_as_much_as_many() -> None:
    notices, _ = waiting()
    notices.put(n.ItemAdded(MessageItem("item_1", "user", "x" * CRAMMED_BYTES, spoken=False), None))
    assert notices.is_crammed
    assert not notices.is_lost


@pytest.mark.parametrize("notice", [started(), audio(10_000)], ids=["many", "large"])
def test_what_waits_is_bounded_in_number_and_in_bytes(notice: n.Notice) -> None:
    notices, _ = waiting()
    while not notices.is_lost:
        notices.put(notice)
    assert len(notices) <= MOST_NOTICES + 1
    assert notices.weight_bytes <= MOST_BYTES + weight_bytes(notice)


@pytest.mark.parametrize(
    "make",
    [
        lambda: audio(40),
        lambda: grew("x" * random.randint(500, 510)),
        lambda: n.ItemAdded(MessageItem("item_1", "user", "x" * 10_000, spoken=False), None),
        lambda: n.Fault("code", "y" * 5000, by_client=False),
    ],
    ids=["audio", "delta", "item", "fault"],
)
def test_a_weight_is_about_what_a_notice_takes(make: Callable[[], n.Notice]) -> None:
    make()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [make() for _ in range(100)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    each = (after - before) / len(kept)
    assert 0.5 * each <= weight_bytes(kept[0]) <= 2 * each + 512
