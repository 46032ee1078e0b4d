"""Listens on an address for as long as a context lasts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from speakback.config import ConfigError
from speakback.gateway.app import create_app
from speakback.gateway.service import Service

SHUTDOWN_S = 5.0
"""How long sessions may take to end when the server does."""


@asynccontextmanager
async def listening(service: Service, host: str, port: int) -> AsyncIterator[str]:
    """Serve `service`; gives the address, such as `http://127.0.0.1:8765` (port 0 takes a free one).

    Leaving the context ends every session with close code 1012. Raises `ConfigError` when the address cannot be had.
    """
    # No access log: its lines hold query strings, and every session logs its own beginning and end.
    runner = web.AppRunner(create_app(service), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await _start(runner, host, port)
        bound_port: int = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{bound_port}"
    finally:
        await runner.cleanup()


async def _start(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise ConfigError([f"server.host, server.port: cannot listen on {host}:{port} ({reason})."]) from None
