"""A conversation moves from one server to another on the same port: no turn is lost, and no word is said twice.

Everything is real but the models: two servers, the store between them, the drain, and the caller that reconnects.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from blockbuster import BlockBuster

from benchmarks.scripted_workers import CountingLlm, reply_to
from speakback.caller.caller import Caller, calling
from speakback.caller.record import timeline_of
from speakback.caller.timeline import Timeline
from speakback.config import Settings
from speakback.gateway.drain import Drained, DrainTerms, drain
from speakback.gateway.opening import sessions_on
from speakback.gateway.resume.file import FileStore
from speakback.gateway.resume.resumption import Resumption
from speakback.gateway.resume.store import ResumeStore
from speakback.gateway.service import Service
from speakback.gateway.serving import Doors, opened
from speakback.gateway.terms import terms_of
from tests.caller.sounds import tone
from tests.session.scripted import QUESTION, TEXTS, ScriptedStt, ScriptedTts, scripted

pytestmark = pytest.mark.timeout(60)

WITHIN_S = 15.0
KEPT_S = 60.0
WORD_MS = 120
TURN_MS = 1500


@dataclass
class Running:
    """One of the servers."""

    service: Service
    doors: Doors
    stt: ScriptedStt

    async def leave(self, deadline_s: float) -> Drained:
        return await drain(self.service, self.doors.close, DrainTerms(deadline_s), asyncio.Event())


@asynccontextmanager
async def server(store: ResumeStore, port: int = 0) -> AsyncIterator[Running]:
    """A server that keeps its conversations in `store`, on a port that it shares."""
    service, stt = Service(terms_of(Settings())), ScriptedStt()
    service.resumption = Resumption(store, KEPT_S, service.metrics)
    async with opened(service, "127.0.0.1", port, shares_port=True) as doors:
        service.become_ready(sessions_on(scripted(llm=CountingLlm(), tts=ScriptedTts(word_ms=WORD_MS), stt=stt)))
        yield Running(service, doors, stt)
    await service.resumption.aclose()


@asynccontextmanager
async def on_the_line(folder: Path, guard: BlockBuster) -> AsyncIterator[tuple[Running, Running, Caller]]:
    """A caller at the first of two servers, on whose port there is then the second as well."""
    guard.deactivate()  # what a server does before it listens may block
    here, there = FileStore(folder, KEPT_S), FileStore(folder, KEPT_S)
    guard.activate()
    async with server(here) as first:
        url = f"{first.doors.address.replace('http', 'ws', 1)}/v1/realtime"
        async with calling(url) as caller, server(there, int(first.doors.address.rsplit(":", 1)[1])) as second:
            yield first, second, caller


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    private = tmp_path / "kept"
    private.mkdir(mode=0o700)
    return private


def words_heard(timeline: Timeline) -> list[str]:
    """All words of the agent, in order, as the caller was told of them."""
    return [word for turn in timeline.turns for word in turn.reply.text.replace(".", "").split()]


async def test_the_agents_turn_is_finished_before_the_conversation_moves(
    folder: Path, blockbuster: BlockBuster
) -> None:
    async with on_the_line(folder, blockbuster) as (first, _, caller):
        await caller.say(tone(TURN_MS, QUESTION))
        assert await caller.until_agent_spoke(200, WITHIN_S)
        assert await first.leave(deadline_s=60.0) == Drained(present=1, cut_short=0)
        assert await caller.until(lambda: len(caller.record().lost_lines) == 1, WITHIN_S)
        await caller.say(tone(TURN_MS, QUESTION))
        assert await caller.until_answered(200, WITHIN_S)
        timeline = timeline_of(caller.record())
    assert words_heard(timeline) == [*reply_to(1), *reply_to(2)]
    assert [turn.reply.status for turn in timeline.turns] == ["completed"] * 2
    (outage,) = timeline.outages
    assert (outage.close_code, outage.unheard_ms) == (1012, 0.0)
    assert not timeline.errors


@pytest.mark.slow
async def test_a_reply_that_is_cut_at_the_deadline_goes_on_with_the_next_word(
    folder: Path, blockbuster: BlockBuster
) -> None:
    async with on_the_line(folder, blockbuster) as (first, _, caller):
        await caller.say(tone(TURN_MS, QUESTION))
        assert await caller.until_agent_spoke(500, WITHIN_S)
        assert await first.leave(deadline_s=0.01) == Drained(present=1, cut_short=1)
        assert await caller.until(lambda: len(caller.record().lost_lines) == 1, WITHIN_S)
        assert await caller.until_quiet(200, WITHIN_S)
        timeline = timeline_of(caller.record())
    before, after = (turn.reply.text.replace(".", "").split() for turn in timeline.turns)
    expected = list(reply_to(1))
    assert before == expected[: len(before)]
    assert after == expected[-len(after) :]
    # The word that was in the air when the line was cut may be said again, from its beginning.
    assert 0 <= len(before) + len(after) - len(expected) <= 1
    (outage,) = timeline.outages
    assert outage.unheard_ms is not None


@pytest.mark.slow
async def test_a_user_who_speaks_across_the_move_is_heard_whole_and_answered_once(
    folder: Path, blockbuster: BlockBuster
) -> None:
    async with on_the_line(folder, blockbuster) as (first, second, caller):
        saying = asyncio.create_task(caller.say(tone(TURN_MS, QUESTION)))
        assert await caller.until(lambda: caller.log.is_busy, WITHIN_S), "the turn was noticed"
        await first.leave(deadline_s=0.01)
        await saying
        assert await caller.until_answered(200, WITHIN_S)
        timeline = timeline_of(caller.record())
    assert words_heard(timeline) == list(reply_to(1))
    assert max(len(audio) for audio in second.stt.heard) >= TURN_MS * 16
    assert [turn.text for turn in timeline.user_turns if turn.text] == [TEXTS[QUESTION]]


@pytest.mark.slow
async def test_a_turn_that_was_over_and_not_answered_is_answered_elsewhere(
    folder: Path, blockbuster: BlockBuster
) -> None:
    async with on_the_line(folder, blockbuster) as (first, _, caller):
        first.stt.gate = asyncio.Event()  # its transcript does not come
        await caller.say(tone(TURN_MS, QUESTION))
        assert await caller.until(lambda: any(turn.end_audio_ms for turn in caller.log.user_turns), WITHIN_S)
        await first.leave(deadline_s=0.01)
        assert await caller.until_answered(200, WITHIN_S)
        timeline = timeline_of(caller.record())
    assert words_heard(timeline) == list(reply_to(1))
