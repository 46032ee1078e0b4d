"""One worker: a process of its own, from its start to its end."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import structlog

from speakback.supervisor.link import OPTION, Link, Word, link_over

log = structlog.get_logger(__name__)


class WorkerFailed(Exception):
    """A worker could not be begun, ended before it was ready, or was not in time. What it said is on stderr."""

    def __init__(self, how: str, exit_code: int | None = None) -> None:
        super().__init__(f"a worker {how}.")
        self.exit_code = exit_code
        """None: it did not end by itself."""


def _ended_early(exit_code: int) -> WorkerFailed:
    return WorkerFailed(f"ended with exit code {exit_code} before it was ready; what it said stands above", exit_code)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start a worker."""

    command: Sequence[str]
    environ: Mapping[str, str]
    ready_within_s: float = 300.0
    """To load the models from a slow disk takes its time."""


class Worker:
    """A worker that runs. Made by `hired`."""

    def __init__(self, process: asyncio.subprocess.Process, link: Link) -> None:
        self.pid = process.pid
        self._process = process
        self._link = link

    async def ended(self) -> int:
        """Wait for the process's end; its exit code, negative for a signal."""
        code = await self._process.wait()
        self._link.close()
        return code

    async def see_off(self, within_s: float, word: Word = Word.LEAVE) -> None:
        """Tell it to drain, and wait for its end; it is killed where that takes longer."""
        self._link.say(word)
        try:
            async with asyncio.timeout(within_s):
                code = await self.ended()
        except TimeoutError:
            log.error("a worker did not leave in time and is killed", pid=self.pid, within_s=within_s)
            await self.kill()
        else:
            log.info("a worker left", pid=self.pid, exit_code=code)

    def hurry(self) -> None:
        """End at once."""
        self._link.say(Word.HURRY)

    async def kill(self) -> None:
        """End it without a word."""
        if self._process.returncode is None:
            self._process.kill()
        await self.ended()

    async def until_ready(self, within_s: float) -> None:
        """Wait until it holds conversations. Raises `WorkerFailed`."""
        try:
            async with asyncio.timeout(within_s):
                if await self._link.hear() is None:
                    raise _ended_early(await self.ended())
        except TimeoutError:
            raise WorkerFailed("was not ready in time; what it said stands above") from None


async def hired(recipe: Recipe) -> Worker:
    """A worker that is ready. Raises `WorkerFailed`; then, and if this is cancelled, nothing of it is left."""
    worker = await _started(recipe)
    try:
        await worker.until_ready(recipe.ready_within_s)
    except BaseException:
        await worker.kill()
        raise
    log.info("a worker is ready", pid=worker.pid)
    return worker


async def _started(recipe: Recipe) -> Worker:
    """Raises `WorkerFailed`, also where the system has no process, memory or file left for it."""
    with ExitStack() as undone:
        try:
            ours, theirs = socket.socketpair()
            undone.callback(ours.close)
            with theirs:
                process = await _begun(recipe, theirs.fileno())
        except (OSError, RuntimeError) as problem:  # RuntimeError: asyncio got no thread to wait for the process
            raise WorkerFailed(f"could not be begun ({_reason(problem)})") from None
        undone.pop_all()
    try:
        return Worker(process, await link_over(ours))
    except BaseException as problem:
        ours.close()
        process.kill()
        await process.wait()
        if isinstance(problem, OSError):
            raise WorkerFailed(f"could not be spoken to ({_reason(problem)})") from None
        raise


async def _begun(recipe: Recipe, link_number: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *recipe.command, OPTION, str(link_number),
        env=recipe.environ,
        stdin=asyncio.subprocess.DEVNULL,
        pass_fds=(link_number,),
        process_group=0,  # Ctrl-C in a terminal is for the supervisor, which passes it on
    )  # fmt: skip


def _reason(problem: OSError | RuntimeError) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem) or type(problem).__name__
