"""`speakback serve`: load the models and hold conversations until told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from speakback.cli.options import ConfigOption

if TYPE_CHECKING:
    from speakback.config import Settings

_T = TypeVar("_T")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; any but loopback needs an API key.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    config: ConfigOption = None,
) -> None:
    """Hold conversations until interrupted."""
    from speakback.config import load_settings
    from speakback.observe.logging import configure_logging

    loaded = load_settings(config, os.environ, {"server.host": host, "server.port": port})
    configure_logging(loaded.settings.log.level, loaded.settings.log.format)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve_until_stopped(loaded.settings))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one; None for the loop of the standard library."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def serve_until_stopped(settings: "Settings") -> None:
    """Listen at once (`/readyz` says 503), load the models, admit sessions; end cleanly on SIGINT or SIGTERM.

    Raises `ConfigError`, `WeightsError` and `ProviderError`, each with a message for the operator.
    """
    from speakback.gateway.opening import sessions_on
    from speakback.gateway.service import Service
    from speakback.gateway.serving import listening
    from speakback.gateway.terms import terms_of
    from speakback.providers.registry import build_engines
    from speakback.session.trace import traces_in

    service = Service(terms_of(settings))
    stopped = stop_signal()
    engines = None
    try:
        async with (
            traces_in(settings.trace.directory) as begin_trace,
            listening(service, settings.server.host, settings.server.port) as address,
        ):
            typer.echo(f"speakback: listening on {address}; loading the models", err=True)
            engines = await _unless(stopped, build_engines(settings))
            if engines is not None:
                service.become_ready(sessions_on(engines, begin_trace))
                typer.echo(f"speakback: ready at {address} (open it in a browser to see how to connect)")
                await stopped.wait()
    finally:
        if engines is not None:
            await engines.aclose()


def stop_signal() -> asyncio.Event:
    """Set when the process is asked to end; to be called once its loop runs."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":  # there, Ctrl-C cancels the main task instead
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stopped.set)
    return stopped


async def _unless(stopped: asyncio.Event, work: Coroutine[object, object, _T]) -> _T | None:
    """What `work` gives, or None if the server is told to stop before."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
