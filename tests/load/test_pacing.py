"""The clock of all callers."""

import asyncio
from dataclasses import dataclass, field

from speakback.caller.pacing import FRAME_MS
from speakback.load.pacing import SLOT_MS, PacingClock


@dataclass(eq=False)
class Speaker:
    at_ms: list[float] = field(default_factory=list)

    def send_frame(self, at_ms: float) -> None:
        self.at_ms.append(at_ms)


@dataclass
class Time:
    """A clock that stands still until it is moved on."""

    ms: float = 0.0
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self) -> float:
        self.looked.set()
        return self.ms


async def ticked(clock: PacingClock, time: Time, until_ms: float, stride_ms: float) -> None:
    """Let the clock run while time goes on in strides, however long its sleeps are in truth."""
    running = asyncio.create_task(clock.run())
    while time.ms < until_ms:
        time.looked.clear()
        await time.looked.wait()
        time.ms += stride_ms
    running.cancel()
    await asyncio.wait([running])


async def test_every_caller_speaks_once_in_each_frame() -> None:
    time = Time()
    clock = PacingClock(time)
    speakers = [Speaker() for _ in range(25)]
    for speaker in speakers:
        clock.join(speaker)
    await ticked(clock, time, 10 * FRAME_MS, SLOT_MS)
    assert {len(speaker.at_ms) for speaker in speakers} == {10}
    assert all(
        later - earlier == FRAME_MS
        for speaker in speakers
        for earlier, later in zip(speaker.at_ms, speaker.at_ms[1:], strict=False)
    )


async def test_callers_are_spread_over_the_frame() -> None:
    time = Time()
    clock = PacingClock(time)
    speakers = [Speaker() for _ in range(FRAME_MS // SLOT_MS)]
    for speaker in speakers:
        clock.join(speaker)
    await ticked(clock, time, FRAME_MS, SLOT_MS)
    assert [speaker.at_ms[0] for speaker in speakers] == list(range(0, FRAME_MS, SLOT_MS))


async def test_who_leaves_is_not_called_any_more() -> None:
    time = Time()
    clock = PacingClock(time)
    stays, leaves = Speaker(), Speaker()
    clock.join(stays)
    clock.join(leaves)
    await ticked(clock, time, 3 * FRAME_MS, SLOT_MS)
    said = len(leaves.at_ms)
    clock.leave(leaves)
    clock.leave(Speaker())
    await ticked(clock, time, 6 * FRAME_MS, SLOT_MS)
    assert len(leaves.at_ms) == said
    assert len(stays.at_ms) > said


async def test_a_clock_that_was_held_up_sends_all_that_was_due_and_says_so() -> None:
    time = Time()
    clock = PacingClock(time)
    speaker = Speaker()
    clock.join(speaker)
    await ticked(clock, time, 300, 100)
    assert len(speaker.at_ms) >= 200 // FRAME_MS
    late, woken = clock.frames_late.percentiles(), clock.loop_late.percentiles()
    assert late is not None
    assert woken is not None
    assert late.worst >= 80
    assert woken.worst >= 80
