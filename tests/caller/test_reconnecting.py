"""The caller whose line is lost: it takes the conversation up on another one, and what it said meanwhile is heard."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from speakback.audio.pcm import pcm16_from_samples
from speakback.caller.caller import Caller, calling
from speakback.caller.errors import CallError
from speakback.caller.reconnecting import FIRST_TRY_WITHIN_S, LONGEST_WAIT_S, PATIENCE_S, is_to_be_resumed, waits_s
from speakback.caller.record import timeline_of
from tests.caller.sounds import silence, tone
from tests.caller.stub import Line

WITHIN_S = 10.0
TOKENS = ("token-one", "token-two", "token-three")


@dataclass
class Restarting:
    """A server that plays its scripts, one for each line; between two it may refuse."""

    scripts: list["Script"]
    refusals: list[int] = field(default_factory=list)
    """HTTP statuses with which it answers first, when the caller comes back."""
    gives_tokens: int = len(TOKENS)
    """On so many lines, from the first on."""
    heard_ms: int = 0
    owes_reply: bool = False
    lines: list[Line] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)
    """Tokens that the caller presented."""

    async def realtime(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Speakback-Resume")
        self.shown.append(token)
        if token is not None and self.refusals:
            return web.Response(status=self.refusals.pop(0))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = Line(socket)
        self.lines.append(line)
        reading = asyncio.create_task(line.read())
        number = len(self.lines) - 1
        try:
            await line.send("session.created", session={"id": "sess_1"})
            if token is None:
                await line.until("session.update")
                await line.send("session.updated", session={"speakback": {"correlation_id": "corr-1"}})
            else:
                await line.send("speakback.resumed", items=2, owes_reply=self.owes_reply, heard_ms=self.heard_ms)
            if number < self.gives_tokens:
                await line.send("speakback.resume_token", token=TOKENS[number], expires_in_s=120.0)
            await self.scripts[number](line)
            await reading
        finally:
            reading.cancel()
        return socket


Script: TypeAlias = Callable[[Line], Awaitable[None]]


@asynccontextmanager
async def served(restarting: Restarting) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/v1/realtime", restarting.realtime)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1/realtime")).replace("http", "ws", 1)


async def stay(line: Line) -> None:
    """Only listens."""


def restarts(after_frames: int = 3, code: int = 1012) -> Script:
    async def close(line: Line) -> None:
        await line.until("input_audio_buffer.append", after_frames)
        await line.socket.close(code=code, message=b"the server restarts")

    return close


async def vanish(line: Line) -> None:
    """The wire is cut."""
    await line.until("input_audio_buffer.append", 3)
    assert line.socket._req is not None
    assert line.socket._req.transport is not None
    line.socket._req.transport.abort()


async def is_back(caller: Caller, times: int = 1) -> None:
    """Wait until it has taken the conversation up so often, and was heard since."""
    assert await caller.until(lambda: len(caller.record().lost_lines) == times, WITHIN_S)


async def ended(caller: Caller) -> None:
    """Wait for the call's end; it comes as an error."""
    await caller.until(lambda: False, WITHIN_S)
    pytest.fail("the call did not end")


# ---- when, and when not -----------------------------------------------------------------------


@pytest.mark.parametrize("loses", [restarts(), vanish], ids=["1012", "cut"])
async def test_a_lost_line_is_not_the_end_of_the_call(loses: Script) -> None:
    restarting = Restarting([loses, stay])
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller)
        await restarting.lines[1].until("input_audio_buffer.append", 3)
        await caller.say(tone(60))
        timeline = timeline_of(caller.record())
    assert restarting.shown == [None, TOKENS[0]]
    (outage,) = timeline.outages
    assert outage.close_code == (None if loses is vanish else 1012)
    assert outage.tries == 1
    assert outage.back_ms > outage.lost_ms > 0
    assert outage.unheard_ms == 0
    assert not timeline.errors


async def test_each_token_counts_once_and_the_newest_is_shown() -> None:
    restarting = Restarting([restarts(), restarts(), stay])
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller, times=2)
    assert restarting.shown == [None, TOKENS[0], TOKENS[1]]


async def test_a_token_is_shown_again_until_there_is_another() -> None:
    restarting = Restarting([restarts(), vanish, stay], gives_tokens=1)
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller, times=2)
    assert restarting.shown == [None, TOKENS[0], TOKENS[0]]


async def test_a_close_that_was_announced_is_no_end_whatever_its_code() -> None:
    async def go(line: Line) -> None:
        await line.send("speakback.goaway", deadline_ms=20_000, reason="the server restarts")
        await restarts(code=1001)(line)

    restarting = Restarting([go, stay])
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller)


@pytest.mark.parametrize("code", [1000, 1011])
async def test_other_closes_end_the_call(code: int) -> None:
    restarting = Restarting([restarts(code=code), stay])
    async with served(restarting) as url:
        with pytest.raises(CallError, match=f"close code {code}: the server restarts"):
            async with calling(url) as caller:
                await ended(caller)
    assert len(restarting.lines) == 1


async def test_without_a_token_a_restart_ends_the_call() -> None:
    async with served(Restarting([restarts(), stay], gives_tokens=0)) as url:
        with pytest.raises(CallError, match="close code 1012"):
            async with calling(url) as caller:
                await ended(caller)


async def test_a_server_that_is_busy_is_asked_again() -> None:
    restarting = Restarting([restarts(), stay], refusals=[503, 503])
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller)
        (outage,) = timeline_of(caller.record()).outages
    assert outage.tries == 3
    assert restarting.shown == [None, *[TOKENS[0]] * 3]


@pytest.mark.parametrize(("status", "why"), [(410, "cannot be taken up again"), (401, "API key"), (403, "refuses")])
async def test_a_refusal_is_said_plainly_and_the_token_is_not(status: int, why: str) -> None:
    restarting = Restarting([restarts(), stay], refusals=[status])
    async with served(restarting) as url:
        with pytest.raises(CallError, match=why) as refused:
            async with calling(url) as caller:
                await ended(caller)
    assert TOKENS[0] not in str(refused.value)


# ---- what is heard ----------------------------------------------------------------------------


def heard(lines: list[Line]) -> list[bytes]:
    """All frames that came in, on all lines."""
    return [
        b64decode(str(message["audio"]))
        for line in lines
        for message in line.received
        if message["type"] == "input_audio_buffer.append"
    ]


async def test_what_was_recorded_meanwhile_is_sent_and_what_was_not_heard_is_sent_again() -> None:
    before = 5

    async def lose(line: Line) -> None:
        await line.until("input_audio_buffer.append", before)
        assert line.socket._req is not None
        assert line.socket._req.transport is not None
        line.socket._req.transport.abort()

    # Of the frames that came in, the last one died with the server.
    restarting = Restarting([lose, stay], refusals=[503], heard_ms=(before - 1) * 20)
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller)
        await restarting.lines[1].until("input_audio_buffer.append", 30)
        record = caller.record()
    taken_in = heard(restarting.lines[:1])[: before - 1] + heard(restarting.lines[1:])
    recorded = [pcm16_from_samples(frame.audio_24k) for frame in record.frames]
    assert taken_in[:30] == recorded[:30], "none is missing, and none is twice"


async def test_what_waited_is_sent_faster_than_it_was_spoken() -> None:
    restarting = Restarting([restarts(), stay], refusals=[503, 503], heard_ms=60)
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller)
        (outage,) = timeline_of(caller.record()).outages
        missed = int((outage.back_ms - outage.lost_ms) // 20)
        await restarting.lines[1].until("input_audio_buffer.append", missed)
        frames = caller.record().frames
    late = [frame for frame in frames if outage.lost_ms < frame.spoken_ms < outage.back_ms - 40]
    assert len(late) >= 5
    assert late[-1].handed_ms - late[0].handed_ms < late[-1].spoken_ms - late[0].spoken_ms


async def test_saying_ends_once_it_was_handed_over() -> None:
    restarting = Restarting([restarts(after_frames=10), stay], heard_ms=200)
    async with served(restarting) as url, calling(url) as caller:
        await caller.say(tone(600))
        (spoken,) = timeline_of(caller.record()).user_speech
        (outage,) = timeline_of(caller.record()).outages
    assert spoken.spoken.start_ms < outage.back_ms < spoken.last_handed_ms


# ---- the gap ----------------------------------------------------------------------------------


async def test_a_reply_that_was_cut_goes_on_and_the_gap_is_told() -> None:
    async def cut(line: Line) -> None:
        await line.send("response.created", response={"id": "r1"})
        await line.send_audio(tone(60), "i1", "r1")
        await restarts()(line)

    async def go_on(line: Line) -> None:
        await line.reply(tone(200), response_id="r2")

    restarting = Restarting([cut, go_on], owes_reply=True)
    async with served(restarting) as url, calling(url) as caller:
        await is_back(caller)
        assert await caller.until_quiet(100, WITHIN_S)
        timeline = timeline_of(caller.record())
    (outage,) = timeline.outages
    first, second = (turn.reply for turn in timeline.turns)
    assert (first.status, first.reason) == ("incomplete", "line_lost")
    assert second.status == "completed"
    assert outage.unheard_ms is not None
    starts = [stretch.start_samples / 24 for stretch in caller.record().stretches]
    ends = [stretch.end_samples / 24 for stretch in caller.record().stretches]
    assert outage.unheard_ms == pytest.approx(starts[-1] - max(ends[0], outage.lost_ms), abs=1)


async def test_the_line_is_not_quiet_while_there_is_none_or_a_reply_is_owed() -> None:
    speak = asyncio.Event()

    async def speak_later(line: Line) -> None:
        await speak.wait()
        await line.reply(silence(20))

    restarting = Restarting([restarts(), speak_later], owes_reply=True, refusals=[503])
    async with served(restarting) as url, calling(url) as caller:
        assert not await caller.until(lambda: bool(caller.record().lost_lines) and caller.quiet_ms() > 0, 1.0)
        speak.set()
        assert await caller.until_quiet(50, WITHIN_S)


# ---- pure -------------------------------------------------------------------------------------


def test_which_ends_are_none() -> None:
    assert is_to_be_resumed(None, was_told=False)
    assert is_to_be_resumed(1012, was_told=False)
    assert is_to_be_resumed(1000, was_told=True)
    assert not is_to_be_resumed(1000, was_told=False)
    assert not is_to_be_resumed(1013, was_told=False)


def test_waits_grow_are_spread_and_end() -> None:
    some, others = list(waits_s(Random(1))), list(waits_s(Random(2)))
    assert 0 < some[0] <= FIRST_TRY_WITHIN_S
    assert some[0] != others[0]
    assert some[1] < some[2] < some[3] < some[4] <= LONGEST_WAIT_S
    assert PATIENCE_S <= sum(some[1:]) < PATIENCE_S + LONGEST_WAIT_S
