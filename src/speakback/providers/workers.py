"""Worker threads owned by one provider: bounded, the most urgent call first, never the event loop's.

The rules, for all pools:

* Of the calls that wait, the most urgent goes first. Each step of urgency is worth a head start of `HEAD_START_S`,
  and among equals the oldest goes first. So nothing starves: no call waits for one that came more than 6 s after it.
* One thread of several is kept for work that somebody waits for (see `Urgency.may_be_in_vain`).
* When `max_waiting` calls wait, a call takes the place of the least urgent of them, if that is less urgent than itself:
  warming, partials and drafts are shed first. Else it is refused.
* A call whose purpose has a due time is not begun after it. It is not even queued if, by the length of the queue and
  what a call usually takes, it could not end in time; but where a thread is free it is always tried.
* A call whose caller is cancelled is dropped; one that has begun ends unheard.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar, cast

from speakback.providers.errors import Failure, ProviderError
from speakback.providers.nicer import give_way
from speakback.providers.urgency import Purpose, present_purpose
from speakback.providers.waits import UNREPORTED, WaitsReport

Result = TypeVar("Result")

HEAD_START_S = 1.0
"""By how much later a call may come and still go before one that is less urgent by one step."""
NEWEST_SHARE = 0.2
"""What the latest call weighs in how long a call usually takes."""


class Overdue(ProviderError):
    """It would have come too late to be of use, so it was not done. `Failure.SHED`, too."""


class Shed(ProviderError):
    """It gave way to something more urgent, or found no room. Always `Failure.SHED`: not the provider's ill health."""


@dataclass(eq=False)
class _Call(Generic[Result]):
    """A call that waits or is under way."""

    work: Callable[[], Result]
    purpose: Purpose
    number: int
    queued_s: float
    future: Future[Result] = field(default_factory=Future)

    @property
    def place(self) -> tuple[float, int]:
        """Its place in line; the least is first."""
        return self.queued_s + self.purpose.urgency * HEAD_START_S, self.number

    def run(self) -> Callable[[], None]:
        """Do it; returns what tells the caller."""
        try:
            return partial(self.future.set_result, self.work())
        except BaseException as problem:
            return partial(self.future.set_exception, problem)

    def fail(self, problem: ProviderError) -> None:
        """Tell the caller that it is not done."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(problem)


class Workers:
    """Runs blocking calls of one provider on `threads` threads; at most `max_waiting` more may wait."""

    def __init__(
        self,
        role: str,
        provider: str,
        *,
        threads: int,
        max_waiting: int = 64,
        gives_way: bool = True,
        waits: WaitsReport = UNREPORTED,
    ) -> None:
        """`gives_way`: to the event loop (`nicer.py`), as models do; no for calls of a few milliseconds, which would
        wait behind models for a core."""
        self._role = role
        self._provider = provider
        self._threads = threads
        self._max_waiting = max_waiting
        self._waits = waits
        self._lock = Lock()
        """Of the four below; held for microseconds."""
        self._waiting: list[_Call[object]] = []
        self._running: set[_Call[object]] = set()
        self._usually_takes_s = 0.0
        self._closed = False
        self._numbers = count()
        self._executor = ThreadPoolExecutor(
            threads, thread_name_prefix=f"{role}-{provider}", initializer=give_way if gives_way else None
        )
        waits.pool_made(role, self.oldest_wait_s)

    def oldest_wait_s(self) -> float:
        """For how long that one of the waiting calls has waited by now that came first; calls that may be in vain are
        left out. 0: none waits. On any thread."""
        with self._lock:
            return self._oldest_wait_s()

    async def run(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, done in its turn, for the purpose that holds here (`urgency.urgent`).

        Raises `Overdue`, `Shed`, and `ProviderError` after `aclose` and for whatever `work` raises.
        """
        call = _Call(work, present_purpose(), next(self._numbers), monotonic())
        self._queue(cast("_Call[object]", call))
        try:
            return await asyncio.wrap_future(call.future)
        except ProviderError:
            raise
        except Exception as error:  # the text of a model's own failure may quote speech: only its kind is told
            raise self._problem(f"failed with {type(error).__name__}") from None
        finally:
            self._withdraw(cast("_Call[object]", call))

    async def aclose(self) -> None:
        """Drop what waits, let what runs end, then release the threads."""
        with self._lock:
            self._closed = True
            dropped, self._waiting = self._waiting, []
        for call in dropped:
            self._waits.work_queued(self._role, -1)
            call.fail(self._problem("is closed"))
        await asyncio.to_thread(self._executor.shutdown, True)

    # ---- on the event loop --------------------------------------------------------------------

    def _queue(self, call: _Call[object]) -> None:
        """Put it in line. Raises `ProviderError` where it has no place there."""
        if self._closed:
            raise self._problem("is closed")
        try:
            with self._lock:
                if self._would_be_late(call):
                    raise self._overdue()
                shed = self._make_room(call)
                self._waiting.append(call)
        except ProviderError:
            with self._lock:
                would_wait_s = max(self._expected_wait_s(call), self._oldest_wait_s())
            self._waits.work_shed(self._role, call.purpose.urgency, would_wait_s)
            raise
        self._waits.work_queued(self._role, 1)
        if shed is not None:
            self._waits.work_queued(self._role, -1)
            self._waits.work_shed(self._role, shed.purpose.urgency, monotonic() - shed.queued_s)
            shed.fail(self._shed("gave way to more urgent work"))
        call.purpose.on_change(self._look_again)
        self._look_again()

    def _look_again(self) -> None:
        """Something may begin that could not before."""
        if not self._closed:
            self._executor.submit(self._work)

    def _would_be_late(self, call: _Call[object]) -> bool:
        due_s = call.purpose.due_s
        if due_s is None or len(self._running) + len(self._waiting) < self._threads:
            return False
        return monotonic() + self._expected_wait_s(call) + self._usually_takes_s > due_s

    def _expected_wait_s(self, call: _Call[object]) -> float:
        before = sum(other.place < call.place for other in self._waiting) + len(self._running) / 2
        return before / self._threads * self._usually_takes_s

    def _oldest_wait_s(self) -> float:
        wanted = (call.queued_s for call in self._waiting if not call.purpose.urgency.may_be_in_vain)
        now_s = monotonic()
        return now_s - min(wanted, default=now_s)

    def _make_room(self, call: _Call[object]) -> _Call[object] | None:
        """Take the least urgent call out of a full queue, the newest of those. Raises `Shed` if none is less urgent
        than `call`."""
        if len(self._waiting) < self._max_waiting:
            return None
        shed = max(self._waiting, key=lambda other: (other.purpose.urgency, other.number))
        if shed.purpose.urgency <= call.purpose.urgency:
            raise self._shed(f"{len(self._waiting)} calls are waiting already; it is overloaded")
        self._waiting.remove(shed)
        return shed

    def _withdraw(self, call: _Call[object]) -> None:
        """Its caller is done with it, if only because it was cancelled."""
        with self._lock:
            if call not in self._waiting:
                return
            self._waiting.remove(call)
        self._waits.work_queued(self._role, -1)

    # ---- on the threads -----------------------------------------------------------------------

    def _work(self) -> None:
        """Do what waits, in turn, until nothing is left that may begin."""
        while (call := self._take()) is not None:
            tell = self._done(call)
            with self._lock:
                self._running.remove(call)
            tell()

    def _take(self) -> _Call[object] | None:
        with self._lock:
            call = min(filter(self._may_begin, self._waiting), key=lambda each: each.place, default=None)
            if call is None:
                return None
            self._waiting.remove(call)
            self._running.add(call)
        self._waits.work_queued(self._role, -1)
        return call

    def _may_begin(self, call: _Call[object]) -> bool:
        if not call.purpose.urgency.may_be_in_vain:
            return True
        in_vain = sum(other.purpose.urgency.may_be_in_vain for other in self._running)
        return in_vain < max(1, self._threads - 1)

    def _done(self, call: _Call[object]) -> Callable[[], None]:
        """Do it, unless it is too late or nobody waits for it; returns what tells the caller."""
        began_s, due_s = monotonic(), call.purpose.due_s
        urgency = call.purpose.urgency
        if due_s is not None and began_s >= due_s:
            self._waits.work_shed(self._role, urgency, began_s - call.queued_s)
            return partial(call.fail, self._overdue())
        if not call.future.set_running_or_notify_cancel():
            return lambda: None
        self._waits.work_began(self._role, urgency, began_s - call.queued_s)
        tell = call.run()
        self._learn(monotonic() - began_s)
        return tell

    def _learn(self, took_s: float) -> None:
        with self._lock:
            share = NEWEST_SHARE if self._usually_takes_s else 1.0
            self._usually_takes_s += share * (took_s - self._usually_takes_s)

    # ---- within -------------------------------------------------------------------------------

    def _overdue(self) -> Overdue:
        message = "too many calls are before it for it to be in time"
        return Overdue(self._role, self._provider, message, failure=Failure.SHED)

    def _shed(self, message: str) -> Shed:
        return Shed(self._role, self._provider, message, failure=Failure.SHED)

    def _problem(self, message: str) -> ProviderError:
        return ProviderError(self._role, self._provider, message)
