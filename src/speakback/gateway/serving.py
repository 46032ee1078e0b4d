"""Listens on an address for as long as a context lasts, or until its doors are closed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from speakback.config import ConfigError
from speakback.gateway.app import Addition, create_app, nothing_more
from speakback.gateway.drain import end_now
from speakback.gateway.service import Service

SHUTDOWN_S = 0.2
"""What a request that is no session may still take when the server ends; all sessions have ended before."""


class Doors:
    """Where one server listens."""

    def __init__(self, runner: web.AppRunner, host: str, site: web.TCPSite) -> None:
        self._runner = runner
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{site.port}"
        """Such as `http://127.0.0.1:8765`."""

    async def close(self) -> None:
        """Let nobody knock any more; who is connected stays."""
        for site in self._runner.sites:
            await site.stop()


@asynccontextmanager
async def opened(
    service: Service, host: str, port: int, *, shares_port: bool = False, add: Addition = nothing_more
) -> AsyncIterator[Doors]:
    """Serve `service` (port 0 takes a free one), and what is to `add`; one that `shares_port` lets others of this
    account listen there too.

    Leaving the context ends every session that is left with close code 1012, as it stands: to leave unheard is
    `gateway.drain.drain`. Raises `ConfigError` when the address cannot be had.
    """
    # No access log: its lines hold query strings, and every session logs its own beginning and end.
    runner = web.AppRunner(create_app(service, add), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        yield Doors(runner, host, await _start(runner, host, port, shares_port))
    finally:
        # Not left to the runner: it would wait for each client without an end of its own, or cut all of them.
        await end_now(service)
        await runner.cleanup()


@asynccontextmanager
async def listening(service: Service, host: str, port: int, *, add: Addition = nothing_more) -> AsyncIterator[str]:
    """The same for whom the address will do. Raises `ConfigError`."""
    async with opened(service, host, port, add=add) as doors:
        yield doors.address


async def _start(runner: web.AppRunner, host: str, port: int, shares_port: bool) -> web.TCPSite:
    site = web.TCPSite(runner, host, port, reuse_port=shares_port or None)
    try:
        await site.start()
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise ConfigError([f"server.host, server.port: cannot listen on {host}:{port} ({reason})."]) from None
    return site
