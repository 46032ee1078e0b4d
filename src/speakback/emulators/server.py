"""Serves applications on this machine for as long as a context lasts, and leaves no task behind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType

from aiohttp import ClientConnectionResetError, web
from aiohttp.typedefs import Handler

SHUTDOWN_S = 0.2
"""How long requests may take to end when the server does; a stalled one never would."""

LAST_PORT = 65_535
ANY_PORT: Mapping[str, int] = MappingProxyType({})


class CannotListenError(Exception):
    """An address cannot be had; the message says which, and why."""


@asynccontextmanager
async def serving(
    apps: Mapping[str, web.Application], host: str = "127.0.0.1", ports: Mapping[str, int] = ANY_PORT
) -> AsyncIterator[Mapping[str, str]]:
    """Serve each application on a port of its own; gives their addresses by name, such as `http://127.0.0.1:8765`.

    An application without a port in `ports`, or with 0, gets a free one. A handler is cancelled when its client goes
    away, and at the end of the context. Raises `CannotListenError`.
    """
    async with AsyncExitStack() as stack:
        addresses = {
            name: await stack.enter_async_context(_listening(name, app, host, ports.get(name, 0)))
            for name, app in apps.items()
        }
        yield MappingProxyType(addresses)


@asynccontextmanager
async def _listening(name: str, app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    at_work: set[asyncio.Task[object]] = set()

    @web.middleware
    async def noting(request: web.Request, handler: Handler) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None, "a handler runs in a task"
        at_work.add(task)
        task.add_done_callback(at_work.discard)
        try:
            return await handler(request)
        except ClientConnectionResetError:  # the client hung up: this answer, too, goes nowhere
            return web.Response()

    app.middlewares.insert(0, noting)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True)
    await runner.setup()
    try:
        if not 0 <= port <= LAST_PORT:  # some event loops take it modulo 65536
            raise CannotListenError(f"{name}: cannot listen on {host}:{port} (ports are from 0 to {LAST_PORT})")
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as problem:
            reason = problem.strerror or problem
            raise CannotListenError(f"{name}: cannot listen on {host}:{port} ({reason})") from None
        bound: int = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    finally:
        for site in list(runner.sites):
            await site.stop()
        await _end(at_work)
        await runner.cleanup()


async def _end(at_work: set[asyncio.Task[object]]) -> None:
    """Let handlers end, then cancel them, once: the runner would cancel them twice, in the midst of clearing up."""
    if at_work:
        _, late = await asyncio.wait(at_work, timeout=SHUTDOWN_S)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
