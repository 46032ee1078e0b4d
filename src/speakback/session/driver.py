"""The session: it feeds events to the turn core, performs its actions, and tells the client in order.

Everything here runs on one event loop, so a step is never interrupted: take one event in, perform all
actions that it led to, arm the one timer. Models run elsewhere and come back as events.
"""

import asyncio
import math
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from speakback.audio.pcm import Samples
from speakback.providers.engines import Engines
from speakback.providers.errors import ProviderError
from speakback.providers.llm import Prompt
from speakback.session import notices as n
from speakback.session.history import DuplicateItem, History, UnknownItem
from speakback.session.items import Item
from speakback.session.latency import TurnMarks
from speakback.session.ports import Ports
from speakback.session.replies import Replies, TruncateRefused, history_prompt
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.session.user_turns import UserTurns
from speakback.timebase import EAR_HZ, ReplyId, TurnId, ms_to_samples
from speakback.turn import actions as act
from speakback.turn import events as ev
from speakback.turn.core import TurnCore
from speakback.turn.tables import Agent

NOTICES_WAITING = 512
"""Notices that may wait for a client, about 15 s of a reply; one that is further behind is not reading."""
UNFINISHED_TURNS = 4
"""Turns of one session that may wait for their transcripts: speech to text is shared with everyone else."""
MIN_COMMIT_MS = 100
"""Less audio than this cannot be committed, as in OpenAI's Realtime API."""
CLIENT_FAULTS = {
    act.FaultCode.REPLY_ACTIVE,
    act.FaultCode.NO_REPLY_ACTIVE,
    act.FaultCode.NO_SPEECH,
}
"""Faults of the core that are the client's doing; the others are ours and go to the log as well."""
_T = TypeVar("_T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _TimerFired:
    """The core's deadline has come."""

    deadline_ms: int


class Session:
    """One live conversation. Every method returns at once; what comes of it arrives as notices."""

    def __init__(self, engines: Engines, settings: SessionSettings, *, session_id: str, correlation_id: str) -> None:
        self.session_id = session_id
        self.settings = settings
        self.overrun = False
        """Whether the session ended because its notices were not taken in time."""
        self.failed = False
        """Whether the session ended because of a defect of its own."""
        self._correlation_id = correlation_id
        # Bound here, not through the context: callbacks of timers and of models' threads have another one.
        self._log: structlog.stdlib.BoundLogger = log.bind(session_id=session_id, correlation_id=correlation_id)
        self._engines = engines
        self._loop = asyncio.get_running_loop()
        self._core = TurnCore(settings.turn)
        self._history = History()
        ports = Ports(self.new_id, self._notify, self._happened, self._now_ms, self._spawn, self._log)
        self._turns = UserTurns(
            engines, self._history, ports, settings=lambda: self.settings, overheard=self._on_overheard
        )
        self._ears = self._turns.ears
        self._ears.set_listening(settings.listens)
        self._replies = Replies(engines, self._history, ports)
        self._asked = ReplyOptions()
        """What the client's last request said; kept, because a reply that was stopped unheard is begun again."""
        self._ids = 0
        self._waiting: deque[ev.Event | _TimerFired] = deque()
        self._stopping: act.StopReason | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late_ms = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._warming: asyncio.Task[None] | None = None
        self._warmed: Prompt | None = None
        self._notices: asyncio.Queue[n.Notice | None] = asyncio.Queue()
        self._closed = asyncio.Event()

    # ---- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live until `close`; then nothing of the session is left running. Cancelling closes it."""
        self._warm()
        try:
            await self._closed.wait()
        finally:
            self.close()
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """End the session; `next_notice` gives what is still waiting, then None."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._ears.close()
        if self._timer is not None:
            self._timer.cancel()
        self._notices.put_nowait(None)

    async def next_notice(self) -> n.Notice | None:
        """The next thing to tell the client, in order; None once the session is closed. Cancelling is safe."""
        notice = await self._notices.get()
        if notice is None:
            self._notices.put_nowait(None)
        return notice

    def new_id(self, kind: str) -> str:
        """A fresh id such as `item_…`, unique to the session."""
        while True:
            self._ids += 1
            fresh = f"{kind}_{self.session_id[-12:]}_{self._ids}"
            if not self._history.has(fresh):  # a client may name its items as it likes
                return fresh

    # ---- what a client does -------------------------------------------------------------------

    def append_audio(self, audio_16k: Samples) -> None:
        """Hear the next stretch of the user's audio. Raises `InputOverrun`, and then takes nothing."""
        self._ears.hear(audio_16k, self._now_ms())

    def commit_input(self, request_id: str = "") -> None:
        """End the user's turn here; refused while too many turns wait for their transcripts."""
        if self._turns.unfinished >= UNFINISHED_TURNS:
            message = f"{UNFINISHED_TURNS} turns wait for their transcripts: wait for one before you commit another"
            self._notify(n.Fault("too_many_turns", message, by_client=True, request_id=request_id))
            return
        kept = self._ears.audio.end - self._ears.audio.start
        enough = not self._ears.listening and kept >= ms_to_samples(MIN_COMMIT_MS, EAR_HZ)
        self._happened(ev.InputCommitted(enough, request_id))

    def clear_input(self) -> None:
        """Forget what was heard of the open turn."""
        self._happened(ev.InputCleared())
        self._ears.clear()
        self._notify(n.InputBufferCleared())

    def add_item(self, item: Item, previous_item_id: str | None = None, request_id: str = "") -> None:
        """Put an item into the conversation; no reply comes of it alone."""
        try:
            previous = self._history.add(item, previous_item_id)
        except (UnknownItem, DuplicateItem) as problem:
            known = "already has" if isinstance(problem, DuplicateItem) else "has no"
            param = "item.id" if isinstance(problem, DuplicateItem) else "previous_item_id"
            message = f"the conversation {known} item {problem.args[0]!r}"
            self._notify(n.Fault("invalid_value", message, by_client=True, request_id=request_id, param=param))
        else:
            self._notify(n.ItemAdded(item, previous))

    def delete_item(self, item_id: str, request_id: str = "") -> None:
        """Take an item out of the conversation."""
        if self._history.has(item_id):
            self._history.delete(item_id)
            self._notify(n.ItemDeleted(item_id))
        else:
            message = f"the conversation has no item {item_id!r}"
            self._notify(n.Fault("item_not_found", message, by_client=True, request_id=request_id, param="item_id"))

    def item(self, item_id: str) -> Item | None:
        """The item of that id as it stands in the history; None where there is none."""
        return self._history.get(item_id) if self._history.has(item_id) else None

    def truncate_item(self, item_id: str, audio_end_ms: int, request_id: str = "") -> None:
        """Cut a spoken item to what the client says was heard."""
        try:
            self._replies.truncate(item_id, audio_end_ms)
        except TruncateRefused as problem:
            self._notify(n.Fault("invalid_value", str(problem), by_client=True, request_id=request_id))

    def acknowledge_playback(self, item_id: str, played_ms: int, buffered_ms: int) -> None:
        """The client says how much of an item it has played and how much of it waits to be."""
        self._replies.acknowledge(item_id, played_ms)

    def request_reply(self, options: ReplyOptions, request_id: str = "") -> None:
        """Ask for a reply to the conversation as it stands; refused while one is active."""
        if self._core.agent is Agent.IDLE:
            self._asked = options
        self._happened(ev.ReplyRequested(request_id))

    def cancel_reply(self, response_id: str | None = None, request_id: str = "") -> None:
        """Stop the reply under way (that of `response_id`, where one is named)."""
        current = self._replies.current
        if response_id is not None and (current is None or current.plan.response_id != response_id):
            code = act.FaultCode.NO_REPLY_ACTIVE.value
            message = f"no response {response_id!r} is active"
            self._notify(n.Fault(code, message, by_client=True, request_id=request_id, param="response_id"))
            return
        self._happened(ev.ReplyCancelled(request_id))

    def configure(self, settings: SessionSettings) -> None:
        """Go on under other settings; a reply under way keeps those it began with."""
        if not settings.listens and self._ears.listening:
            self._happened(ev.InputCleared())
        self.settings = settings
        self._ears.set_listening(settings.listens)
        self._perform(self._core.configure(settings.turn, self._now_ms()))
        self._arm()
        if self._core.agent is Agent.IDLE:
            self._warm()

    # ---- the step -----------------------------------------------------------------------------

    def _happened(self, event: "ev.Event | _TimerFired") -> None:
        """Take an event in. One that comes while a step is under way waits for that step's end."""
        if self._closed.is_set():
            return
        self._waiting.append(event)
        if len(self._waiting) > 1:
            return
        try:
            while self._waiting:
                self._step(self._waiting[0])
                self._waiting.popleft()
            self._arm()
        except Exception:  # a defect of ours: better an ended session than one that hangs
            self._log.exception("a step of the session crashed")
            self._notify(n.Fault("internal_error", "the server failed; the session ends", by_client=False))
            self.failed = True
            self.close()

    def _step(self, event: "ev.Event | _TimerFired") -> None:
        now_ms = self._now_ms()
        was_busy = self._core.agent is not Agent.IDLE
        if isinstance(event, _TimerFired):
            now_ms = max(now_ms, event.deadline_ms)
            self._late_ms = now_ms - event.deadline_ms
            self._perform(self._core.tick(now_ms))
            self._late_ms = 0
        else:
            self._perform(self._core.handle(event, now_ms))
        if was_busy and self._core.agent is Agent.IDLE:
            self._warm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline_ms = self._core.next_deadline()
        if deadline_ms is not None and not self._closed.is_set():
            self._timer = self._loop.call_at(deadline_ms / 1000, self._happened, _TimerFired(deadline_ms))

    def _perform(self, actions: list[act.Action]) -> None:
        for action in actions:
            match action:
                case act.OpenTurn(turn_id):
                    self._turns.open(turn_id)
                case act.ExaminePause(turn_id, pause, end_ms):
                    self._turns.examine_pause(turn_id, pause, end_ms)
                case act.ContinueTurn(turn_id):
                    self._turns.go_on(turn_id)
                case act.CommitTurn(turn_id, _, reason):
                    self._log.info("turn committed", turn_id=turn_id, reason=reason.value)
                    self._turns.commit(turn_id, self._late_ms)
                case act.DropTurn(turn_id):
                    self._turns.drop(turn_id)
                case act.StartReply(reply_id, turn_id):
                    self._start_reply(reply_id, turn_id, apologise=False)
                case act.Apologise(reply_id, turn_id):
                    self._start_reply(reply_id, turn_id, apologise=True)
                case act.StopReply(_, reason, fade_ms):
                    self._replies.cut(fade_ms)
                    self._stopping = reason
                case act.ReportFault(code, message, request_id):
                    self._report(code, message, request_id)
        self._settle_stopped()

    # ---- actions ------------------------------------------------------------------------------

    def _start_reply(self, reply_id: ReplyId, turn_id: TurnId | None, *, apologise: bool) -> None:
        self._settle_stopped()
        options = self._asked if turn_id is None else ReplyOptions()
        turn = self._turns.answered_by(turn_id)
        prompt = None if apologise else self._prompt(options)
        if prompt != self._warmed:
            self._stop_warming()
        self._replies.begin(
            reply_id,
            prompt,
            speaks=self.settings.speaks if options.speaks is None else options.speaks,
            metadata=options.metadata,
            marks=TurnMarks() if turn is None else turn.marks.of_the_turn(),
            user_item=None if turn is None else turn.item_id,
            confidence=None if turn is None else turn.confidence,
        )

    def _settle_stopped(self) -> None:
        """A reply that was stopped is settled behind the other actions, so a client hears of the user's speech before
        the reply's end; but before another reply begins."""
        if self._stopping is not None:
            reason, self._stopping = self._stopping, None
            self._replies.settle(reason)

    def _report(self, code: act.FaultCode, message: str, request_id: str) -> None:
        by_client = code in CLIENT_FAULTS
        if not by_client:
            self._log.warning("turn-taking fault", code=code.value, reason=message)
        self._notify(n.Fault(code.value, message, by_client=by_client, request_id=request_id))

    # ---- within -------------------------------------------------------------------------------

    def _prompt(self, options: ReplyOptions, unfinished: str = "") -> Prompt:
        return history_prompt(
            self._history,
            self.settings,
            options,
            unfinished=unfinished,
            session_id=self.session_id,
            correlation_id=self._correlation_id,
        )

    def _warm(self, unfinished: str = "") -> None:
        """Let the model read what is known already, so that it answers sooner.

        What it is reading is dropped if it turned out otherwise; if it is the very prompt of the reply, the reply
        takes it over.
        """
        prompt = self._prompt(ReplyOptions(), unfinished)
        if prompt != self._warmed:
            self._stop_warming()
            self._warmed = prompt
            self._warming = self._spawn(self._warm_model(prompt))

    async def _warm_model(self, prompt: Prompt) -> None:
        try:
            await self._engines.llm.warm(prompt)
        except ProviderError as problem:
            self._log.warning("the model was not warmed", problem=str(problem))

    def _on_overheard(self, text: str) -> None:
        """The model reads the user's words while they are still spoken."""
        if self._core.agent is Agent.IDLE:
            self._warm(text)

    def _stop_warming(self) -> None:
        self._warmed = None
        if self._warming is not None:
            self._warming.cancel()

    def _notify(self, notice: n.Notice) -> None:
        if self._closed.is_set():
            return
        if self._notices.qsize() >= NOTICES_WAITING:
            self.overrun = True
            self.close()
            return
        self._notices.put_nowait(notice)

    def _spawn(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        problem = task.exception()
        if problem is not None and not isinstance(problem, ProviderError):
            self._log.error("a task of the session crashed", exc_info=problem)
            self._notify(n.Fault("internal_error", "the server failed; the conversation goes on", by_client=False))

    def _now_ms(self) -> int:
        # Rounded up: a timer that fires at its deadline must not read a time before it.
        return math.ceil(self._loop.time() * 1000)
