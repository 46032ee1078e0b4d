"""The microphone's clock: absolute, never in bursts, and honest about falling behind."""

from speakback.caller.pacing import FRAME_MS, MAX_BEHIND_MS, MIN_APART_MS, Pacer


def hand_over(pacer: Pacer, frames: int, late_ms: float = 0.0) -> list[float]:
    """Hand over frames, each `late_ms` after it is due; when that was."""
    moments = []
    for _ in range(frames):
        moments.append(pacer.due_ms() + late_ms)
        pacer.sent(moments[-1])
    return moments


def test_a_frame_is_due_when_it_is_full() -> None:
    assert Pacer(1000.0).due_ms() == 1000.0 + FRAME_MS


def test_small_delays_do_not_add_up() -> None:
    pacer = Pacer(0.0)
    hand_over(pacer, 500, late_ms=3.0)
    assert pacer.due_ms() == 501 * FRAME_MS
    assert pacer.slipped_ms == 0.0


def test_what_is_late_catches_up_without_a_burst() -> None:
    pacer = Pacer(0.0)
    hand_over(pacer, 1, late_ms=150.0)
    moments = hand_over(pacer, 20)
    apart = [after - before for before, after in zip(moments, moments[1:], strict=False)]
    assert min(apart) == MIN_APART_MS
    assert moments[-1] == 21 * FRAME_MS
    assert pacer.slipped_ms == 0.0


def test_far_behind_the_call_goes_on_from_now() -> None:
    pacer = Pacer(0.0)
    hand_over(pacer, 1, late_ms=MAX_BEHIND_MS + 50)
    assert pacer.slipped_ms == MAX_BEHIND_MS + 50
    assert pacer.due_ms() == 2 * FRAME_MS + MAX_BEHIND_MS + 50


def test_a_frame_is_spoken_in_the_time_before_it_is_due() -> None:
    pacer = Pacer(0.0)
    hand_over(pacer, 3)
    assert pacer.spoken_ms() == 3 * FRAME_MS
