"""gateway/seats.py, and `why_full` in gateway/admission.py."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from speakback.gateway.admission import (
    ANY_LOAD,
    ASSUMED_BYTES,
    ASSUMED_CPU_SHARE,
    KNOWN_FROM,
    RETRY_AFTER_S,
    Full,
    LoadLimits,
    Taken,
    lowered,
    reserve_of,
    turned_away_for,
    why_full,
)
from speakback.gateway.seats import NoRoom, Seats
from speakback.observe.load import CPU_INTERVALS, Load
from speakback.observe.loop_lag import LagFigures
from speakback.observe.processor import CpuShares

LIMITS = LoadLimits(loop_lag_ms=50, queue_wait_ms=250, cpu_share=0.8, memory_bytes=1e9, joins=5)
FEW = Taken(seats=4, total=100, unmeasured=0, just_given=0)


def load(
    interval: int = 1,
    *,
    lag_ms: float = 0,
    wait_ms: float = 0,
    loop: float = 0,
    process: float = 0,
    machine: float = 0,
    resident: int | None = None,
) -> Load:
    return Load(
        interval, LagFigures(0, lag_ms, 9999), wait_ms, CpuShares(loop, process, machine), resident, 2_000_000_000
    )


# ---- the decision ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "reason"),
    [
        (load(), None),
        (load(lag_ms=50), None),
        (load(lag_ms=51), "loop_lag"),
        (load(wait_ms=251), "queue_wait"),
        (load(loop=0.81), "cpu"),
        (load(process=0.81), "cpu"),
        (load(machine=1.0), None),
        (load(resident=1_000_000_001), "memory"),
    ],
)
def test_a_session_is_refused_beyond_a_limit(present: Load, reason: Full | None) -> None:
    assert why_full(present, LIMITS, FEW) == reason


def test_a_single_stall_refuses_nobody() -> None:
    assert load(lag_ms=0).lag.p99_ms > LIMITS.loop_lag_ms
    assert why_full(load(), LIMITS, FEW) is None


def test_whatever_the_load_a_server_without_sessions_lets_one_in() -> None:
    busy = load(lag_ms=5000, wait_ms=5000, loop=1, process=1)
    assert why_full(busy, LIMITS, replace(FEW, seats=0)) is None
    assert why_full(busy, LIMITS, FEW) is not None
    assert why_full(load(resident=2_000_000_000), LIMITS, replace(FEW, seats=0)) == "memory"


def test_beside_other_workers_what_the_whole_machine_does_counts() -> None:
    """Each of four that take a fifth of all cores sees a fifth only of itself."""
    present = load(process=0.2, machine=0.81)
    assert why_full(present, LIMITS, FEW) is None
    assert why_full(present, replace(LIMITS, workers=4), FEW) == "cpu"
    untold = replace(present, cpu=replace(present.cpu, machine=None))
    assert why_full(untold, replace(LIMITS, workers=4), FEW) is None


def test_workers_share_the_memory_there_is() -> None:
    two = replace(ANY_LOAD, workers=2)
    assert why_full(load(resident=900_000_001), two, FEW) == "memory"
    assert why_full(load(resident=899_999_999), two, FEW) is None
    assert why_full(load(resident=900_000_001), replace(two, memory_bytes=1e9), FEW) is None, "what is set is for each"


def test_all_seats_are_taken() -> None:
    assert why_full(load(), ANY_LOAD, Taken(2, 2, 0, 0)) == "sessions"
    assert why_full(load(), ANY_LOAD, Taken(1, 2, 0, 0)) is None


def test_no_more_than_so_many_join_between_two_measurements() -> None:
    assert why_full(load(), LIMITS, replace(FEW, just_given=4)) is None
    assert why_full(load(), LIMITS, replace(FEW, just_given=5)) == "joining"


def test_those_who_are_not_measured_yet_count_with_an_assumed_cost() -> None:
    room = round((LIMITS.cpu_share - 0.5) / ASSUMED_CPU_SHARE)
    new = replace(FEW, seats=room + 4, unmeasured=room - 2)
    assert why_full(load(loop=0.5), LIMITS, new) is None
    assert why_full(load(loop=0.5), LIMITS, replace(new, unmeasured=room + 1)) == "cpu"
    assert why_full(load(resident=int(1e9) - 5 * ASSUMED_BYTES), LIMITS, replace(FEW, unmeasured=4)) is None
    assert why_full(load(resident=int(1e9) - 5 * ASSUMED_BYTES), LIMITS, replace(FEW, unmeasured=6)) == "memory"


def test_and_with_what_the_others_cost_where_that_is_known_to_be_more() -> None:
    """Ten sessions at 0.05 each: with the two that just came, and the one that knocks, it would be 0.65."""
    taken = Taken(seats=12, total=100, unmeasured=2, just_given=0)
    assert why_full(load(loop=0.5), replace(LIMITS, cpu_share=0.66), taken) is None
    assert why_full(load(loop=0.5), replace(LIMITS, cpu_share=0.64), taken) == "cpu"
    few = Taken(seats=KNOWN_FROM - 1, total=100, unmeasured=0, just_given=0)
    assert why_full(load(loop=0.5), replace(LIMITS, cpu_share=0.52), few) is None, "too few tell nothing"


def test_memory_has_a_limit_also_where_none_is_set() -> None:
    assert why_full(load(resident=1_800_000_001), ANY_LOAD, FEW) == "memory"
    assert why_full(load(resident=1_799_999_999), ANY_LOAD, FEW) is None
    assert why_full(replace(load(resident=10**12), usable_bytes=None), ANY_LOAD, FEW) is None


def test_a_limit_of_a_whole_core_is_none() -> None:
    assert why_full(load(loop=1.0, process=1.0), replace(LIMITS, cpu_share=1.0), FEW) is None
    assert lowered(replace(LIMITS, cpu_share=1.0)).cpu_share == 1


def test_clients_are_told_when_to_come_again_and_nothing_of_what_is_within() -> None:
    for reason, (first_s, last_s) in RETRY_AFTER_S.items():
        refusal = turned_away_for(reason)
        assert refusal.status == 503
        assert refusal.wait_s == (first_s, last_s)
        assert 0 < first_s < last_s, "or those who were refused together come back together"
        assert refusal.code in ("too_many_sessions", "server_busy")
        assert not any(word in refusal.message for word in ("cpu", "loop", "lag", "queue", "memory"))


# ---- the seats ------------------------------------------------------------------------------------


def refused(seats: Seats, *, comes_back: bool = False) -> Full:
    with pytest.raises(NoRoom) as problem, seats.seat(comes_back=comes_back):
        pass
    return problem.value.reason


def test_a_seat_is_given_back_whatever_happens_in_it() -> None:
    seats = Seats(1)

    def fail_in_the_only_seat() -> None:
        with seats.seat():
            assert refused(seats) == "sessions"
            assert seats.taken == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail_in_the_only_seat()
    assert seats.taken == 0


def test_who_joins_counts_as_new_until_all_that_is_averaged_knows_of_it() -> None:
    limits = replace(LIMITS, cpu_share=0.5, joins=1000)
    seats = Seats(1000, limits)
    with ExitStack() as present:
        for _ in range(50):
            present.enter_context(seats.seat())
        assert refused(seats) == "cpu", "fifty at an assumed 0.01 are all that a limit of 0.5 bears"
        for interval in range(1, CPU_INTERVALS):
            seats.measured(load(interval, loop=0.1))
            assert refused(seats) == "cpu", "the average still holds moments without them"
        seats.measured(load(CPU_INTERVALS, loop=0.1))
        assert seats.why_full() is None


def test_joins_are_counted_anew_after_each_measurement() -> None:
    seats = Seats(100, replace(LIMITS, joins=2))
    with seats.seat(), seats.seat():
        assert refused(seats) == "joining"
        seats.measured(load())
        with seats.seat():
            assert seats.taken == 3


def test_a_seat_given_back_at_once_still_counts_as_a_join() -> None:
    seats = Seats(100, replace(LIMITS, joins=2))
    with seats.seat():
        with seats.seat():
            pass
        assert refused(seats) == "joining"


def test_it_does_not_waver() -> None:
    """Refused above the limit, and until the load is a fifth below it."""
    seats = Seats(100, LIMITS)
    with seats.seat():
        found = []
        for interval, lag_ms in enumerate((49, 51, 49, 45, 41, 39, 49, 51), 1):
            seats.measured(load(interval, lag_ms=lag_ms))
            found.append(seats.why_full() is None)
        assert found == [True, False, False, False, False, True, True, False]


def test_what_changes_is_logged_once() -> None:
    seats = Seats(100, LIMITS)
    with seats.seat(), capture_logs() as lines:
        for interval, loop in enumerate((0.9, 0.95, 0.9, 0.1, 0.2), 1):
            seats.measured(load(interval, loop=loop))
    assert [line["event"] for line in lines] == ["new sessions are refused", "new sessions are admitted again"]
    assert lines[0]["reason"] == "cpu"
    assert lines[0]["loop_cpu_share"] == 0.9


def test_a_full_house_is_no_overload() -> None:
    seats = Seats(1, LIMITS)
    with seats.seat(), capture_logs() as lines:
        seats.measured(load())
        assert seats.why_full() == "sessions"
    assert not lines


def test_who_comes_back_is_let_in_before_strangers() -> None:
    seats = Seats(2, LIMITS)
    with seats.seat(), seats.seat():
        assert refused(seats) == "sessions"
        with seats.seat(comes_back=True):
            assert refused(seats, comes_back=True) == "sessions", "the reserve is one seat here"


def test_the_reserve_is_a_tenth_and_at_least_one() -> None:
    assert [reserve_of(total) for total in (1, 10, 64, 200)] == [1, 1, 6, 20]


def test_who_comes_back_is_refused_at_a_higher_load_only() -> None:
    seats = Seats(100, LIMITS)
    with seats.seat():
        seats.measured(load(1, lag_ms=60, wait_ms=300, loop=0.85))
        assert refused(seats) == "loop_lag"
        with seats.seat(comes_back=True):
            pass
        seats.measured(load(2, lag_ms=101))
        assert refused(seats, comes_back=True) == "loop_lag"


def test_who_is_turned_away_before_its_conversation_began_is_no_join() -> None:
    seats = Seats(100, replace(LIMITS, joins=2))
    with seats.seat():
        for _ in range(10):
            with seats.seat(comes_back=True) as seat:
                seat.turned_away()
        with seats.seat():
            assert refused(seats) == "joining"


def test_and_is_taken_back_from_the_interval_in_which_it_came() -> None:
    limits = replace(LIMITS, cpu_share=0.05, joins=1000)
    seats = Seats(1000, limits)
    with ExitStack() as present:
        for _ in range(3):
            present.enter_context(seats.seat())
        with seats.seat(comes_back=True) as seat:
            seats.measured(load())
            present.enter_context(seats.seat())
            seat.turned_away()
        assert list(seats._given) == [3, 1]
        with seats.seat() as seat:
            for interval in range(CPU_INTERVALS):
                seats.measured(load(interval))
            seat.turned_away()
        assert sum(seats._given) == 0, "so long ago that it counts no more"
