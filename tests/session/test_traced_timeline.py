"""The timeline of a live session's trace is what went over its line."""

import asyncio
from collections.abc import Iterable

import numpy as np
import pytest
import structlog

from speakback.audio.pcm import Samples
from speakback.evaluate.from_trace import timeline_of
from speakback.evaluate.timeline import Ipu, Kind
from speakback.session import notices as n
from speakback.session.driver import Session
from speakback.timebase import VOICE_HZ, samples_to_ms
from speakback.turn.actions import Action
from speakback.turn.config import TurnConfig
from speakback.turn.events import Event
from speakback.turn.trace_format import Step, anonymous
from tests.session.line import BLOCK_MS, GRADED, Line, slow_voice
from tests.session.scripted import BACKCHANNEL, HALT, LONG, Client, says, scripted

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

FRAME_MS = 32
AHEAD_MS = 80
"""So far ahead of real time the agent's audio is sent, at most."""


class Collected:
    """A trace that is kept in memory, as it would be in its file."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.start_ms = 0

    def begin(
        self, strategy: TurnConfig, learned_pauses_ms: tuple[int, ...], start_ms: int, log: structlog.stdlib.BoundLogger
    ) -> "Collected":
        self.start_ms = start_ms
        return self

    def record(
        self, now_ms: int, event: Event | TurnConfig | None, actions: Iterable[Action], due_ms: int | None
    ) -> None:
        self.steps.append(anonymous(Step(now_ms, event, tuple(actions), due_ms), self.start_ms))

    def close(self) -> None:
        pass


class NotedLine(Line):
    """Notes when each block with voice in it was spoken."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.voiced_ms: list[int] = []
        """Ends of such blocks."""

    def next_block(self) -> Samples:
        block = super().next_block()
        if np.abs(block).max() > 0:
            self.voiced_ms.append(round(asyncio.get_running_loop().time() * 1000))
        return block

    def spoken_ms(self, since_ms: int) -> list[tuple[int, int]]:
        """The stretches of speech, counted from then."""
        stretches: list[tuple[int, int]] = []
        for end_ms in (at_ms - since_ms for at_ms in self.voiced_ms):
            if stretches and end_ms - BLOCK_MS == stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], end_ms)
            else:
                stretches.append((end_ms - BLOCK_MS, end_ms))
        return stretches


def near(ipu: Ipu, stretch_ms: tuple[int, int], tolerance_ms: int) -> bool:
    return abs(ipu.start_ms - stretch_ms[0]) <= tolerance_ms and abs(ipu.end_ms - stretch_ms[1]) <= tolerance_ms


async def test_who_spoke_when_is_in_the_trace() -> None:
    trace = Collected()
    engines = scripted(says(LONG), says("It is noon."), tts=slow_voice())
    session = Session(engines, GRADED, session_id="sess_1", correlation_id="corr-1", begin_trace=trace.begin)
    client = Client(session)
    line = NotedLine(client)
    running, sending = asyncio.create_task(session.run()), asyncio.create_task(line.run())
    await line.asks()
    line.say(BACKCHANNEL, 300)
    await client.until_heard(1200)
    line.say(HALT, 600)
    await client.until(n.ReplyEnded, lambda ended: ended.status == "cancelled")
    await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    sending.cancel()
    session.close()
    await asyncio.wait([running, sending])

    timeline = timeline_of(trace.steps)
    spoken_ms = line.spoken_ms(trace.start_ms)
    assert len(spoken_ms) == len(timeline.user) == 3
    assert all(near(ipu, stretch, FRAME_MS) for ipu, stretch in zip(timeline.user, spoken_ms, strict=True))
    assert [ipu.kind for ipu in timeline.user] == [Kind.SPEECH, Kind.BACKCHANNEL, Kind.SPEECH]

    interrupted, answer = sounding_ms(client, trace.start_ms)
    assert near(timeline.agent[0], (interrupted[0], timeline.agent[0].end_ms), 0)
    assert near(timeline.agent[-1], answer, AHEAD_MS)
    last = max(ipu.end_ms for ipu in timeline.agent[:-1])
    assert interrupted[1] - AHEAD_MS <= last <= interrupted[1]
    assert spoken_ms[2][0] < last < spoken_ms[2][1]


def sounding_ms(client: Client, since_ms: int) -> list[tuple[int, int]]:
    """From its first message to the end of its last one, each reply."""
    replies: dict[str, tuple[int, int]] = {}
    for sent in client.all(n.ReplyAudioSent):
        at_ms = client.at_ms(sent) - since_ms
        start_ms, end_ms = replies.get(sent.response_id, (at_ms, at_ms))
        replies[sent.response_id] = start_ms, max(end_ms, at_ms) + samples_to_ms(len(sent.audio_24k), VOICE_HZ)
    return list(replies.values())
