import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

import pytest

from speakback.audio.line import USUAL, Line
from speakback.audio.speech import SpeechChunk
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, ToolCall
from speakback.session import notices as n
from speakback.session.latency import TurnMarks
from speakback.session.reply import AUDIO_AHEAD_SAMPLES, CLAUSES_AHEAD, Reply, ReplyPlan, ReplyReports
from speakback.session.waiting import Waiting
from speakback.timebase import VOICE_HZ, ReplyId, samples_to_ms
from tests.session.scripted import (
    PATIENCE_S,
    WORD_MS,
    LlmScript,
    ScriptedLlm,
    ScriptedTts,
    llm_failure,
    says,
    sent_samples,
    writes,
)

PROMPT = Prompt((Message("user", "What time is it?"),))


@dataclass
class Told:
    """A reply, and what it told its session and when."""

    llm: ScriptedLlm
    tts: ScriptedTts
    reply: Reply = field(init=False)
    notices: list[n.Notice] = field(default_factory=list)
    sent_at_ms: list[int] = field(default_factory=list)
    signs: list[str] = field(default_factory=list)
    new: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, notice: n.Notice) -> None:
        self.notices.append(notice)
        if isinstance(notice, n.ReplyAudioSent):
            self.sent_at_ms.append(now_ms())
        self.new.set()

    def begin_message(self) -> str | None:
        self.signs.append("began")
        return "item_before"

    def audio(self) -> list[n.ReplyAudioSent]:
        return [notice for notice in self.notices if isinstance(notice, n.ReplyAudioSent)]

    async def until_sent(self, ms: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while samples_to_ms(sent_samples(self.notices), VOICE_HZ) < ms:
                self.new.clear()
                await self.new.wait()


def now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


def reply_of(
    script: LlmScript,
    *,
    speaks: bool = True,
    prompt: Prompt | None = PROMPT,
    tts: ScriptedTts | None = None,
    is_draft: bool = False,
    performs_audio_tags: bool = False,
    waiting: Waiting | None = None,
) -> Told:
    told = Told(ScriptedLlm([script]), tts or ScriptedTts())
    plan = ReplyPlan(
        ReplyId(1),
        "resp_1",
        "item_1",
        prompt,
        "Sorry about that.",
        speaks,
        is_draft=is_draft,
        keeps_audio_tags=performs_audio_tags,
    )
    reports = ReplyReports(
        notice=told.take,
        played=lambda audio: None,
        began_message=told.begin_message,
        audible=lambda: told.signs.append("audible"),
        progressed=lambda: told.signs.append("progressed"),
        now_ms=now_ms,
        waiting=Waiting(now_ms) if waiting is None else waiting,
    )
    told.reply = Reply(plan, told.llm, told.tts, TurnMarks(), reports, Line())
    return told


async def stop(told: Told, running: "asyncio.Task[None]", fade_ms: int = 20) -> None:
    """As `Replies.cut` does it."""
    running.cancel()
    told.reply.cut(fade_ms, 0)
    await asyncio.wait([running])


async def test_messages_go_out_in_real_time_and_never_further_ahead() -> None:
    told = reply_of(says("One two three four five six seven eight."))
    await told.reply.run()
    ended_ms = now_ms()
    first_ms = told.sent_at_ms[0]
    sent_ms = 0
    for at_ms, notice in zip(told.sent_at_ms, told.audio(), strict=True):
        sent_ms += samples_to_ms(len(notice.audio_24k), VOICE_HZ)
        assert sent_ms - (at_ms - first_ms) <= USUAL.lead_ms + 2, "two readings of a clock in whole milliseconds"
    assert sent_ms == 8 * WORD_MS
    assert ended_ms - first_ms >= sent_ms - 1
    assert told.reply.ledger.heard_text(ended_ms) == "One two three four five six seven eight."


async def test_the_message_begins_once_and_before_its_words_and_sound() -> None:
    told = reply_of(says("One two. Three four."))
    await told.reply.run()
    began = next(notice for notice in told.notices if not isinstance(notice, n.ReplyPlanned))
    assert isinstance(began, n.ReplyMessageBegan)
    assert began.previous_item_id == "item_before"
    assert told.signs.count("began") == told.signs.count("audible") == 1
    deltas = [notice.delta for notice in told.notices if isinstance(notice, n.ReplyTextGrew)]
    assert "".join(deltas) == "One two. Three four."


async def test_the_marks_are_made_in_order() -> None:
    told = reply_of(says("One two. Three four."))
    await told.reply.run()
    marks = told.reply.marks
    reached = (
        marks.reply_started_ms,
        marks.first_token_ms,
        marks.first_clause_ms,
        marks.first_audio_ms,
        marks.first_sent_ms,
    )
    known = [mark for mark in reached if mark is not None]
    assert len(known) == 5
    assert known == sorted(known)


async def test_speech_begins_before_the_model_has_ended() -> None:
    end = asyncio.Event()

    async def slow(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        yield TextDelta("One two three. ")
        yield TextDelta("Four")
        await end.wait()
        yield TextDelta(" five.")

    told = reply_of(slow)
    running = asyncio.create_task(told.reply.run())
    await told.until_sent(2 * WORD_MS)
    end.set()
    await running
    assert told.tts.clauses == ["One two three.", "Four five."]


async def test_slow_tokens_leave_a_gap_and_lose_nothing() -> None:
    said = asyncio.Event()

    async def slow(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        yield TextDelta("One two. ")
        yield TextDelta("Three")
        await said.wait()
        yield TextDelta(" four.")

    told = reply_of(slow)
    running = asyncio.create_task(told.reply.run())
    await told.until_sent(2 * WORD_MS)
    said.set()
    await running
    assert samples_to_ms(sent_samples(told.notices), VOICE_HZ) == 4 * WORD_MS


async def test_a_reply_without_end_is_held_to_what_the_listener_can_take() -> None:
    written = 0

    async def endless(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        nonlocal written
        while True:
            written += 1
            yield TextDelta("One two three four five. ")
            await asyncio.sleep(0)

    told = reply_of(endless)
    running = asyncio.create_task(told.reply.run())
    await told.until_sent(400)
    ledger = told.reply.ledger
    clause_samples = 5 * WORD_MS * VOICE_HZ // 1000
    assert ledger.generated_samples - ledger.sent_samples <= AUDIO_AHEAD_SAMPLES + 2 * clause_samples
    assert written <= ledger.generated_samples // clause_samples + CLAUSES_AHEAD + 4
    await stop(told, running)
    assert told.llm.under_way == 0


async def test_a_cut_sends_its_fade_at_once_and_nothing_after_it() -> None:
    told = reply_of(says("One two three four five six seven eight."))
    running = asyncio.create_task(told.reply.run())
    await told.until_sent(200)
    before = sent_samples(told.notices)
    await stop(told, running)
    assert running.cancelled()
    assert samples_to_ms(sent_samples(told.notices) - before, VOICE_HZ) == 20
    assert told.llm.under_way == 0


@pytest.mark.parametrize("speaks", [True, False])
async def test_a_cut_before_anything_was_said_says_nothing(speaks: bool) -> None:
    never = asyncio.Event()

    async def thinks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        await never.wait()
        yield TextDelta("Never said.")

    told = reply_of(thinks, speaks=speaks)
    running = asyncio.create_task(told.reply.run())
    await asyncio.sleep(0)
    await stop(told, running)
    assert told.notices == []
    assert not told.reply.outcome.message_began


async def test_a_text_reply_streams_its_words() -> None:
    told = reply_of(says("It is **noon**."), speaks=False)
    await told.reply.run()
    deltas = [notice.delta for notice in told.notices if isinstance(notice, n.ReplyTextGrew)]
    assert len(deltas) > 1
    assert "".join(deltas).strip() == "It is noon."
    assert told.reply.heard_item(finished=True).text == "It is noon."
    assert told.signs == ["progressed", "began"]


async def test_a_reply_of_tool_calls_only_opens_no_message() -> None:
    told = reply_of(writes(ToolCall("call_1", "clock", "{}"), ToolCall("call_2", "clock", "{}")))
    await told.reply.run()
    assert [call.call_id for call in told.reply.outcome.tool_calls] == ["call_1", "call_2"]
    assert told.notices == []


async def test_without_a_prompt_the_fixed_text_is_spoken() -> None:
    told = reply_of(says("Never said."), prompt=None)
    await told.reply.run()
    assert told.reply.ledger.text_sent() == "Sorry about that."
    assert told.llm.prompts == []


@pytest.mark.parametrize(
    ("script", "tts", "role"),
    [
        (writes(llm_failure()), ScriptedTts(), "llm"),
        (writes(TextDelta("One two. "), llm_failure()), ScriptedTts(), "llm"),
        (writes(), ScriptedTts(), "llm"),
        (writes(TextDelta("  \n")), ScriptedTts(), "llm"),
        (says("One two."), ScriptedTts(failure=ProviderError("tts", "scripted", "is not there")), "tts"),
        (says("One two."), ScriptedTts(mute=True), "tts"),
    ],
    ids=["model at start", "model in mid-reply", "no word", "only space", "voice", "mute voice"],
)
async def test_a_failure_of_a_part_ends_the_reply_and_names_the_role(
    script: LlmScript, tts: ScriptedTts, role: str
) -> None:
    told = reply_of(script, tts=tts)
    with pytest.raises(ExceptionGroup) as caught:
        await told.reply.run()
    (problem,) = caught.value.exceptions
    assert isinstance(problem, ProviderError)
    assert problem.role == role
    assert told.llm.under_way == 0


async def test_an_endless_word_in_one_delta_leaves_the_loop_to_others() -> None:
    told = reply_of(says("a" * 200_000))
    running = asyncio.create_task(told.reply.run())
    async with asyncio.timeout(PATIENCE_S):
        await told.until_sent(40)  # it speaks, and this coroutine still runs
    await stop(told, running)


def with_places(places: asyncio.Semaphore, script: LlmScript) -> LlmScript:
    """A model that writes only so many replies at once."""

    async def write(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        async with places:
            async for delta in script(prompt):
                yield delta

    return write


@dataclass
class TellingTts(ScriptedTts):
    """A voice that tells of each clause that it began."""

    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        async for chunk in super().speak(clauses):
            self.begun.release()
            yield chunk


async def test_drafts_that_wait_keep_nobody_from_the_model() -> None:
    script = with_places(asyncio.Semaphore(4), says("It is noon in Rome today. The sun stands high above the town."))
    voice = TellingTts()
    drafts = [reply_of(script, is_draft=True, tts=voice) for _ in range(4)]
    waiting = [asyncio.create_task(draft.reply.run()) for draft in drafts]
    async with asyncio.timeout(PATIENCE_S):
        for _ in drafts:
            await voice.begun.acquire()
        fifth = reply_of(script)
        await fifth.reply.run()
    assert fifth.signs.count("audible") == 1
    assert not any(task.done() for task in waiting)
    assert [draft.notices for draft in drafts] == [[]] * 4
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_audio_tags_reach_a_voice_that_performs_them_and_are_no_words_of_the_reply() -> None:
    told = reply_of(says("Oh wow. [laughs out loud] Yes."), performs_audio_tags=True)
    await told.reply.run()
    assert " ".join(told.tts.clauses) == "Oh wow. [laughs out loud] Yes."
    assert told.reply.unsaid_text("Oh wow.") == "Yes."


async def test_a_plain_voice_is_given_no_brackets() -> None:
    told = reply_of(says("Oh wow. [laughs] Yes."))
    await told.reply.run()
    assert "[" not in " ".join(told.tts.clauses)
