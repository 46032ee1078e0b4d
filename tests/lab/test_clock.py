"""Virtual time."""

import pytest

from speakback.lab.clock import Clock, Timer


def test_things_happen_in_the_order_of_their_times_and_then_of_their_scheduling() -> None:
    clock, seen = Clock(), list[tuple[int, int]]()
    for when_ms, number in ((20, 1), (10, 2), (20, 3), (10, 4)):
        clock.at(when_ms, lambda n: seen.append((clock.now_ms, n)), number)
    while clock.next_ms is not None:
        clock.step()
    assert seen == [(10, 2), (10, 4), (20, 1), (20, 3)]


def test_what_is_scheduled_in_the_past_happens_now() -> None:
    clock, seen = Clock(), list[int]()
    clock.at(50, lambda _: clock.at(10, lambda _: seen.append(clock.now_ms)))
    clock.step()
    clock.step()
    assert seen == [50]


def test_nothing_is_left_to_happen() -> None:
    with pytest.raises(IndexError):
        Clock().step()


def test_a_timer_rings_once_at_its_latest_setting() -> None:
    clock, seen = Clock(), list[int]()
    timer = Timer(clock)
    timer.set(10, lambda: seen.append(1))
    timer.set(30, lambda: seen.append(clock.now_ms))
    while clock.next_ms is not None:
        clock.step()
    assert seen == [30]
    assert not timer.is_set


def test_a_cancelled_timer_does_not_ring() -> None:
    clock, seen = Clock(), list[int]()
    timer = Timer(clock)
    timer.set(10, lambda: seen.append(1))
    timer.cancel()
    clock.step()
    assert seen == []
