"""One request of a race: a feed, and when it is late or dead. What speech to text and language models share."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Generic, TypeVar

from speakback.providers.chain.budget import Cost
from speakback.providers.chain.feed import Feed, now_ms
from speakback.providers.decisions import Role
from speakback.providers.errors import Failure, ProviderError

T = TypeVar("T")


def as_provider_error(role: Role, name: str, problem: BaseException | None, *, otherwise: str) -> ProviderError:
    """What ended a request, as a failure of its provider; None: it ended by itself, but without what was asked for.

    Texts of foreign exceptions may quote speech: only their kind is told.
    """
    if isinstance(problem, ProviderError):
        return problem
    if problem is None:
        return ProviderError(role, name, otherwise, failure=Failure.BAD_ANSWER)
    return ProviderError(role, name, f"failed with {type(problem).__name__}", failure=Failure.INTERNAL)


class Request(Generic[T]):
    """A `Runner` whose work is known when it begins. `answers` tells an answer from what is none by itself.

    `may_be_empty`: to end without an answer is an answer, as where the rest of something was asked for.
    """

    def __init__(
        self,
        role: Role,
        name: str,
        source: AsyncGenerator[T, None],
        *,
        wake: Callable[[], None],
        answers: Callable[[T], bool],
        late_after_ms: float,
        stall_ms: float,
        allowance_ms: float = 0.0,
        is_second: bool = False,
        may_be_empty: bool = False,
        cost: Cost,
    ) -> None:
        self.role: Role = role
        self.name = name
        self.is_second = is_second
        self.told_late = False
        self.has_answered = False
        self.feed = Feed(source, wake)
        self._answers = answers
        self._may_be_empty = may_be_empty
        self._began_ms = now_ms()
        self._late_after_ms = late_after_ms
        self._stall_ms = stall_ms
        self._allowance_ms = allowance_ms
        self._cost = cost

    @property
    def ready(self) -> bool:
        """See `Runner`. Once it has answered, its proper end is an answer, too."""
        has_ended_well = self.feed.ended and self.feed.problem is None
        if not self.has_answered:
            return any(map(self._answers, self.feed.items)) or (self._may_be_empty and has_ended_well)
        return bool(self.feed.items) or has_ended_well

    @property
    def has_ended(self) -> bool:
        return self.feed.ended

    @property
    def has_failed(self) -> bool:
        return self.feed.ended and self.feed.problem is not None

    @property
    def may_double(self) -> bool:
        return False

    def problem(self) -> ProviderError:
        return as_provider_error(self.role, self.name, self.feed.problem, otherwise="it ended without an answer")

    def late_at_ms(self, waiting_since_ms: float) -> float | None:
        return None if self.has_answered else self._began_ms + self._late_after_ms + self._allowance_ms

    def dead_at_ms(self, waiting_since_ms: float, patience_ms: float) -> float | None:
        late_at_ms = self.late_at_ms(waiting_since_ms)
        if late_at_ms is not None:
            return late_at_ms + patience_ms
        return max(waiting_since_ms, self.feed.last_ms or 0.0) + self._stall_ms

    def give_up(self) -> ProviderError | None:
        when = "stopped in its midst" if self.has_answered else "gave nothing"
        reason = f"it {when} and is given up {now_ms() - self._began_ms:.0f} ms after it was asked"
        return ProviderError(self.role, self.name, reason, failure=Failure.LATE)

    def waited_ms(self) -> float:
        return max(now_ms() - self._began_ms - self._allowance_ms, 0.0)

    def cost(self) -> Cost:
        return self._cost + Cost(tokens=len(self.feed.items)) if self.role == "llm" else self._cost

    def cancel(self) -> "asyncio.Task[None]":
        self.feed.cancel()
        return self.feed.task
