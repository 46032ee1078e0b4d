"""All places: filled at the start, renewed one after the other, vacated in the end."""

import asyncio

import structlog

from speakback.supervisor.place import Place
from speakback.supervisor.worker import Recipe, WorkerFailed

LATE_S = 3.0
"""A worker that is not gone so long after it should have ended by itself is killed: it hangs."""

log = structlog.get_logger(__name__)


class Crew:
    """The workers of one server."""

    def __init__(self, recipe: Recipe, size: int, drain_s: float) -> None:
        self._places = [Place(recipe, drain_s + LATE_S) for _ in range(size)]

    async def muster(self) -> None:
        """Fill all places. Raises `WorkerFailed`."""
        first, *others = self._places
        await first.fill()  # alone: what keeps workers from starting is told once, and what it reads others find read
        try:
            async with asyncio.TaskGroup() as filling:
                for place in others:
                    filling.create_task(place.fill())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def renew(self) -> None:
        """Put new workers into all places, one after the other; where one does not start, the rest stays as it is."""
        log.info("the workers are renewed", workers=len(self._places))
        for place in self._places:
            try:
                await place.renew()
            except WorkerFailed as problem:
                reason, exit_code = str(problem), problem.exit_code
                log.error("a new worker did not start: the present ones stay", reason=reason, exit_code=exit_code)
                return
        log.info("the workers were renewed", workers=len(self._places))

    async def dismiss(self, hurry: asyncio.Event) -> None:
        """Let all workers drain, at once where `hurry` is set; returns when they are gone."""
        hurrying = asyncio.create_task(self._hurry(hurry))
        await asyncio.gather(*(place.vacate() for place in self._places))
        hurrying.cancel()
        await asyncio.wait([hurrying])

    async def _hurry(self, hurry: asyncio.Event) -> None:
        await hurry.wait()
        for place in self._places:
            place.hurry()
