"""The replies of a session: begun, stopped and settled here, one at a time.

Settling a reply writes its place in the history (what was heard of it) and tells the client its end.
It happens once, in `settle`, whether the reply finished, was stopped or failed.
"""

import asyncio
from dataclasses import replace

from speakback.audio.artifacts import ArtifactReport, find_artifacts
from speakback.audio.playout import PlayoutLedger
from speakback.providers.engines import Engines
from speakback.providers.errors import ProviderError
from speakback.providers.llm import Message, Prompt
from speakback.session import notices as n
from speakback.session.history import History
from speakback.session.items import MessageItem, ToolCallItem
from speakback.session.latency import TurnMarks, closed
from speakback.session.ports import Ports
from speakback.session.reply import Reply, ReplyPlan, ReplyReports
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.timebase import VOICE_HZ, ReplyId, samples_to_ms
from speakback.turn import events as ev
from speakback.turn.actions import StopReason

APOLOGY = "Sorry, something went wrong on my side. Could you say that again?"
REMEMBERED_LEDGERS = 8
"""Spoken items whose playout is remembered, so that a late `truncate` still finds what was heard."""
TRUNCATE_SLACK_MS = 1000
"""How far beyond what was sent a client's clock may be before its `truncate` is held to be wrong."""

_ENDINGS: dict[StopReason, tuple[n.ReplyStatus, n.StatusReason]] = {
    StopReason.USER_SPOKE: ("cancelled", "turn_detected"),
    StopReason.CLIENT_CANCELLED: ("cancelled", "client_cancelled"),
    StopReason.FAILED: ("failed", "provider_failed"),
}


class TruncateRefused(ValueError):
    """A `truncate` that names no spoken item of the agent, or more audio than was sent."""


class Replies:
    """The current reply and the books of the last few."""

    def __init__(
        self,
        engines: Engines,
        history: History,
        ports: Ports,
    ) -> None:
        self.current: Reply | None = None
        self._engines = engines
        self._history = history
        self._ports = ports
        self._task: asyncio.Task[None] | None = None
        self._ledgers: dict[str, PlayoutLedger] = {}
        self._user_item: str | None = None
        self._confidence: float | None = None

    def begin(
        self,
        reply_id: ReplyId,
        prompt: Prompt | None,
        *,
        speaks: bool,
        metadata: tuple[tuple[str, str], ...],
        marks: TurnMarks,
        user_item: str | None,
        confidence: float | None,
    ) -> None:
        """Start a reply; without a prompt it is the apology. `user_item` is the turn that it answers."""
        plan = ReplyPlan(
            reply_id=reply_id,
            response_id=self._ports.new_id("resp"),
            item_id=self._ports.new_id("item"),
            prompt=prompt,
            text=APOLOGY,
            speaks=speaks,
            metadata=metadata,
        )
        reports = ReplyReports(
            notice=self._ports.notify,
            began_message=lambda: self._begin_message(plan),
            audible=lambda: self._ports.happened(ev.ReplyAudible(reply_id)),
            progressed=lambda: self._ports.happened(ev.ReplyProgressed(reply_id)),
            now_ms=self._ports.now_ms,
        )
        self.current = Reply(plan, self._engines.llm, self._engines.tts, marks, reports)
        self._user_item, self._confidence = user_item, confidence
        self._ports.notify(n.ReplyBegan(plan.response_id, speaks, metadata))
        self._task = self._ports.spawn(self._run(self.current))

    def cut(self, fade_ms: int) -> None:
        """Silence the current reply now; `settle` must follow within the same step."""
        if self.current is not None and self._task is not None:
            self._task.cancel()
            self.current.cut(fade_ms)

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
            self._ports.notify(n.ReplyMessageEnded(plan.response_id, 0, message))
            items.append(message)
        if finished:
            items += self._add_tool_calls(reply, output_index=len(items))
        status, because = self._status(reply, reason)
        self._ports.notify(
            n.ReplyEnded(plan.response_id, status, because, tuple(items), outcome.usage, plan.speaks, plan.metadata)
        )
        self._ports.log.info("reply ended", reply_id=plan.reply_id, status=status, reason=because)
        self._ports.spawn(self._measure(reply, self._user_item, self._confidence))

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

    def acknowledge(self, item_id: str, played_ms: int) -> None:
        """The client says how much of an item it has played; an item no longer remembered is no matter."""
        ledger = self._ledger(item_id)
        if ledger is None:
            return
        now_ms = self._ports.now_ms()
        ledger.acknowledge(played_ms, now_ms)
        reply = self.current
        if reply is None or reply.plan.item_id != item_id or played_ms <= 0:
            return
        if reply.marks.playback_acknowledged_ms is None:
            reply.marks.playback_acknowledged_ms = now_ms - played_ms

    # ---- within -------------------------------------------------------------------------------

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
                self._ports.happened(ev.ReplyFinished(reply.plan.reply_id))

    def _fail(self, reply: Reply, group: BaseExceptionGroup[Exception]) -> None:
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

    async def _measure(self, reply: Reply, user_item: str | None, confidence: float | None) -> None:
        """Close the latency ledger; the audio is looked over on a thread."""
        artifacts = await asyncio.to_thread(_artifacts, reply.ledger) if reply.ledger.sent_samples else None
        self._ports.notify(
            n.LatencyMeasured(
                closed(
                    reply.marks,
                    item_id=user_item,
                    response_id=reply.plan.response_id,
                    asr_confidence=confidence,
                    artifacts=artifacts,
                )
            )
        )


def history_prompt(
    history: History,
    settings: SessionSettings,
    options: ReplyOptions,
    *,
    unfinished: str,
    session_id: str,
    correlation_id: str,
) -> Prompt:
    """The conversation as the model is given it; `unfinished` is what the user has said of a turn still open."""
    instructions = settings.instructions if options.instructions is None else options.instructions
    messages = history.messages(instructions)
    if unfinished:
        messages = (*messages, Message("user", unfinished))
    return Prompt(
        messages=messages,
        tools=settings.tools if options.tools is None else options.tools,
        tool_choice=settings.tool_choice if options.tool_choice is None else options.tool_choice,
        max_tokens=settings.max_tokens if options.max_tokens is None else options.max_tokens,
        temperature=settings.temperature,
        session_key=session_id,
        correlation_id=correlation_id,
    )


def _artifacts(ledger: PlayoutLedger) -> ArtifactReport:
    borders = [border for border in ledger.border_samples if border < ledger.sent_samples]
    return find_artifacts(ledger.sent_audio(), ledger.sent, borders, ledger.text_sent())
