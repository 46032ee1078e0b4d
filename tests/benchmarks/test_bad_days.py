"""Sessions, chains and adapters as they are, on days when everything goes wrong at random. Here a short one."""

import pytest

from benchmarks.bad_days import Aftermath, Weather, unmatched, weathered
from benchmarks.random_call import End, how_it_ended
from speakback.emulators.profiles import ZERO
from speakback.providers.adapters.elevenlabs.flash import WARM_SOCKETS
from speakback.providers.adapters.elevenlabs.options import Patience
from speakback.session import notices as n


def check(came: Aftermath, turns: int) -> None:
    """No stuck turn, nothing left, every failure told."""
    assert [oddity for course in came.courses for oddity in course.oddities] == []
    assert came.ends.total() == turns
    assert came.crashes == ()
    assert came.unrecorded == []
    left = came.left
    assert (left.requests, left.contexts_in_use, left.tasks) == (0, 0, 0)
    assert left.sockets_of_voice <= WARM_SOCKETS
    assert (left.tasks_at_end, left.sockets_at_end, left.threads_at_end) == (0, 0, 0)


@pytest.mark.timeout(90)
async def test_turns_of_random_faults() -> None:
    patience = Patience(first_audio_s=1.0, final_s=0.5, keep_alive_s=1.0)
    weather = Weather(turns=60, at_once=30, profile=ZERO, patience=patience, last_patience_ms=1_000)
    came = await weathered(weather)
    check(came, 60)
    assert came.ends[End.AUDIO]
    assert came.raised


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_thousand_turns_of_random_faults(seed: int) -> None:
    check(await weathered(Weather(seed=seed)), 1000)


def test_each_reason_tells_of_one_failure() -> None:
    assert unmatched(["a failed", "a failed"], ["a failed; b is asked"]) == ["a failed"]
    assert unmatched(["a failed", "a failed (request 1)"], ["so: a failed (request 1)", "a failed; so"]) == []


def ended(status: n.ReplyStatus, reason: n.StatusReason | None = None) -> n.ReplyEnded:
    return n.ReplyEnded("r", status, reason, (), None, True, ())


@pytest.mark.parametrize(
    ("seen", "end"),
    [
        ([ended("completed")], End.AUDIO),
        ([ended("failed", "provider_failed"), ended("completed")], End.APOLOGY),
        ([n.TranscriptFailed("i", "failed"), ended("completed")], End.APOLOGY),
        ([ended("failed", "provider_failed"), ended("failed", "provider_failed")], End.ERROR),
        ([ended("cancelled", "client_cancelled")], End.CANCELLED),
        ([ended("cancelled", "turn_detected"), n.TranscriptCompleted("i", "", 1.0, None)], End.NO_WORDS),
        ([n.TranscriptCompleted("i", "Hello.", 1.0, None)], End.SILENT),
        ([], End.SILENT),
    ],
)
def test_how_a_turn_ended(seen: list[n.Notice], end: End) -> None:
    assert how_it_ended(seen) is end
