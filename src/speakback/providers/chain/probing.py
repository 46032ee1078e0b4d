"""Probes of providers whose circuits are open: in the background, never on a user's turn."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from speakback.providers.chain.breaker import Breaker, Circuit
from speakback.providers.chain.feed import now_ms
from speakback.providers.decisions import Decision, DecisionKind, Report, Role
from speakback.providers.errors import Failure, ProviderError

JITTER = 0.25
"""Probes come up to this share later than due: processes that failed together do not come back together."""
PROBE_PATIENCE_S = 8.0

Probe = Callable[[], Awaitable[None]]
"""Asks one provider for as little as will do. Raises whatever the provider raises."""


class Prober:
    """The probes of one chain: a task for each open circuit."""

    def __init__(self, role: Role, report: Report, rng: Random) -> None:
        self._role: Role = role
        self._report = report
        self._rng = rng
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def watch(self, name: str, breaker: Breaker, probe: Probe) -> None:
        """Probe this provider until its circuit is closed."""
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(
                self._watch(name, breaker, probe), name=f"probe of {self._role} {name}"
            )

    async def aclose(self) -> None:
        """Stop probing."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _watch(self, name: str, breaker: Breaker, probe: Probe) -> None:
        try:
            while breaker.circuit is not Circuit.CLOSED:
                wait_ms = breaker.probe_at_ms - now_ms()
                if wait_ms > 0:
                    await asyncio.sleep(wait_ms * self._rng.uniform(1, 1 + JITTER) / 1000)
                    continue
                breaker.probe_began()
                problem = await self._problem_of(name, probe)
                if problem is not None:
                    breaker.failed(problem, now_ms())
                elif breaker.succeeded(now_ms()):
                    reason = "a probe in the background answered"
                    self._report(Decision(self._role, DecisionKind.CIRCUIT_CLOSED, name, reason))
        finally:
            del self._tasks[name]

    async def _problem_of(self, name: str, probe: Probe) -> ProviderError | None:
        try:
            async with asyncio.timeout(PROBE_PATIENCE_S):
                await probe()
        except ProviderError as problem:
            return problem
        except TimeoutError:
            return ProviderError(self._role, name, "did not answer a probe", failure=Failure.LATE)
        except Exception as problem:
            return ProviderError(self._role, name, f"failed a probe with {type(problem).__name__}")
        return None
