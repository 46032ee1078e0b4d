"""A server of its own for demo, bench and tests: a process on a free loopback port, ended with the context."""

import asyncio
import os
import secrets
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from speakback.caller.errors import CallError
from speakback.config.catalogue import COMMON_VARIABLES, VARIABLE_PREFIX

SERVE = ("speakback", "serve")
"""The module to run and its arguments; another that takes `--host` and `--port` and says when it is ready will do."""
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 10.0
_READY = "speakback: ready at "
_WEIGHTS = "SPEAKBACK_WEIGHTS__DIRECTORY"
_LINES_KEPT = 30
"""Of what the server logged, to show when it does not start."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that is ready."""

    url: str
    """Where to call it."""
    api_key: str
    pid: int


@asynccontextmanager
async def server_process(
    extra_environ: Mapping[str, str] | None = None,
    *,
    with_own_settings: bool = False,
    module: Sequence[str] = SERVE,
) -> AsyncIterator[ServerProcess]:
    """Start `module` (`speakback serve`) with a key of its own, wait until its models are loaded. Raises `CallError`.

    Unless it is `with_own_settings` (the user's file and variables), it has the defaults, so that what is measured
    is the same everywhere; only where weights lie is the user's. `extra_environ` counts in both cases.
    """
    api_key = secrets.token_urlsafe(16)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, "--host", "127.0.0.1", "--port", "0",
        env={
            **(os.environ if with_own_settings else default_environ(os.environ)),
            **(extra_environ or {}),
            "SPEAKBACK_SERVER__API_KEYS": api_key,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    logged: deque[str] = deque(maxlen=_LINES_KEPT)
    # Both pipes are read for as long as the server lives: a full pipe would stop it.
    readers = [asyncio.create_task(_keep(process.stderr, logged))]
    try:
        address = await _ready_address(process.stdout, logged)
        readers.append(asyncio.create_task(_keep(process.stdout, logged)))
        yield ServerProcess(f"{address.replace('http', 'ws', 1)}/v1/realtime", api_key, process.pid)
    finally:
        await _stop(process)
        await asyncio.gather(*readers)


def default_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with no settings in it but where weights lie; an empty file stands in for ./speakback.toml."""
    kept = {name: value for name, value in environ.items() if name == _WEIGHTS or not _is_setting(name)}
    return {**kept, "SPEAKBACK_CONFIG": os.devnull}


def _is_setting(name: str) -> bool:
    return name.startswith(VARIABLE_PREFIX) or name in COMMON_VARIABLES


async def _ready_address(stdout: asyncio.StreamReader, logged: deque[str]) -> str:
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            async for line in stdout:
                text = line.decode(errors="replace").strip()
                if text.startswith(_READY):
                    return text.removeprefix(_READY).split()[0]
                logged.append(text)
    except TimeoutError:
        raise CallError(_failed(f"was not ready within {READY_WITHIN_S:.0f} s", logged)) from None
    await asyncio.sleep(0.1)  # its last words may still be in the other pipe
    raise CallError(_failed("ended before it was ready", logged))


def _failed(what: str, logged: deque[str]) -> str:
    return "\n".join([f"the server {what}. It said:", *logged])


async def _keep(stream: asyncio.StreamReader, logged: deque[str]) -> None:
    async for line in stream:
        logged.append(line.decode(errors="replace").rstrip())


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    try:
        process.terminate()
    except ProcessLookupError:
        return
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
