"""Where there is to be one worker at any time."""

import asyncio

import structlog

from speakback.supervisor.link import Word
from speakback.supervisor.worker import Recipe, Worker, WorkerFailed, hired

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STEADY_S = 60.0
"""A worker that lived for so long did not die of its start."""

log = structlog.get_logger(__name__)


def wait_before_s(deaths: int) -> float:
    """How long to wait before a worker is replaced: the first time not at all, then longer each time. Pure."""
    return 0.0 if deaths <= 1 else min(FIRST_WAIT_S * 2.0 ** (deaths - 2), LONGEST_WAIT_S)


class Place:
    """One place. `fill` it, then it stays filled until `vacate`."""

    def __init__(self, recipe: Recipe, leaves_within_s: float) -> None:
        self._recipe = recipe
        self._leaves_within_s = leaves_within_s
        self._worker: Worker | None = None
        self._leaving: set[Worker] = set()
        self._keeping: asyncio.Task[None] | None = None

    async def fill(self) -> None:
        """Put a worker here. Raises `WorkerFailed`."""
        self._keep(await hired(self._recipe))

    async def renew(self) -> None:
        """Put another worker here: it is ready before the present one drains. Returns when that is gone.

        Raises `WorkerFailed`, and then the present one stays.
        """
        successor = await hired(self._recipe)
        old, watching = self._worker, self._keeping
        if old is not None:
            self._leaving.add(old)  # from here on, so that `vacate` finds it where this is cancelled
        self._keep(successor)
        await _stopped(watching)
        if old is not None:
            await self._see_off(old, Word.MAKE_ROOM)

    async def vacate(self) -> None:
        """Let the worker drain, and put none here any more. Returns when it is gone."""
        await _stopped(self._keeping)
        await asyncio.gather(*(self._see_off(worker, Word.LEAVE) for worker in self._present()))

    def hurry(self) -> None:
        """Let who is here end at once."""
        for worker in self._present():
            worker.hurry()

    # ---- within -------------------------------------------------------------------------------

    def _present(self) -> set[Worker]:
        return self._leaving | (set() if self._worker is None else {self._worker})

    async def _see_off(self, worker: Worker, word: Word) -> None:
        self._leaving.add(worker)
        await worker.see_off(self._leaves_within_s, word)
        self._leaving.discard(worker)

    def _keep(self, worker: Worker) -> None:
        self._worker = worker
        self._keeping = asyncio.create_task(self._stay_filled(worker))

    async def _stay_filled(self, worker: Worker) -> None:
        """Replace the worker whenever it dies."""
        now = asyncio.get_running_loop().time
        deaths = 0
        while True:
            began_s = now()
            code = await worker.ended()
            self._worker = None
            deaths = 1 if now() - began_s >= STEADY_S else deaths + 1
            log.error("a worker died", pid=worker.pid, exit_code=code, replaced_in_s=wait_before_s(deaths))
            worker, deaths = await self._replacement(deaths)
            self._worker = worker

    async def _replacement(self, deaths: int) -> tuple[Worker, int]:
        """Another worker, and how many died by then: those that could not start count as well."""
        while True:
            await asyncio.sleep(wait_before_s(deaths))
            try:
                return await hired(self._recipe), deaths
            except WorkerFailed as problem:
                deaths += 1
                wait_s = wait_before_s(deaths)
                log.error("a worker did not start", reason=str(problem), exit_code=problem.exit_code, tried_in_s=wait_s)


async def _stopped(task: "asyncio.Task[None] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
