"""One reply: the model's words become clauses, the clauses speech, the speech messages in real time.

A reply is one task; `run` ends when the reply was played to its end. It is cancelled in one place
(`Replies.cut`), and `Replies.settle` then writes what was heard of it. Nothing of a reply outlives it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from speakback.audio.line import Line
from speakback.audio.pcm import Samples
from speakback.audio.playout import Outgoing, PlayoutLedger
from speakback.observe.population import task_name
from speakback.providers.audio_tags import without_tags
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LanguageModel, LlmDelta, Prompt, TextDelta, ToolCall, Usage
from speakback.providers.tts import TextToSpeech
from speakback.providers.urgency import Purpose, Urgency, urgent
from speakback.session.chunker import ClauseChunker
from speakback.session.items import MessageItem
from speakback.session.latency import TurnMarks
from speakback.session.notices import (
    Notice,
    ReplyAudioSent,
    ReplyMessageBegan,
    ReplyPlanned,
    ReplyTextGrew,
)
from speakback.session.speakable import SpeakableText
from speakback.session.waiting import Waiting
from speakback.timebase import VOICE_HZ, ReplyId

CLAUSES_AHEAD = 64
"""Clauses the model may be ahead of the voice before it must wait; more than any reply within its token limit."""
AUDIO_AHEAD_SAMPLES = 6 * VOICE_HZ
"""Audio the voice may be ahead of the listener before it waits: a reply that is cut short has wasted little."""
FIRST_CLAUSE_PATIENCE_MS = 250
"""How long after its first token a model may take to complete a first clause, before a shorter one is spoken."""
AUDIO_RUNS_OUT_MS = 400
"""With less audio than this in hand, a clause that is not whole is spoken rather than silence."""
DRAFTED_CLAUSES = 1
"""What a draft gives to the voice before it is released: enough to begin to speak at once, and little to waste."""
PROGRESS_EVERY_MS = 1000
PIECE_CHARACTERS = 200
"""More text than this in one delta is taken in pieces, with others' work in between: cutting it into clauses costs
more than its length."""


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What a reply is to be."""

    reply_id: ReplyId
    response_id: str
    item_id: str
    prompt: Prompt | None
    """None: speak `text` instead of asking the model."""
    text: str
    speaks: bool
    metadata: tuple[tuple[str, str], ...] = ()
    keeps_audio_tags: bool = False
    """See `Engines.performs_audio_tags`."""
    is_draft: bool = False
    """Nothing of it is told or played, and only its first clause is voiced, until `Reply.release`. The model writes on
    meanwhile: it would anyway, as services send and llama.cpp writes unasked, and so it is done with the sooner."""


@dataclass(frozen=True, slots=True)
class ReplyReports:
    """What a reply tells its session while it runs; all called on the event loop."""

    notice: Callable[[Notice], None]
    played: Callable[[Samples], None]
    """Audio at 24 kHz goes to the client now."""
    began_message: Callable[[], str | None]
    """Puts the message into the history; returns the id of the item before it."""
    audible: Callable[[], None]
    progressed: Callable[[], None]
    now_ms: Callable[[], int]
    waiting: Waiting
    """What waits to be told to the client, which may read too slowly."""


@dataclass(slots=True)
class ReplyOutcome:
    """What came of a reply so far."""

    text: str = ""
    """All that was to be said or written."""
    message_began: bool = False
    tool_calls: list[ToolCall] = field(default_factory=list)
    usage: Usage | None = None
    is_written: bool = False
    """Whether the model came to its end."""
    tokens: int = 0
    """Pieces of text the model gave: one token each, or close to it. They are read as they are written, also in a
    draft; what a model writes in the moment between being told to stop and stopping is not in it."""
    voiced_characters: int = 0
    """Given to the voice."""


class Reply:
    """A reply under way."""

    def __init__(
        self,
        plan: ReplyPlan,
        llm: LanguageModel,
        tts: TextToSpeech,
        marks: TurnMarks,
        reports: ReplyReports,
        line: Line,
    ) -> None:
        self.plan = plan
        self.marks = marks
        self.ledger = PlayoutLedger(line)
        self.outcome = ReplyOutcome()
        self.is_ducked = False
        """Whether its voice is lowered."""
        self._llm = llm
        self._tts = tts
        self._reports = reports
        self._clauses: asyncio.Queue[str | None] = asyncio.Queue(CLAUSES_AHEAD)
        self._more_audio = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._clauses_put = 0
        self._clauses_taken = 0
        self._clauses_spoken = 0
        self._untold_clauses: list[str] = []
        """What a draft gave to the voice: at most `DRAFTED_CLAUSES`, told when it is released."""
        self._untold_text = ""
        """What was written for reading and not told yet; bounded as `outcome.text` is, by the model's token limit."""
        self._is_cut = False
        self._progressed_ms = 0
        self._words_sent = False
        self._released = asyncio.Event()
        if not plan.is_draft:
            self._released.set()
        self._is_for = Purpose(self._urgency())
        """What its models' work is for, at present."""

    async def run(self) -> None:
        """Make the reply and play it to its end. Raises an `ExceptionGroup` of what its parts raised."""
        self.marks.reply_started_ms = self._reports.now_ms()
        with urgent(self._is_for):
            await self._run_parts()

    async def _run_parts(self) -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._write(), name=task_name("Reply._write"))
            if self.plan.speaks:
                parts.create_task(self._speak(), name=task_name("Reply._speak"))
                parts.create_task(self._play(), name=task_name("Reply._play"))

    def release(self, turn: TurnMarks) -> None:
        """A draft becomes the reply to the turn that these marks are of."""
        self.marks.take_turn(turn)
        self._released.set()
        for clause in self._untold_clauses:
            self._tell_clause(clause)
        self._untold_clauses.clear()
        self._is_for.become(self._urgency())

    def cut(self, fade_ms: int, word_within_ms: int) -> None:
        """Fall silent, at a word's end if one is near, and drop the rest; the caller has cancelled the task."""
        self._is_cut = True
        if self.plan.speaks:
            self._send(self.ledger.cut(fade_ms, word_within_ms, self._reports.now_ms()))

    def hold(self, fade_ms: int, word_within_ms: int) -> None:
        """Fall silent, at a word's end if one is near; the model and the voice work on."""
        self._send(self.ledger.hold(fade_ms, word_within_ms, self._reports.now_ms()))

    def resume(self) -> None:
        """Go on after `hold`, with the word that it cut, at the full level."""
        self.is_ducked = False
        self.ledger.resume()
        self._more_audio.set()

    def set_ducked(self, ducked: bool) -> None:
        """Lower the voice, or raise it to its full level again."""
        self.is_ducked = ducked
        if ducked:
            self.ledger.duck()
        else:
            self.ledger.restore()

    def unsaid_text(self, heard: str) -> str:
        """What the model wrote behind the words that were `heard`."""
        return " ".join(without_tags(self.outcome.text).split()[len(heard.split()) :])

    def heard_item(self, *, finished: bool, surely: bool = False) -> MessageItem:
        """The reply's message as it belongs in the history: what was heard, or the whole text where none speaks.

        `surely`: by a client whose connection may have died without a word.
        """
        now_ms = self._reports.now_ms()
        heard_ms = self.ledger.surely_played_ms(now_ms) if surely else now_ms
        return self._item(self.ledger.heard_text(heard_ms), finished=finished)

    def played_out_item(self) -> MessageItem:
        """The same, should nothing more be sent, and the client play out what it has."""
        return self._item(self.ledger.text_to_be_heard(), finished=False)

    def _item(self, heard: str, *, finished: bool) -> MessageItem:
        return MessageItem(
            item_id=self.plan.item_id,
            role="assistant",
            text=heard if self.plan.speaks else self.outcome.text.strip(),
            spoken=self.plan.speaks,
            status="completed" if finished else "incomplete",
        )

    # ---- the three parts ----------------------------------------------------------------------

    async def _write(self) -> None:
        """The model's deltas → clauses (or, where nothing speaks, text)."""
        keeps_audio_tags = self.plan.keeps_audio_tags and self.plan.speaks
        chunker, speakable = ClauseChunker(), SpeakableText(keeps_audio_tags=keeps_audio_tags)
        async with aclosing(self._deltas()) as deltas:
            async for delta in deltas:
                self._mark_progress(self._reports.now_ms())
                match delta:
                    case TextDelta(text):
                        self.outcome.tokens += 1
                        if self.marks.first_token_ms is None:
                            self.marks.first_token_ms = self._reports.now_ms()
                        for piece in _pieces(text):
                            await self._put(chunker, speakable.push(piece))
                    case ToolCall():
                        self.outcome.tool_calls.append(delta)
                    case Usage():
                        self.outcome.usage = delta
        self.outcome.is_written = True
        await self._put(chunker, speakable.finish())
        if not self.outcome.text.strip() and not self.outcome.tool_calls:
            raise ProviderError("llm", self._llm.name, "the model ended its reply without a word to say")
        if self.plan.speaks:
            for clause in chunker.finish():
                await self._put_clause(clause)
            await self._clauses.put(None)
        await self._released.wait()
        self._tell_text()

    async def _deltas(self) -> AsyncGenerator[LlmDelta, None]:
        if self.plan.prompt is None:
            yield TextDelta(self.plan.text)
            return
        async with aclosing(self._llm.stream(self.plan.prompt)) as deltas:
            async for delta in deltas:
                yield delta

    async def _put(self, chunker: ClauseChunker, text: str) -> None:
        if not text:
            return
        await asyncio.sleep(0)
        self.outcome.text += text
        if not self.plan.speaks:
            self._untold_text += text
            if self._released.is_set():
                self._tell_text()
            return
        for clause in chunker.push(text, hurried=self._voice_waits()):
            await self._put_clause(clause)

    def _tell_text(self) -> None:
        text, self._untold_text = self._untold_text, ""
        if text:
            self._begin_message()
            self._reports.notice(ReplyTextGrew(self.plan.response_id, self.plan.item_id, 0, text, speaks=False))

    def _voice_waits(self) -> bool:
        """Whether there is, or soon will be, nothing to say: no clause is under way and the audio runs out."""
        if self._clauses_put > self._clauses_spoken or self.marks.first_token_ms is None:
            return False
        now_ms = self._reports.now_ms()
        if not self._clauses_put:
            return now_ms - self.marks.first_token_ms > FIRST_CLAUSE_PATIENCE_MS
        return self.ledger.remaining_ms(now_ms) < AUDIO_RUNS_OUT_MS

    async def _put_clause(self, clause: str) -> None:
        if self.marks.first_clause_ms is None:
            self.marks.first_clause_ms = self._reports.now_ms()
        self._clauses_put += 1
        await self._clauses.put(clause)

    async def _speak(self) -> None:
        """Clauses → audio in the ledger."""
        async with aclosing(self._tts.speak(self._taken_clauses())) as chunks:
            async for chunk in chunks:
                if self.marks.first_audio_ms is None and len(chunk.audio_24k):
                    self.marks.first_audio_ms = self._reports.now_ms()
                self.ledger.add(chunk)
                self._is_for.become(self._urgency())
                self._clauses_spoken += chunk.clause_end
                self._measure_room()
                self._more_audio.set()
        if not self.ledger.generated_samples and not self.outcome.tool_calls:
            raise ProviderError("tts", self._tts.name, "the voice made no sound of the reply")
        self.ledger.complete()
        self._more_audio.set()

    async def _taken_clauses(self) -> AsyncIterator[str]:
        while (clause := await self._clauses.get()) is not None:
            if self._clauses_taken >= DRAFTED_CLAUSES:
                await self._released.wait()
            await self._room.wait()
            self._is_for.become(self._urgency())
            self._clauses_taken += 1
            self.outcome.voiced_characters += len(clause)
            if self._released.is_set():
                self._tell_clause(clause)
            else:
                self._untold_clauses.append(clause)
            yield clause

    def _tell_clause(self, clause: str) -> None:
        if (text := without_tags(clause)) and not self._is_cut:  # its parts run on until they learn of it
            self._reports.notice(ReplyPlanned(self.plan.response_id, self.plan.item_id, text))

    async def _play(self) -> None:
        """Audio → messages, at the pace of the client's line; none for a client that reads too slowly."""
        await self._released.wait()
        while (now_ms := self._reports.now_ms()) < self.ledger.played_out_ms() or not self.ledger.all_sent:
            due_ms = self.ledger.next_due_ms(now_ms)
            if due_ms is not None and self._reports.waiting.is_behind:
                await self._until_caught_up()
            elif due_ms is not None and due_ms <= now_ms:
                self._send(self.ledger.take(now_ms))
                self._measure_room()
            elif due_ms is not None or self.ledger.all_sent:
                await asyncio.sleep(((due_ms or self.ledger.played_out_ms()) - now_ms) / 1000)
            else:
                self._more_audio.clear()
                await self._more_audio.wait()
        self.ledger.finish()

    # ---- within -------------------------------------------------------------------------------

    async def _until_caught_up(self) -> None:
        """That nothing goes out meanwhile is the client's doing: the reply is in good health, and says so."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PROGRESS_EVERY_MS / 1000):
                await self._reports.waiting.caught_up()
        self._mark_progress(self._reports.now_ms())

    def _urgency(self) -> Urgency:
        """How much hurry there is: a listener hears it if the audio in hand runs out."""
        if not self._released.is_set():
            return Urgency.DRAFT
        runs_out = self.ledger.remaining_ms(self._reports.now_ms()) < AUDIO_RUNS_OUT_MS
        return Urgency.FIRST_CLAUSE if runs_out else Urgency.LATER_CLAUSES

    def _measure_room(self) -> None:
        if self.ledger.generated_samples - self.ledger.sent_samples < AUDIO_AHEAD_SAMPLES:
            self._room.set()
        else:
            self._room.clear()

    def _send(self, outgoing: Outgoing | None) -> None:
        if outgoing is None:
            return
        plan = self.plan
        self._begin_message()
        first = self.marks.first_sent_ms is None
        if outgoing.words:
            spoken = " ".join(word.text for word in outgoing.words)
            delta = f" {spoken}" if self._words_sent else spoken
            self._words_sent = True
            self._reports.notice(ReplyTextGrew(plan.response_id, plan.item_id, 0, delta, speaks=True))
        self._reports.notice(ReplyAudioSent(plan.response_id, plan.item_id, 0, outgoing.audio_24k))
        self._reports.played(outgoing.audio_24k)
        now_ms = self._reports.now_ms()
        if first:
            self.marks.first_sent_ms = now_ms
            self._reports.audible()
        else:
            self._mark_progress(now_ms)

    def _begin_message(self) -> None:
        if not self.outcome.message_began:
            self.outcome.message_began = True
            plan = self.plan
            previous = self._reports.began_message()
            self._reports.notice(ReplyMessageBegan(plan.response_id, plan.item_id, 0, plan.speaks, previous))

    def _mark_progress(self, now_ms: int) -> None:
        if now_ms - self._progressed_ms >= PROGRESS_EVERY_MS:
            self._progressed_ms = now_ms
            self._reports.progressed()


def _pieces(text: str) -> list[str]:
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]
