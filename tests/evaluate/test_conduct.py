from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from speakback.evaluate.conduct import Conduct, ConductError, Service, pooled, pooled_service, resampled
from tests.evaluate.build import GOOD, TRACED


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: replace(GOOD, wasted_chars=-1), "wasted_chars is -1"),
        (lambda: replace(GOOD, replies_truncated=301), "replies_truncated .* more than replies"),
        (lambda: replace(GOOD, backchannels_that_stopped=101), "more than backchannels_heard"),
        (lambda: replace(GOOD, interruptions_yielded=51), "more than interruptions"),
        (lambda: replace(GOOD, turns_missed=301), "more than turns_committed"),
        (lambda: replace(GOOD, drafts_promoted=401), "more than drafts_started"),
    ],
)
def test_counts_that_cannot_be_are_refused(wrong: Callable[[], Conduct], message: str) -> None:
    with pytest.raises(ConductError, match=message):
        wrong()


@pytest.mark.parametrize("times_ms", [(300,) * 51, (-1,)])
def test_yield_times_that_cannot_be_are_refused(times_ms: tuple[int, ...]) -> None:
    with pytest.raises(ConductError, match="yield time"):
        replace(GOOD, yield_times_ms=times_ms)


def test_resampling_keeps_the_wholes_and_moves_the_parts() -> None:
    rng = np.random.default_rng(1)
    drawn = [resampled(GOOD, rng) for _ in range(200)]
    assert {conduct.interruptions for conduct in drawn} == {50}
    assert len({conduct.backchannels_that_stopped for conduct in drawn}) > 3
    assert np.mean([conduct.backchannels_that_stopped for conduct in drawn]) == pytest.approx(4, abs=0.5)


def test_resampling_nothing_is_nothing() -> None:
    nothing = replace(GOOD, interruptions=0, interruptions_yielded=0, yield_times_ms=())
    assert resampled(nothing, np.random.default_rng(1)).interruptions_yielded == 0


def test_what_a_server_shows_is_checked_and_drawn_as_well() -> None:
    with pytest.raises(ConductError, match="more than turns_committed"):
        replace(TRACED, turns_missed=13)
    rng = np.random.default_rng(1)
    drawn = [resampled(TRACED, rng) for _ in range(200)]
    assert all(type(service) is Service for service in drawn)
    assert np.mean([service.turns_missed for service in drawn]) == pytest.approx(3, abs=0.5)


def test_counts_of_several_conversations_add_up() -> None:
    assert pooled_service([TRACED, TRACED]).turns_missed == 6
    both = pooled([GOOD, GOOD], callers=7)
    assert (both.callers, both.replies, len(both.yield_times_ms)) == (7, 600, 98)
    assert pooled_service([GOOD, TRACED]) == replace(
        TRACED,
        **{name: getattr(GOOD, name) + getattr(TRACED, name) for name in (field.name for field in fields(Service))},
    )
