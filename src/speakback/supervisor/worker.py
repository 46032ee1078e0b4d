"""One worker: a process of its own, from its start to its end."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from speakback.supervisor.link import OPTION, Link, Word, link_over

log = structlog.get_logger(__name__)


class WorkerFailed(Exception):
    """A worker ended before it was ready, or was not in time. Its own message is on stderr."""

    def __init__(self, exit_code: int | None) -> None:
        how = "was not ready in time" if exit_code is None else f"ended with exit code {exit_code} before it was ready"
        super().__init__(f"a worker {how}; what it said stands above.")
        self.exit_code = exit_code
        """None: it was not ready in time."""


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

    async def see_off(self, within_s: float) -> None:
        """Let it drain, and wait for its end; it is killed where that takes longer."""
        self._link.say(Word.LEAVE)
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
                    raise WorkerFailed(await self.ended())
        except TimeoutError:
            raise WorkerFailed(None) from None


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
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *recipe.command, OPTION, str(theirs.fileno()),
            env=recipe.environ,
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            process_group=0,  # Ctrl-C in a terminal is for the supervisor, which passes it on
        )  # fmt: skip
    return Worker(process, await link_over(ours))
