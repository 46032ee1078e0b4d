"""The replies of a session: begun, stopped and settled here, one at a time.

Settling a reply writes its place in the history (what was heard of it) and tells the client its end.
It happens once, in `settle`, whether the reply finished, was stopped or failed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from speakback.audio.artifacts import ArtifactReport, find_artifacts
from speakback.audio.line import Line
from speakback.audio.pcm import Samples
from speakback.audio.playout import PlayoutLedger
from speakback.providers.errors import ProviderError
from speakback.session import notices as n
from speakback.session.asking import NOTHING_LEFT, Answered, Ask, Rest, same_ask
from speakback.session.history import History
from speakback.session.items import MessageItem, ToolCallItem
from speakback.session.latency import TurnMarks, closed
from speakback.session.ports import Ports
from speakback.session.reply import Reply, ReplyPlan, ReplyReports
from speakback.timebase import VOICE_HZ, ReplyId, samples_to_ms
from speakback.turn import events as ev
from speakback.turn.actions import StopReason
from speakback.turn.left_open import BEFORE_THE_BREAK, Heard

WORD_WITHIN_MS = 60
"""A word that ends within this is said to its end before the agent falls silent."""
REMEMBERED_LEDGERS = 8
"""Spoken items whose playout is remembered, so that a late `truncate` still finds what was heard."""
TRUNCATE_SLACK_MS = 1000
"""How far beyond what was sent a client's clock may be before its `truncate` is held to be wrong."""

_ENDINGS: dict[StopReason, tuple[n.ReplyStatus, n.StatusReason]] = {
    StopReason.USER_SPOKE: ("cancelled", "turn_detected"),
    StopReason.CLIENT_CANCELLED: ("cancelled", "client_cancelled"),
    StopReason.FAILED: ("failed", "provider_failed"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply that is prepared in private."""

    reply: Reply
    ask: Ask
    task: "asyncio.Task[None]"


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """What is left of the current reply, should nothing more of it come."""

    heard: Heard
    item: MessageItem | None
    """Its message, cut to what was heard; None where nothing was."""
    rest: Rest


class TruncateRefused(ValueError):
    """A `truncate` that names no spoken item of the agent, or more audio than was sent."""


class Replies:
    """The current reply and the books of the last few."""

    def __init__(
        self,
        history: History,
        ports: Ports,
        played: Callable[[Samples], None],
        rest_before: Rest = NOTHING_LEFT,
    ) -> None:
        self.current: Reply | None = None
        self._history = history
        self._ports = ports
        self._played = played
        """Told of the agent's audio, at 24 kHz, as it goes out."""
        self._task: asyncio.Task[None] | None = None
        self._ledgers: dict[str, PlayoutLedger] = {}
        self._line = Line()
        self._answered = Answered(TurnMarks())
        self._draft: Draft | None = None
        self._last_spoken: Reply | None = None
        self._rest_before = rest_before
        """Of the reply that was cut short on an earlier connection."""

    def begin(self, reply_id: ReplyId, ask: Ask, turn: Answered) -> None:
        """Start a reply, or promote its draft, if that was written to the same words."""
        promoted = self._promoted(reply_id, ask)
        reply = self._made(reply_id, ask, turn.marks, is_draft=False) if promoted is None else promoted
        if promoted is None:
            self._task = self._ports.spawn(self._run(reply))
        self.current = reply
        self._answered = turn
        self._ports.notify(n.ReplyBegan(reply.plan.response_id, reply.plan.speaks, reply.plan.metadata))
        if promoted is not None:
            promoted.release(turn.marks)  # it has something to tell, of a reply that the client must know by then

    def draft(self, reply_id: ReplyId, ask: Ask) -> None:
        """Prepare a reply in private."""
        reply = self._made(reply_id, ask, TurnMarks(), is_draft=True)
        self._draft = Draft(reply, ask, self._ports.spawn(self._run(reply)))

    def discard_draft(self, reply_id: ReplyId) -> None:
        """Throw the draft away, unseen."""
        if self._draft is not None and self._draft.reply.plan.reply_id == reply_id:
            draft, self._draft = self._draft, None
            draft.task.cancel()
            self._settle_draft(draft, promoted=False)

    @property
    def drafting(self) -> bool:
        """Whether a reply is being prepared in private."""
        return self._draft is not None

    @property
    def is_ducked(self) -> bool:
        """Whether the current reply's voice is lowered."""
        return self.current is not None and self.current.is_ducked

    def set_ducked(self, ducked: bool) -> None:
        """Lower the current reply's voice, or raise it to its full level again."""
        if self.current is not None:
            self.current.set_ducked(ducked)

    def hold(self, fade_ms: int) -> None:
        """Silence the current reply for now."""
        if self.current is not None:
            self.current.hold(fade_ms, WORD_WITHIN_MS)

    def resume(self) -> None:
        """Let the current reply go on."""
        if self.current is not None:
            self.current.resume()

    def cut(self, fade_ms: int) -> None:
        """Silence the current reply now; `settle` must follow within the same step."""
        if self.current is not None and self._task is not None:
            self._task.cancel()
            self.current.cut(fade_ms, WORD_WITHIN_MS)

    def settle(self, reason: StopReason | None) -> None:
        """Close the books of the current reply; `reason` is None when it ran to its end."""
        reply, self.current, self._task = self.current, None, None
        if reply is None:
            return
        finished = reason is None
        plan, outcome = reply.plan, reply.outcome
        items: list[MessageItem | ToolCallItem] = []
        if outcome.message_began:
            message = reply.heard_item(finished=finished)
            if self._history.is_in_progress(plan.item_id):  # the client may have deleted or replaced it meanwhile
                self._history.replace(message)
            if plan.speaks:
                self._remember(plan.item_id, reply.ledger)
                self._last_spoken = reply
            self._ports.notify(n.ReplyMessageEnded(plan.response_id, 0, message))
            items.append(message)
        if finished:
            items += self._add_tool_calls(reply, output_index=len(items))
        status, because = self._status(reply, reason)
        self._ports.notify(
            n.ReplyEnded(plan.response_id, status, because, tuple(items), outcome.usage, plan.speaks, plan.metadata)
        )
        self._ports.log.info("reply ended", reply_id=plan.reply_id, status=status, reason=because)
        self._ports.spawn(self._measure(reply, self._answered))

    def rest_of(self, reply_id: ReplyId) -> Rest:
        """What the user has not heard of a reply that was cut short."""
        reply = self._last_spoken
        if reply_id == BEFORE_THE_BREAK:
            return self._rest_before
        if reply is None or reply.plan.reply_id != reply_id:
            return NOTHING_LEFT
        item = self._history.get(reply.plan.item_id) if self._history.has(reply.plan.item_id) else None
        heard = item.text if isinstance(item, MessageItem) else ""  # the client may have cut it since
        return Rest(reply.unsaid_text(heard), reply.outcome.is_written)

    def if_broken_off(self, *, is_played_out: bool = False) -> BrokenOff:
        """What would be left of the current reply; its rest, or else that of the one before.

        `is_played_out`: by a client that has all that was sent; else it may have died with its connection.
        A reply that is read or that calls a tool is not whole without its end: of one nothing was heard, and the other
        is left to the model.
        """
        reply, last = self.current, self._last_spoken
        before = self._rest_before if last is None else self.rest_of(last.plan.reply_id)
        if reply is None or not reply.outcome.message_began or not reply.plan.speaks:
            return BrokenOff(Heard.NOTHING, None, before)
        item = reply.played_out_item() if is_played_out else reply.heard_item(finished=False, surely=True)
        if not item.text:
            return BrokenOff(Heard.NOTHING, None, before)
        is_whole = reply.outcome.is_written and not reply.outcome.tool_calls
        rest = Rest(reply.unsaid_text(item.text), is_whole)
        if is_whole and not rest.text:
            return BrokenOff(Heard.ALL, replace(item, status="completed"), rest)
        return BrokenOff(Heard.SOME, item, rest)

    def skip(self, reply_id: ReplyId) -> None:
        """There is nothing to say in this reply: it is over before anybody is told of it."""
        self._ports.happened(ev.ReplyFinished(reply_id))

    @property
    def held_bytes(self) -> int:
        """The audio that the books of the current reply, of its draft and of the last few keep."""
        under_way = [self.current, None if self._draft is None else self._draft.reply]
        ledgers = [*self._ledgers.values(), *(reply.ledger for reply in under_way if reply is not None)]
        return sum(ledger.held_bytes for ledger in ledgers)

    def being_said(self) -> str:
        """The words of the current reply, or else of the last one, that went out so far."""
        reply = self.current or self._last_spoken
        return "" if reply is None else reply.ledger.text_sent()

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut a spoken item to what the client says was heard. Raises `TruncateRefused`."""
        ledger = self._ledger(item_id)
        if ledger is None:
            raise TruncateRefused(f"{item_id!r} is not a recent item that the agent spoke")
        sent_ms = samples_to_ms(ledger.sent_samples, VOICE_HZ)
        if not 0 <= audio_end_ms <= sent_ms + TRUNCATE_SLACK_MS:
            raise TruncateRefused(f"audio_end_ms is {audio_end_ms}, but {sent_ms} ms of the item were sent")
        ledger.limit_heard(audio_end_ms)
        if not self._history.has(item_id):
            raise TruncateRefused(f"{item_id!r} was deleted")
        item = self._history.get(item_id)
        if isinstance(item, MessageItem):
            self._history.replace(replace(item, text=ledger.heard_text(self._ports.now_ms())))
        self._ports.notify(n.ItemTruncated(item_id, audio_end_ms))

    def acknowledge(self, item_id: str, played_ms: int, buffered_ms: int) -> None:
        """The client says how much of an item it has played, and how much waits in it; an item no longer remembered is
        no matter."""
        ledger = self._ledger(item_id)
        if ledger is None:
            return
        now_ms = self._ports.now_ms()
        ledger.acknowledge(played_ms, buffered_ms, now_ms)
        reply = self.current
        if reply is None or reply.plan.item_id != item_id or played_ms <= 0:
            return
        if reply.marks.playback_acknowledged_ms is None:
            reply.marks.playback_acknowledged_ms = now_ms - played_ms

    # ---- within -------------------------------------------------------------------------------

    def _made(self, reply_id: ReplyId, ask: Ask, marks: TurnMarks, *, is_draft: bool) -> Reply:
        plan = ReplyPlan(
            reply_id=reply_id,
            response_id=self._ports.new_id("resp"),
            item_id=self._ports.new_id("item"),
            prompt=ask.prompt,
            text=ask.text,
            speaks=ask.speaks,
            metadata=ask.metadata,
            keeps_audio_tags=self._ports.engines().performs_audio_tags,
            is_draft=is_draft,
        )
        reports = ReplyReports(
            notice=self._ports.notify,
            played=self._played,
            began_message=lambda: self._begin_message(plan),
            audible=lambda: self._ports.happened(ev.ReplyAudible(reply_id)),
            progressed=lambda: self._progressed(reply_id),
            now_ms=self._ports.now_ms,
            waiting=self._ports.waiting,
        )
        engines = self._ports.engines()
        return Reply(plan, engines.llm, engines.tts, marks, reports, self._line)

    def _progressed(self, reply_id: ReplyId) -> None:
        if self.current is not None and self.current.plan.reply_id == reply_id:  # a draft's life is its own
            self._ports.happened(ev.ReplyProgressed(reply_id))

    def _promoted(self, reply_id: ReplyId, ask: Ask) -> Reply | None:
        """The draft of this reply, if it still lives and was written to the same words."""
        draft, self._draft = self._draft, None
        if draft is None:
            return None
        has_failed = draft.task.done()  # nothing else ends it before it is released
        fits = draft.reply.plan.reply_id == reply_id and same_ask(draft.ask, ask) and not has_failed
        self._settle_draft(draft, promoted=fits)
        if not fits:
            draft.task.cancel()
            return None
        self._task = draft.task
        return draft.reply

    def _settle_draft(self, draft: Draft, *, promoted: bool) -> None:
        cost = draft.reply.outcome
        self._ports.happened(ev.DraftSettled(draft.reply.plan.reply_id, promoted, cost.tokens, cost.voiced_characters))

    async def _run(self, reply: Reply) -> None:
        try:
            await reply.run()
        except* ProviderError as group:
            self._fail(reply, group)
        except* Exception as group:  # a defect of ours must not leave the caller in silence
            self._ports.log.error("reply crashed", reply_id=reply.plan.reply_id, exc_info=group)
            self._fail(reply, group)
        else:
            if reply is self.current:
                self.settle(None)
                self._ports.happened(ev.ReplyFinished(reply.plan.reply_id, bool(reply.outcome.tool_calls)))

    def _fail(self, reply: Reply, group: BaseExceptionGroup[Exception]) -> None:
        if reply is not self.current:  # a draft: nobody was promised it, and the reply is made anew
            self._ports.log.warning("a draft failed", reply_id=reply.plan.reply_id)
            return
        problem = group.exceptions[0]
        known = isinstance(problem, ProviderError)
        message = str(problem) if known else "the server failed while it made the reply"
        self._ports.notify(n.Fault("provider_failed" if known else "internal_error", message, by_client=False))
        self._ports.happened(ev.ReplyFailed(reply.plan.reply_id))

    def _begin_message(self, plan: ReplyPlan) -> str | None:
        return self._history.add(MessageItem(plan.item_id, "assistant", "", spoken=plan.speaks, status="in_progress"))

    def _add_tool_calls(self, reply: Reply, output_index: int) -> list[ToolCallItem]:
        items: list[ToolCallItem] = []
        for call in reply.outcome.tool_calls:
            item = ToolCallItem(self._ports.new_id("item"), call.call_id, call.name, call.arguments)
            previous = self._history.add(item)
            self._ports.notify(n.ReplyToolCalled(reply.plan.response_id, output_index + len(items), item, previous))
            items.append(item)
        return items

    @staticmethod
    def _status(reply: Reply, reason: StopReason | None) -> tuple[n.ReplyStatus, n.StatusReason | None]:
        if reason is not None:
            return _ENDINGS[reason]
        usage = reply.outcome.usage
        if usage is not None and usage.stopped_at_limit:
            return "incomplete", "max_output_tokens"
        return "completed", None

    def _ledger(self, item_id: str) -> PlayoutLedger | None:
        if self.current is not None and self.current.plan.item_id == item_id and self.current.plan.speaks:
            return self.current.ledger
        return self._ledgers.get(item_id)

    def _remember(self, item_id: str, ledger: PlayoutLedger) -> None:
        self._ledgers[item_id] = ledger
        while len(self._ledgers) > REMEMBERED_LEDGERS:
            del self._ledgers[next(iter(self._ledgers))]

    async def _measure(self, reply: Reply, answered: Answered) -> None:
        """Close the latency ledger; the audio is looked over on a thread."""
        artifacts = await asyncio.to_thread(_artifacts, reply.ledger) if reply.ledger.sent_samples else None
        reply.ledger.forget_audio()
        self._ports.notify(
            n.LatencyMeasured(
                closed(
                    reply.marks,
                    item_id=answered.item_id,
                    response_id=reply.plan.response_id,
                    asr_confidence=answered.confidence,
                    artifacts=artifacts,
                    drafted=reply.plan.is_draft,
                    decisions=self._ports.take_decisions(),
                )
            )
        )


def _artifacts(ledger: PlayoutLedger) -> ArtifactReport:
    return find_artifacts(ledger.sent_audio(), ledger.sent, ledger.border_samples, ledger.text_sent())
