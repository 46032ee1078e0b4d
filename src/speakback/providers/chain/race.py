"""One turn's requests: one at a time, two where the first is late; the first answer wins and the other is cancelled.

A race is run again and again over one turn: for its first answer, and then each time that more is wanted of the winner,
which may have stalled or failed by then.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from speakback.providers.chain.budget import Cost
from speakback.providers.chain.feed import is_past, now_ms
from speakback.providers.chain.order import Order
from speakback.providers.chain.standing import Standings
from speakback.providers.decisions import Decision, DecisionKind, Report
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.urgency import present_purpose


class Runner(Protocol):
    """A request under way."""

    name: str
    """The provider's."""
    is_second: bool
    told_late: bool
    has_answered: bool
    """It won a race before."""

    @property
    def ready(self) -> bool:
        """Whether it has something to give, or came to its proper end."""
        ...

    @property
    def has_ended(self) -> bool: ...

    @property
    def has_failed(self) -> bool:
        """It ended by a failure, whatever it has given before and whether that was taken or not."""
        ...

    @property
    def may_double(self) -> bool:
        """Whether a second request is made without asking the budget: the listener would hear a gap."""
        ...

    def problem(self) -> ProviderError:
        """Why it ended without an answer."""
        ...

    def late_at_ms(self, waiting_since_ms: float) -> float | None:
        """From when on it is late; None: it is not waited for."""
        ...

    def dead_at_ms(self, waiting_since_ms: float, patience_ms: float) -> float | None:
        """When it is given up."""
        ...

    def give_up(self) -> ProviderError | None:
        """It is dead; None: all was said, and only its end is missing, so that it is ready now."""
        ...

    def waited_ms(self) -> float | None:
        """How long it has taken, less what its work may take longer than another's; None: it had nothing to do."""
        ...

    def cost(self) -> Cost: ...

    def cancel(self) -> "asyncio.Task[None]":
        """Stop; returns the task that ends."""
        ...


R = TypeVar("R", bound=Runner)

STALLED = "it fell silent in its midst, and what is in hand runs out"
RESCUERS = 2
"""So many are asked at once where the listener would hear a gap: the quicker of two is hardly ever slow."""


class Race(Generic[R]):
    """The requests of one turn. `close` must be called at its end, whatever that is."""

    def __init__(self, standings: Standings, order: Order, launch: Callable[[str, bool], R], report: Report) -> None:
        self._standings = standings
        self._order = order
        self._launch = launch
        self._report = report
        self._changed = asyncio.Event()
        self._runners: list[R] = []
        self._begun: set[asyncio.Task[None]] = set()
        self.may_ask_again = True
        """False: a failure from here on is the turn's end."""

    def wake(self) -> None:
        """Something changed that may decide the race."""
        self._changed.set()

    async def winner(self) -> R:
        """Who has something to give; all others are cancelled.

        Raises `ProviderError` when nobody is left to ask, and when what may be in vain was shed.
        """
        waiting_since_ms = now_ms()
        if not self._runners:
            self._standings.budget.request()
            self._begin_next(None)
        while True:
            self._changed.clear()
            for runner in self._runners:
                if runner.ready:
                    self._won(runner)
                    return runner
            self._drop_failed(waiting_since_ms)
            self._double_late(waiting_since_ms)
            if not self._changed.is_set() and not any(runner.ready for runner in self._runners):
                await self._wait(waiting_since_ms)

    async def close(self) -> None:
        """Cancel all that is under way, and wait a moment for its end. Cancelling is safe: nothing is lost."""
        for runner in self._runners:
            if runner.has_failed:
                self._failed_in_vain(runner)
            if len(self._runners) > 1 and runner.is_second:
                self._standings.budget.waste(runner.cost())
            self._cancel(runner)
        self._runners.clear()
        await self._standings.stragglers.settle(self._begun)

    # ---- within -------------------------------------------------------------------------------

    def _won(self, runner: R) -> None:
        for other in self._runners:
            if other is runner:
                continue
            if other.has_ended and not other.ready:
                self._failed_too_late(other, runner)
                continue
            self._standings.budget.waste(other.cost())
            self._learn_from_loser(other)
            if runner.is_second and not runner.has_answered and not other.is_second:
                reason = f"it answered first, after {runner.waited_ms() or 0.0:.0f} ms of its own"
                self._tell(DecisionKind.HEDGE_WON, runner.name, reason, other.name)
            self._cancel(other)
        self._runners = [runner]
        if not runner.has_answered:
            runner.has_answered = True
            waited_ms = runner.waited_ms()
            if waited_ms is not None:
                self._standings.answered(runner.name, waited_ms, self._report)
        runner.told_late = False

    def _learn_from_loser(self, loser: R) -> None:
        waited_ms = loser.waited_ms()
        if loser.has_answered:  # and then fell silent
            problem = ProviderError(self._standings.role, loser.name, STALLED, failure=Failure.LATE)
            self._standings.failed(loser.name, problem, self._report)
        elif waited_ms is not None:
            self._standings.outrun(loser.name, waited_ms)

    def _failed_too_late(self, loser: R, winner: R) -> None:
        """It failed just when the other answered: it changes nothing, and belongs into the record all the same."""
        problem = loser.problem()
        self._order.failed(loser.name, problem)
        self._standings.failed(loser.name, problem, self._report)
        self._tell(DecisionKind.FAILED_OVER, winner.name, f"{problem}; the other request answered", loser.name)

    def _failed_in_vain(self, runner: R) -> None:
        """It failed when all was said, or as the turn was cut short: nobody is asked, and it is told all the same."""
        problem = runner.problem()
        self._standings.failed(runner.name, problem, self._report)
        self._tell(DecisionKind.FAILED_OVER, runner.name, f"{problem}; nobody was asked, as the turn was over")

    def _drop_failed(self, waiting_since_ms: float) -> None:
        for runner in list(self._runners):
            if runner.has_ended and not runner.ready:
                self._failed(runner, runner.problem())
                continue
            dead_at_ms = runner.dead_at_ms(waiting_since_ms, self._patience_ms())
            if dead_at_ms is None or not is_past(dead_at_ms):
                continue
            problem = runner.give_up()
            if problem is not None:
                self._failed(runner, problem)

    def _failed(self, runner: R, problem: ProviderError) -> None:
        self._runners.remove(runner)
        self._cancel(runner)
        self._order.failed(runner.name, problem)
        self._standings.failed(runner.name, problem, self._report)
        others = [other for other in self._runners if not other.told_late]
        if not self.may_ask_again:
            self._tell(DecisionKind.EXHAUSTED, runner.name, f"nobody may be asked again in this turn: {problem}")
            raise problem
        if others:
            reason = f"{problem}; the other request goes on"
            self._tell(DecisionKind.FAILED_OVER, others[0].name, reason, runner.name)
        elif problem.failure is Failure.SHED and present_purpose().urgency.may_be_in_vain:
            # It gave way to what somebody waits for; to ask elsewhere would only move the load. The pool has told.
            raise problem
        else:
            self._begin_next((runner.name, problem))

    def _begin_next(self, failed: tuple[str, ProviderError] | None) -> None:
        candidate = self._order.next({runner.name for runner in self._runners})
        if candidate is not None:
            name, remark = candidate
            self._begin(name, is_second=False)
            reason = "; ".join(part for part in (str(failed[1]) if failed else "", remark) if part)
            if reason:
                self._tell(DecisionKind.FAILED_OVER, name, reason, failed[0] if failed else None)
            return
        if failed is None:
            raise self._nobody()
        if self._runners:
            reason = f"{failed[1]}; a late request goes on, as nobody else is left"
            self._tell(DecisionKind.FAILED_OVER, self._runners[0].name, reason, failed[0])
            return
        problem = failed[1]
        self._tell(DecisionKind.EXHAUSTED, failed[0], f"nobody is left to ask; the last: {problem}")
        raise problem

    def _nobody(self) -> ProviderError:
        reason = "every provider's circuit is open for something that must be mended first"
        self._tell(DecisionKind.EXHAUSTED, "", reason)
        return ProviderError(self._standings.role, "chain", reason, failure=Failure.FORBIDDEN)

    def _double_late(self, waiting_since_ms: float) -> None:
        if len(self._runners) != 1 or not self.may_ask_again:
            return
        first, options = self._runners[0], self._standings.options
        late_at_ms = self._late_at_ms(first, waiting_since_ms)
        if first.told_late or late_at_ms is None or not is_past(late_at_ms):
            return
        first.told_late = True
        seconds = self._order.seconds(first.name)
        if not seconds or (options.hedge == "never" and not first.may_double):
            return
        reason = self._why_doubled(first)
        if not first.may_double and not self._standings.budget.take():
            reason = f"{reason}, but the budget is spent: {self._standings.budget.in_words()}"
            self._tell(DecisionKind.HEDGE_REFUSED, seconds[0], reason, first.name)
            return
        for second in seconds[: RESCUERS if first.may_double else 1]:
            if first.may_double:
                self._standings.budget.take_anyway()
            self._begin(second, is_second=True)
            self._tell(DecisionKind.HEDGED, second, reason, first.name)

    def _why_doubled(self, first: R) -> str:
        if first.has_answered:
            return STALLED
        if self._standings.options.hedge == "always":
            return "each request is doubled"
        return f"nothing came for {first.waited_ms() or 0.0:.0f} ms"

    def _late_at_ms(self, runner: R, waiting_since_ms: float) -> float | None:
        late_at_ms = runner.late_at_ms(waiting_since_ms)
        if late_at_ms is None or runner.has_answered or self._standings.options.hedge != "always":
            return late_at_ms
        return now_ms()

    def _patience_ms(self) -> float:
        options = self._standings.options
        names = {runner.name for runner in self._runners}
        is_last = len(self._runners) == 1 and not self._order.is_anybody_left(names)
        return options.last_patience_ms if is_last or not self.may_ask_again else options.patience_ms

    def _begin(self, name: str, *, is_second: bool) -> None:
        self._runners.append(self._launch(name, is_second))

    def _cancel(self, runner: R) -> None:
        task = runner.cancel()
        self._begun.add(task)
        self._standings.stragglers.keep(task)

    async def _wait(self, waiting_since_ms: float) -> None:
        due_ms: list[float] = []
        patience_ms = self._patience_ms()
        for runner in self._runners:
            late_at_ms = None if runner.told_late else self._late_at_ms(runner, waiting_since_ms)
            dead_at_ms = runner.dead_at_ms(waiting_since_ms, patience_ms)
            due_ms += [at for at in (late_at_ms if len(self._runners) == 1 else None, dead_at_ms) if at is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(due_ms) / 1000 if due_ms else None):
                await self._changed.wait()

    def _tell(self, kind: DecisionKind, name: str, reason: str, instead_of: str | None = None) -> None:
        self._report(Decision(self._standings.role, kind, name, reason, instead_of))
