"""Serves applications on this machine for as long as a context lasts, and leaves no task behind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Handler

SHUTDOWN_S = 0.2
"""How long requests may take to end when the server does; a stalled one never would."""

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
        return await handler(request)

    app.middlewares.insert(0, noting)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, OverflowError) as problem:
            reason = getattr(problem, "strerror", None) or problem
            raise CannotListenError(f"{name}: cannot listen on {host}:{port} ({reason})") from None
        bound: int = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    finally:
        await runner.cleanup()
        if at_work:  # cancelled by now; the runner does not wait until they have ended
            await asyncio.wait(at_work)
