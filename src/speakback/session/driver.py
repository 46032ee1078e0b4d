"""The session: its parts put together, and all that its client may do with it.

What happens goes as events through the turn core (`steps.py`), the actions that come of them are performed
(`performer.py`), and the client is told in order. Models run elsewhere and come back as events.
"""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from speakback.audio.pcm import Samples
from speakback.observe.memory import Held
from speakback.observe.population import kind_of_work, task_name
from speakback.providers.engines import Engines
from speakback.providers.errors import ProviderError
from speakback.providers.llm import Prompt
from speakback.session import notices as n
from speakback.session.asking import history_prompt
from speakback.session.client_items import ClientItems
from speakback.session.decided import Decided
from speakback.session.ears import Wanted
from speakback.session.floor_news import FloorNews
from speakback.session.history import History
from speakback.session.items import Item
from speakback.session.performer import Performer
from speakback.session.ports import Ports
from speakback.session.replies import Replies
from speakback.session.resuming import Resuming, taken
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.session.snapshot import Snapshot, beginning
from speakback.session.steps import Input, Outcomes, Steps
from speakback.session.trace import BeginTrace, untraced
from speakback.session.user_turns import UserTurns
from speakback.session.waiting import Waiting, weight_bytes
from speakback.session.warming import Warming
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms
from speakback.turn import actions as act
from speakback.turn import events as ev
from speakback.turn.core import TurnCore
from speakback.turn.tables import Agent, User

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


class Session:
    """One live conversation. Every method returns at once; what comes of it arrives as notices.

    `resumed` is where an earlier connection left it; `session_id` is then the same as before.
    """

    def __init__(
        self,
        engines: Engines,
        settings: SessionSettings,
        *,
        session_id: str,
        correlation_id: str,
        begin_trace: BeginTrace = untraced,
        resumed: Snapshot | None = None,
    ) -> None:
        self.session_id = session_id
        self.settings = settings
        self.overrun = False
        """Whether the session ended because its notices were not taken in time."""
        self.failed = False
        """Whether the session ended because of a defect of its own."""
        self.left = False
        """Whether the session ended because it was to leave at rest (`close_at_rest`), and was."""
        self._is_leaving = False
        self._correlation_id = correlation_id
        # Bound here, not through the context: callbacks of timers and of models' threads have another one.
        self._log: structlog.stdlib.BoundLogger = log.bind(session_id=session_id, correlation_id=correlation_id)
        self._all_engines = engines
        self._decided = Decided(self._notify, self._log)
        self._engines = engines.for_session(settings.pins, self._decided.report, settings.voice)
        self._loop = asyncio.get_running_loop()
        self._notices = Waiting(self._now_ms)
        before = beginning(session_id) if resumed is None else resumed
        self._core = TurnCore(settings.turn, before.learned_pauses_ms)
        self._trace = begin_trace(settings.turn, before.learned_pauses_ms, self._now_ms(), self._log)
        outcomes = Outcomes(
            perform=self._perform, stepped=self._stepped, settled=self._settled, crashed=self._step_crashed
        )
        self._steps = Steps(self._core, self._trace, outcomes, now_ms=self._now_ms)
        self._history = History(before.items)
        ports = Ports(
            self.new_id,
            self._notify,
            self._steps.happened,
            self._now_ms,
            self._spawn,
            lambda: self._engines,
            self._decided.take,
            self._log,
            self._notices,
        )
        self._turns = UserTurns(
            self._history,
            ports,
            settings=lambda: self.settings,
            overheard=self._on_overheard,
            being_said=lambda: self._replies.being_said(),
            position=before.first_sample,
        )
        self._ears = self._turns.ears
        self._ears.set_listening(settings.listens)
        self._replies = Replies(
            self._history,
            ports,
            lambda audio: self._turns.echo.played(audio, self._now_ms()),
            before.rest,
        )
        self._floor = FloorNews(self._core, self._replies, heard_ms=lambda: self.heard_ms, notify=self._notify)
        self._items = ClientItems(self._history, self._replies, self._notify)
        self._warming = Warming(ports)
        self._performer = Performer(
            ports,
            self._turns,
            self._replies,
            self._warming,
            settings=lambda: self.settings,
            prompt=self._prompt,
            end=self.close,
        )
        self._ids = before.last_id
        self._stirred_s = self._loop.time()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = asyncio.Event()
        self._performer.asked = before.asked
        self._resuming = Resuming(before, self._turns, self._steps.happened, is_pending=resumed is not None)
        self._resuming.begin(self._now_ms())

    # ---- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live until `close`; then nothing of the session is left running. Cancelling closes it."""
        self._warm()
        if self._resuming.is_pending:
            self._spawn(self._resuming.run())
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
        self._steps.close()
        self._ears.close()
        self._trace.close()
        self._notices.close()

    def close_at_rest(self) -> None:
        """Close as soon as the conversation is at rest."""
        self._is_leaving = True
        self._leave_at_rest()

    async def next_notice(self) -> n.Notice | None:
        """The next thing to tell the client, in order; None once the session is closed. Cancelling is safe."""
        return await self._notices.take()

    @property
    def is_behind(self) -> bool:
        """Whether the client reads too slowly; see `waiting.py`."""
        return self._notices.is_behind

    @property
    def is_crammed(self) -> bool:
        """Whether nothing more is to be taken from the client; see `waiting.py`."""
        return self._notices.is_crammed

    async def room(self) -> None:
        """Return once so little waits for the client that more may be taken from it. Cancelling is safe."""
        await self._notices.room()

    @property
    def rest_s(self) -> float:
        """For how long nothing has happened; 0 while somebody speaks, and while the client ends turns itself."""
        silent = self._core.user is User.SILENT and not self._ears.voiced
        at_rest = silent and self._core.agent is Agent.IDLE and self._ears.listening
        return self._loop.time() - self._stirred_s if at_rest else 0.0

    def held(self) -> Held:
        """What its buffers hold now."""
        return Held(
            heard=self._ears.held_bytes,
            spoken=self._replies.held_bytes,
            history=sum(map(weight_bytes, self._history.items)),
            notices=self._notices.weight_bytes,
        )

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody speaks and nothing is owed: no answer, no transcript, and by the client no tool's result."""
        is_silent = self._core.user is User.SILENT and not self._ears.voiced and not self._holds_input
        is_done = self._core.agent is Agent.IDLE and not self._core.is_owed and not self._turns.unfinished
        return is_silent and is_done and not self._resuming.is_pending and not self._steps.is_under_way

    def snapshot(self) -> Snapshot:
        """The conversation as it stands, to be taken up elsewhere; also once it is closed."""
        parts = (self._core, self._history, self._turns, self._replies, self._performer.asked)
        is_played_out = self._is_leaving and not len(self._notices)  # the client is there, and has everything
        return self._resuming.amend(taken(self.session_id, self._ids, *parts, is_played_out=is_played_out))

    def new_id(self, kind: str) -> str:
        """A fresh id such as `item_…`, unique to the session."""
        while True:
            self._ids += 1
            fresh = f"{kind}_{self.session_id[-12:]}_{self._ids}"
            if not self._history.has(fresh):  # a client may name its items as it likes
                return fresh

    # ---- what a client does -------------------------------------------------------------------

    @property
    def heard_ms(self) -> int:
        """How much of the user's audio came in since the session began, on all its connections: its media time."""
        return samples_to_ms(self._ears.audio.end, EAR_HZ)

    def samples_wanted(self) -> Wanted:
        """How much audio can be made something of. Who follows the floor is told times of it, up to date."""
        wanted = self._ears.samples_wanted()
        return Wanted(wanted.samples, wanted.samples) if self.settings.follows_floor else wanted

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
        self._steps.happened(ev.InputCommitted(enough, request_id))

    def clear_input(self) -> None:
        """Forget what was heard of the open turn."""
        self._steps.happened(ev.InputCleared())
        self._ears.clear()
        self._notify(n.InputBufferCleared())
        self._leave_at_rest()

    def add_item(self, item: Item, previous_item_id: str | None = None, request_id: str = "") -> None:
        """Put an item into the conversation; no reply comes of it alone."""
        self._items.add(item, previous_item_id, request_id)

    def delete_item(self, item_id: str, request_id: str = "") -> None:
        """Take an item out of the conversation."""
        self._items.delete(item_id, request_id)

    def item(self, item_id: str) -> Item | None:
        """The item of that id as it stands in the history; None where there is none."""
        return self._items.get(item_id)

    def truncate_item(self, item_id: str, audio_end_ms: int, request_id: str = "") -> None:
        """Cut a spoken item to what the client says was heard."""
        self._items.truncate(item_id, audio_end_ms, request_id)

    def acknowledge_playback(self, item_id: str, played_ms: int, buffered_ms: int) -> None:
        """The client says how much of an item it has played and how much of it waits to be."""
        self._replies.acknowledge(item_id, played_ms, buffered_ms)

    def request_reply(self, options: ReplyOptions, request_id: str = "") -> None:
        """Ask for a reply to the conversation as it stands; refused while one is active."""
        if self._core.agent is Agent.IDLE:
            self._performer.asked = options
        self._steps.happened(ev.ReplyRequested(request_id, options.interruptible))

    def cancel_reply(self, response_id: str | None = None, request_id: str = "") -> None:
        """Stop the reply under way (that of `response_id`, where one is named)."""
        current = self._replies.current
        if response_id is not None and (current is None or current.plan.response_id != response_id):
            code = act.FaultCode.NO_REPLY_ACTIVE.value
            message = f"no response {response_id!r} is active"
            self._notify(n.Fault(code, message, by_client=True, request_id=request_id, param="response_id"))
            return
        self._steps.happened(ev.ReplyCancelled(request_id))

    def configure(self, settings: SessionSettings) -> None:
        """Go on under other settings; a reply under way keeps those it began with.

        Raises `UnknownPin`, and then nothing changes.
        """
        if (settings.pins, settings.voice) != (self.settings.pins, self.settings.voice):
            self._engines = self._all_engines.for_session(settings.pins, self._decided.report, settings.voice)
        if not settings.listens and self._ears.listening and self._core.user is not User.SILENT:
            self._steps.happened(ev.InputCleared())
            self._notify(n.InputBufferCleared())
        self.settings = settings
        self._ears.set_listening(settings.listens)
        self._steps.happened(settings.turn)
        if self._core.agent is Agent.IDLE:
            self._warm()

    # ---- what comes of a step -----------------------------------------------------------------

    def _perform(self, actions: list[act.Action], late_ms: int) -> None:
        for action in actions:
            if isinstance(action, act.ReportFault):
                self._report(action)
            else:
                self._performer.perform(action, late_ms=late_ms)
        self._performer.settle_stopped()

    def _stepped(self, event: Input, fell_idle: bool) -> None:
        if isinstance(event, ev.DraftSettled):
            self._notify(n.DraftsCounted(self._core.drafts))
        self._floor.tell(is_followed=self.settings.follows_floor)
        if fell_idle:
            self._warm()

    def _settled(self) -> None:
        self._stirred_s = self._loop.time()
        self._leave_at_rest()

    def _step_crashed(self) -> None:
        self._log.exception("a step of the session crashed")
        self._notify(n.Fault("internal_error", "the server failed; the session ends", by_client=False))
        self.failed = True
        self.close()

    def _report(self, fault: act.ReportFault) -> None:
        by_client = fault.code in CLIENT_FAULTS
        if not by_client:
            self._log.warning("turn-taking fault", code=fault.code.value, reason=fault.message)
        self._notify(n.Fault(fault.code.value, fault.message, by_client=by_client, request_id=fault.request_id))

    # ---- within -------------------------------------------------------------------------------

    def _prompt(self, options: ReplyOptions, *, unfinished: str = "", note: str = "") -> Prompt:
        return history_prompt(
            self._history,
            self.settings,
            options,
            unfinished=unfinished,
            note=note,
            session_id=self.session_id,
            correlation_id=self._correlation_id,
        )

    def _warm(self, unfinished: str = "") -> None:
        self._warming.read(self._prompt(ReplyOptions(), unfinished=unfinished))

    def _on_overheard(self, text: str) -> None:
        """The model reads the user's words while they are still spoken."""
        if self._core.agent is Agent.IDLE and not self._replies.drafting:
            self._warm(text)

    def _notify(self, notice: n.Notice) -> None:
        if self._closed.is_set() or (isinstance(notice, n.ReplyPlanned) and not self.settings.follows_plan):
            return
        self._stirred_s = self._loop.time()
        self._notices.put(notice)
        if self._notices.is_lost:
            self.overrun = True
            self.close()

    def _spawn(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
        task = self._loop.create_task(work, name=task_name(kind_of_work(work), self.session_id))
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        self._leave_at_rest()
        if task.cancelled():
            return
        problem = task.exception()
        if problem is not None and not isinstance(problem, ProviderError):
            self._log.error("a task of the session crashed", exc_info=problem)
            self._notify(n.Fault("internal_error", "the server failed; the conversation goes on", by_client=False))

    @property
    def _holds_input(self) -> bool:
        """Whether there is audio that the client may yet commit."""
        return not self._ears.listening and self._ears.audio.end > self._ears.audio.start

    def _leave_at_rest(self) -> None:
        if self._is_leaving and self.is_at_rest and not self._closed.is_set():
            self.left = True
            self.close()

    def _now_ms(self) -> int:
        # Rounded up: a timer that fires at its deadline must not read a time before it.
        return math.ceil(self._loop.time() * 1000)
