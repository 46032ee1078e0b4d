"""A server under test: a fresh process that says `ready PORT`, tells its loop's lag when asked, and is ended."""

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from benchmarks.peers.loop_lag import Lag

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 10.0
REPOSITORY = Path(__file__).resolve().parents[2]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""More spin on cores that the other sessions need; the same for both servers."""
_LINES_KEPT = 40


class ServerFailed(Exception):
    """The server did not start, or ended; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that is ready."""

    port: int
    process: asyncio.subprocess.Process
    said: deque[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    async def lag(self) -> Lag:
        """That of its event loop since the last call. Raises `ServerFailed`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"lag\n")
        async with asyncio.timeout(READY_WITHIN_S):
            line = await self.process.stdout.readline()
        if not line:
            raise ServerFailed("\n".join(["the server ended. It said:", *self.said]))
        return cast(Lag, json.loads(line))


@asynccontextmanager
async def serving(command: Sequence[str]) -> AsyncIterator[Server]:
    """Run `command` for as long as the context lasts. Raises `ServerFailed`."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=REPOSITORY,
        env={**os.environ, **ONE_THREAD},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said: deque[str] = deque(maxlen=_LINES_KEPT)
    reader = asyncio.create_task(_keep(process, said))
    try:
        yield Server(await _port(process, said), process, said)
    finally:
        await _stop(process)
        await reader


async def _port(process: asyncio.subprocess.Process, said: deque[str]) -> int:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            async for line in process.stdout:
                if line.startswith(b"ready "):
                    return int(line.split()[1])
    except TimeoutError:
        raise ServerFailed("\n".join(["the server was not ready in time. It said:", *said])) from None
    await process.wait()
    await asyncio.sleep(0.1)  # its last words may still be in the other pipe
    raise ServerFailed("\n".join(["the server ended before it was ready. It said:", *said]))


async def _keep(process: asyncio.subprocess.Process, said: deque[str]) -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        said.append(line.decode(errors="replace").rstrip())


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
