"""session/resuming.py: a conversation that is taken up elsewhere, at any moment of it. The clock is virtual."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.providers.engines import Engines
from speakback.providers.llm import ToolCall
from speakback.session import notices as n
from speakback.session.asking import resume_note
from speakback.session.driver import Session
from speakback.session.items import MessageItem, ToolCallItem
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.session.snapshot import Snapshot, from_json, to_json
from speakback.turn.left_open import Debt, Heard
from speakback.turn.strategies import strategy
from speakback.turn.tables import Agent, User
from speakback.turn.words import Repair
from tests.session.line import GRADED, SLOW_WORD_MS, on_the_line, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BACKCHANNEL,
    BRIEF,
    LONG,
    MANUAL,
    NOISE,
    QUESTION,
    Client,
    LevelStream,
    LevelVad,
    ScriptedLlm,
    ScriptedStt,
    living,
    reply_text,
    says,
    scripted,
    silence,
    sound,
    talking,
    user,
    utterance,
    writes,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])


def kept(client: Client) -> Snapshot:
    """The conversation as a store gives it back."""
    return from_json(to_json(client.session.snapshot()))


@asynccontextmanager
async def resumed(engines: Engines, before: Snapshot, settings: SessionSettings = BRIEF) -> AsyncIterator[Client]:
    """The conversation on another connection, for the `with` block."""
    session = Session(engines, settings, session_id=before.session_id, correlation_id="corr-2", resumed=before)
    async with living(session) as client:
        yield client


def messages(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Who said what, by the history."""
    return [(item.role, item.text) for item in snapshot.items if isinstance(item, MessageItem)]


async def said(client: Client) -> str:
    """The next reply, in the words of the history."""
    ended = await client.until(n.ReplyEnded)
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    return message.text


# ---- what is carried over ---------------------------------------------------------------------


async def test_the_history_is_what_the_model_sees_next() -> None:
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        assert await said(client) == "It is noon."
        before = kept(client)
    assert messages(before) == [("user", "What time is it?"), ("assistant", "It is noon.")]
    assert not before.owes_reply
    async with resumed(scripted(llm=llm), before) as client:
        client.session.append_audio(utterance(ANSWER))
        await said(client)
        assert [message.content for message in llm.prompts[-1].messages] == [
            "Be brief.", "What time is it?", "It is noon.", "Tell me more.",
        ]  # fmt: skip
        assert client.session.session_id == "sess_1"


async def test_ids_count_on() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyEnded)
        before = kept(client)
    async with resumed(scripted(), before) as client:
        fresh = client.session.new_id("item")
    assert before.last_id == 3
    assert fresh == "item_sess_1_4"


async def test_pauses_that_were_learned_are_kept() -> None:
    async with on_the_line(scripted()) as line:
        line.say(QUESTION, 400)
        line.pause(300)
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyEnded)
        before = kept(line.client)
    assert before.learned_pauses_ms
    async with resumed(scripted(), before) as client:
        assert client.session.snapshot().learned_pauses_ms == before.learned_pauses_ms


async def test_positions_in_the_users_audio_count_on() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(silence(1000))
        await asyncio.sleep(0.1)
        before = kept(client)
    assert before.heard_samples == 16_000
    async with resumed(scripted(), before) as client:
        client.session.append_audio(sound(QUESTION))
        began = await client.until(n.UserSpeechStarted)
    assert 960 <= began.audio_start_ms <= 1040


async def test_a_client_that_follows_the_floor_is_told_how_it_stands_by_the_same_media_time() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(silence(1000))
        await asyncio.sleep(0.1)
        before = kept(client)
    async with resumed(scripted(), before, replace(BRIEF, follows_floor=True)) as client:
        assert client.session.heard_ms == 1000
        change = await client.until(n.FloorChanged)
        assert (change.user, change.agent, change.audio_ms) == (User.SILENT, Agent.IDLE, 1000)
        client.session.append_audio(silence(240))
        assert client.session.heard_ms == 1240


async def test_a_snapshot_of_a_snapshot_is_the_same() -> None:
    async with talking(scripted(tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyEnded)
        before = kept(client)
    async with resumed(scripted(), before) as client:
        at_once = kept(client)
        await asyncio.sleep(0.1)
        later = kept(client)
    assert at_once == later == before


# ---- the agent was speaking -------------------------------------------------------------------


@pytest.mark.parametrize("heard_ms", [1, 250, 900, 1300, 2900])
async def test_the_rest_of_a_reply_joins_what_was_heard_of_it(heard_ms: int) -> None:
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(heard_ms)
        before = kept(client)
    heard = [text for role, text in messages(before) if role == "assistant"]
    assert before.owes_reply
    assert bool(heard) == (heard_ms >= SLOW_WORD_MS)
    llm = ScriptedLlm([says(LONG)])
    async with resumed(scripted(llm=llm, tts=slow_voice()), before) as client:
        rest = await said(client)
        after = kept(client)
    assert " ".join([*heard, rest]) == LONG, "no word is lost or said twice"
    assert len(llm.prompts) == (0 if heard else 1), "what was written is not written again"
    assert " ".join(text for role, text in messages(after) if role == "assistant") == LONG
    assert not after.owes_reply


async def test_a_reply_that_breaks_off_again_and_again_is_said_once() -> None:
    heard: list[str] = []
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(700)
        before = kept(client)
    for _ in range(3):
        async with resumed(scripted(llm=ScriptedLlm([]), tts=slow_voice()), before) as client:
            await client.until_heard(700)
            before = kept(client)
    async with resumed(scripted(llm=ScriptedLlm([]), tts=slow_voice()), before) as client:
        await said(client)
        heard = [text for role, text in messages(kept(client)) if role == "assistant"]
    assert len(heard) == 5
    assert " ".join(heard) == LONG


async def test_a_reply_that_was_not_written_to_its_end_is_written_on() -> None:
    stuck = asyncio.Event()

    async def slow(prompt: object):  # type: ignore[no-untyped-def]
        async for delta in says("One two three. Four five six.")(prompt):  # type: ignore[arg-type]
            yield delta
        await stuck.wait()

    async with talking(scripted(slow, tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(500)
        before = kept(client)
    llm = ScriptedLlm([says("And on.")])
    async with resumed(scripted(llm=llm), before) as client:
        assert await said(client) == "And on."
    assert llm.prompts[0].messages[-1].content == resume_note(before.rest.text)
    assert not before.rest.is_whole


async def test_of_a_reply_that_was_heard_to_its_end_nothing_is_owed() -> None:
    async with talking(scripted(says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(170)
        await asyncio.sleep(0.15)
        replies = client.session._replies
        assert replies.if_broken_off().heard in (Heard.ALL, Heard.NOTHING)
        before = kept(client)
    assert messages(before)[-1] == ("assistant", "It is noon.")
    assert not before.owes_reply


async def test_a_client_that_acknowledges_playback_loses_nothing_to_a_line_that_died_without_a_word() -> None:
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        sent = await client.until_heard(500)
        client.session.acknowledge_playback(sent.item_id, 420, 80)
        await client.until_heard(2000)
        before = kept(client)
    heard = messages(before)[-1][1].split()
    assert 3 <= len(heard) <= 5, "what was acknowledged, and not much more"
    async with resumed(scripted(llm=ScriptedLlm([]), tts=slow_voice()), before) as client:
        assert f"{' '.join(heard)} {await said(client)}" == LONG


async def test_a_written_reply_is_begun_anew() -> None:
    text_only = replace(BRIEF, speaks=False)
    stuck = asyncio.Event()

    async def slow(prompt: object):  # type: ignore[no-untyped-def]
        async for delta in says("One two")(prompt):  # type: ignore[arg-type]
            yield delta
        await stuck.wait()

    async with talking(scripted(slow), text_only) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyTextGrew)
        before = kept(client)
    assert messages(before) == [("user", "What time is it?")]
    async with resumed(scripted(says("One two three.")), before, text_only) as client:
        assert await said(client) == "One two three."


async def test_a_request_of_the_client_is_answered_as_it_was_asked() -> None:
    stuck = asyncio.Event()

    async def silent(prompt: object):  # type: ignore[no-untyped-def]
        await stuck.wait()
        yield

    async with talking(scripted(silent), MANUAL) as client:
        client.session.add_item(user("Hello."))
        client.session.request_reply(ReplyOptions(instructions="In verse.", metadata=(("verse", "1"),)))
        await client.until(n.ReplyBegan)
        before = kept(client)
    assert before.left_open.debt == Debt(None)
    llm = ScriptedLlm([says("Well.")])
    async with resumed(scripted(llm=llm), before, MANUAL) as client:
        ended = await client.until(n.ReplyEnded)
    assert ended.metadata == (("verse", "1"),)
    assert llm.prompts[0].messages[0].content == "In verse."


async def test_a_tool_that_runs_keeps_being_waited_for() -> None:
    async with talking(scripted(writes(ToolCall("call_1", "look", "{}")))) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyEnded)
        before = kept(client)
    assert before.left_open.waits_for_tool
    assert isinstance(before.items[-1], ToolCallItem)
    async with resumed(scripted(says("Done.")), before) as client:
        assert not client.session.is_at_rest
        client.session.request_reply(ReplyOptions())
        assert await said(client) == "Done."
        assert client.session.is_at_rest


# ---- the user was speaking, or waited ---------------------------------------------------------


@pytest.mark.parametrize("spoken_ms", [100, 400, 900, 5000])
async def test_a_turn_that_was_open_is_whole_after_the_break(spoken_ms: int) -> None:
    first, second = ScriptedStt(), ScriptedStt()
    async with talking(scripted(stt=first)) as client:
        client.session.append_audio(np.concatenate((silence(700), sound(QUESTION, spoken_ms))))
        await asyncio.sleep(0.2)
        before = kept(client)
    async with resumed(scripted(stt=second), before) as client:
        client.session.append_audio(utterance(QUESTION, 300))
        done = await client.until(n.TranscriptCompleted)
        assert await said(client) == "It is noon."
    assert done.audio_seconds == pytest.approx((spoken_ms + 300) / 1000, abs=0.08)
    assert len(client.all(n.TranscriptCompleted)) == 1


async def test_a_turn_whose_end_was_near_ends_by_the_clock() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(np.concatenate((sound(QUESTION), silence(300))))
        await asyncio.sleep(0.2)
        before = kept(client)
    async with resumed(scripted(), before) as client:
        assert await said(client) == "It is noon."


async def test_a_turn_that_was_being_read_is_read_again_and_answered_once() -> None:
    gate = asyncio.Event()
    async with talking(scripted(stt=ScriptedStt(gate=gate))) as client:
        client.session.append_audio(utterance(QUESTION, 700))
        committed = await client.until(n.InputBufferCommitted)
        before = kept(client)
    (awaited,) = before.awaited
    assert awaited.item_id == committed.item_id
    assert awaited.seconds == pytest.approx(0.7, abs=0.05)
    llm = ScriptedLlm([says("It is noon.")])
    async with resumed(scripted(llm=llm), before) as client:
        done = await client.until(n.TranscriptCompleted)
        assert await said(client) == "It is noon."
        after = kept(client)
    assert (done.item_id, done.text) == (committed.item_id, "What time is it?")
    assert done.audio_seconds == pytest.approx(0.7, abs=0.05)
    assert len(client.all(n.ReplyBegan)) == len(llm.prompts) == 1
    assert after.awaited == ()
    assert not after.owes_reply


async def test_turns_that_break_off_twice_while_they_are_read_are_not_lost() -> None:
    gate = asyncio.Event()
    async with talking(scripted(stt=ScriptedStt(gate=gate))) as client:
        client.session.append_audio(utterance(QUESTION, 700))
        await client.until(n.InputBufferCommitted)
        before = kept(client)
    async with resumed(scripted(stt=ScriptedStt(gate=gate)), before) as client:
        at_once = kept(client)
        await asyncio.sleep(0.1)
        later = kept(client)
    assert at_once.awaited == later.awaited == before.awaited
    assert at_once.left_open == before.left_open
    async with resumed(scripted(), later) as client:
        assert await said(client) == "It is noon."


async def test_a_turn_that_turns_out_to_hold_no_words_is_not_answered() -> None:
    gate = asyncio.Event()
    async with talking(scripted(stt=ScriptedStt(gate=gate))) as client:
        client.session.append_audio(utterance(QUESTION, 700))
        await client.until(n.InputBufferCommitted)
        before = kept(client)
    async with resumed(scripted(stt=ScriptedStt(texts={})), before) as client:
        await client.until(n.ItemDeleted)
        assert client.session.is_at_rest
    assert not client.all(n.ReplyBegan)


async def test_an_answer_that_nobody_heard_is_begun_anew() -> None:
    stuck = asyncio.Event()

    async def silent(prompt: object):  # type: ignore[no-untyped-def]
        await stuck.wait()
        yield

    async with talking(scripted(silent)) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyBegan)
        before = kept(client)
    assert before.left_open.debt is not None
    async with resumed(scripted(), before) as client:
        assert await said(client) == "It is noon."
        assert client.session.is_at_rest
    assert len(client.all(n.ReplyBegan)) == 1


async def test_who_was_speaking_over_the_agent_is_heard_first() -> None:
    async with talking(scripted(says(LONG), tts=slow_voice()), GRADED) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(1000)
        client.session.append_audio(sound(ANSWER, 200))
        await asyncio.sleep(0.05)
        before = kept(client)
    llm = ScriptedLlm([says("More of it.")])
    async with resumed(scripted(llm=llm), before, GRADED) as client:
        client.session.append_audio(utterance(ANSWER, 300))
        started = await client.until(n.UserSpeechStarted)
        assert await said(client) == "More of it."
        assert client.place(started) < client.place(client.all(n.ReplyBegan)[0])
    assert llm.prompts[0].messages[-1].content == "Tell me more."


class LateStream(LevelStream):
    """Its scores come when the agent could long have begun to speak, or never."""

    def __init__(self, on_score: Callable[[float], None], after_s: float | None) -> None:
        super().__init__(on_score, QUESTION / 2)
        self._after_s = after_s

    def push(self, frame_16k: Samples) -> None:
        if self._after_s is not None:
            asyncio.get_running_loop().call_later(self._after_s, super().push, frame_16k)


@dataclass
class LateVad(LevelVad):
    after_s: float | None = None

    def open_stream(self, on_score: Callable[[float], None]) -> LateStream:
        return LateStream(on_score, self.after_s)


@pytest.mark.parametrize(("after_s", "spoken_over"), [(1.0, False), (None, True)])
async def test_a_slow_ear_is_waited_for_but_not_for_ever(after_s: float | None, spoken_over: bool) -> None:
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(1000)
        client.session.append_audio(sound(ANSWER, 300))
        before = kept(client)
    assert before.left_open.debt is not None
    async with resumed(scripted(vad=LateVad(after_s=after_s)), before) as client:
        first = await client.until(n.ReplyBegan | n.UserSpeechStarted)  # type: ignore[arg-type]  # isinstance takes it
    assert isinstance(first, n.ReplyBegan) == spoken_over


async def test_a_listeners_word_does_not_cost_the_rest() -> None:
    async with talking(scripted(says(LONG), tts=slow_voice()), GRADED) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(1000)
        client.session.append_audio(sound(BACKCHANNEL, 200))
        await asyncio.sleep(0.05)
        before = kept(client)
    heard = messages(before)[-1][1]
    async with resumed(scripted(llm=ScriptedLlm([]), tts=slow_voice()), before, GRADED) as client:
        client.session.append_audio(silence(1000))
        rest = await said(client)
    assert f"{heard} {rest}" == LONG
    assert before.left_open.debt is not None
    assert before.left_open.debt.repair is Repair.RESUME


async def test_a_client_that_commits_its_turns_itself_loses_none_of_its_audio() -> None:
    stt = ScriptedStt()
    async with talking(scripted(), MANUAL) as client:
        client.session.append_audio(sound(QUESTION, 800))
        before = kept(client)
    async with resumed(scripted(stt=stt), before, MANUAL) as client:
        client.session.append_audio(sound(QUESTION, 200))
        client.session.commit_input()
        await client.until(n.TranscriptCompleted)
    assert len(stt.heard[-1]) == 16_000


async def test_audio_that_comes_in_a_burst_behind_a_long_turn_is_taken() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(sound(QUESTION, 20_000))
        await asyncio.sleep(0.2)
        before = kept(client)
    async with resumed(scripted(), before) as client:
        client.session.append_audio(sound(QUESTION, 25_000))
        client.session.append_audio(silence(1000))
        done = await client.until(n.TranscriptCompleted)
    assert done.audio_seconds == pytest.approx(45, abs=0.1)


# ---- taking one -------------------------------------------------------------------------------


async def test_a_snapshot_can_be_taken_at_any_moment() -> None:
    """Of a conversation with an interruption, a listener's word, a turn without words and drafts."""
    settings = replace(BRIEF, turn=strategy("overlap-aware"))
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), settings) as line:
        for level, ms in ((QUESTION, 500), (BACKCHANNEL, 200), (NOISE, 300), (ANSWER, 900), (QUESTION, 400)):
            line.say(level, ms)
            line.pause(1300)
        replies = 0
        while replies < 3:
            notice = await line.client.until(object)
            replies += isinstance(notice, n.ReplyEnded)
            snapshot = kept(line.client)
            assert snapshot.session_id == "sess_1"
            assert len({item.item_id for item in snapshot.items}) == len(snapshot.items)
            assert snapshot.first_sample >= 0
    assert line.client.all(n.OverlapJudged)


async def test_a_closed_session_gives_what_it_gave_before() -> None:
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(1000)
        before = client.session.snapshot()
    assert client.session.snapshot().left_open == before.left_open
    assert messages(client.session.snapshot()) == messages(before)


async def test_an_item_that_the_client_deleted_stays_deleted() -> None:
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        sent = await client.until_heard(1000)
        client.session.delete_item(sent.item_id)
        assert messages(kept(client)) == [("user", "What time is it?")]


async def test_a_resumed_session_is_not_at_rest_before_it_knows_what_it_owes() -> None:
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(1000)
        before = kept(client)
    async with resumed(scripted(), before) as client:
        assert not client.session.is_at_rest
        assert kept(client).left_open == before.left_open
        assert await said(client)
        assert client.session.is_at_rest


def level(audio: Samples) -> float:
    return float(np.abs(audio).max(initial=0.0))


async def test_what_was_heard_is_not_heard_as_a_second_turn() -> None:
    """The moment before speech that is kept must not hold the end of the turn before."""
    async with talking(scripted()) as client:
        client.session.append_audio(np.concatenate((sound(QUESTION), silence(520))))
        await client.until(n.ReplyEnded)
        before = kept(client)
    assert level(np.frombuffer(before.pcm16, "<i2").astype(np.float32)) == 0.0
    async with resumed(scripted(), before) as client:
        await asyncio.sleep(3)
        assert client.session.is_at_rest
    assert not client.all(n.UserSpeechStarted)


async def test_replies_after_the_break_speak_for_themselves() -> None:
    async with talking(scripted(says(LONG), tts=slow_voice())) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(1000)
        before = kept(client)
    async with resumed(scripted(), before) as client:
        rest = await client.until(n.ReplyEnded)
        assert reply_text(client.seen, rest.response_id) == before.rest.text
        await client.goes_on()
