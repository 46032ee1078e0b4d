"""`speakback serve`: load the models and hold conversations until told to stop."""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from speakback.cli.options import ConfigOption
from speakback.cli.stopping import Stopping, by_signals, on_hangup, unless

if TYPE_CHECKING:
    from speakback.config import Settings
    from speakback.gateway.service import Service
    from speakback.gateway.serving import Doors
    from speakback.providers.engines import Engines
    from speakback.providers.waits import WaitsReport

Build: TypeAlias = "Callable[[Settings, WaitsReport], Coroutine[object, object, Engines]]"
"""Engines other than those that the settings name. Their pools tell how work waits."""
LAST_S = 0.6
"""How long the process may take to end once its sessions have."""
FREED_AFTER_S = 1.0
"""What is left of conversations is freed so long after the last one, while nobody is on the line."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; any but loopback needs an API key.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port; SIGHUP renews them.")] = None,
    config: ConfigOption = None,
    worker_link: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Hold conversations until interrupted."""
    from speakback.cli.workers import as_worker, supervise
    from speakback.config import load_settings
    from speakback.observe.logging import configure_logging

    options = {"server.host": host, "server.port": port, "server.workers": workers}
    loaded = load_settings(config, os.environ, options)
    configure_logging(loaded.settings.log.level, loaded.settings.log.format)
    if worker_link is not None:
        run(as_worker(loaded.settings, worker_link))
    elif loaded.settings.server.workers > 1:
        chosen = [] if config is None else ["--config", str(config)]
        supervise(loaded, [sys.executable, "-m", "speakback", "serve", *chosen])
    else:
        run(_alone(loaded.settings))


def run(work: Coroutine[object, object, None]) -> None:
    """Run a server's whole life on the quickest event loop there is."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(work)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one; None for the loop of the standard library."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


@dataclass(frozen=True, slots=True)
class Process:
    """What a server has to know of the process that it lives in."""

    stopping: Stopping
    tell_listening: Callable[[str], None]
    """Told the address, once something answers there."""
    tell_ready: Callable[[str], None]
    """Told the address, once sessions are admitted."""
    end_within: Callable[[float], None]
    """Told when nothing is left to be done: the process is to end in so many seconds, whatever hangs."""
    shares_port: bool = False


async def serve_until_stopped(
    settings: "Settings",
    process: Process,
    build: "Build | None" = None,
) -> None:
    """Listen at once (`/readyz` says 503), load the models (or `build` others), admit sessions; leave when asked to.

    Raises `ConfigError`, `WeightsError` and `ProviderError`, each with a message for the operator.
    """
    from speakback.gateway.opening import sessions_on
    from speakback.gateway.page_tokens import page_tokens_by
    from speakback.gateway.resume.resumption import resumption_by
    from speakback.gateway.service import Service
    from speakback.gateway.serving import opened
    from speakback.gateway.terms import terms_of
    from speakback.providers.registry import build_engines
    from speakback.providers.waits import WorkWaits
    from speakback.session.trace import traces_in
    from speakback.web.whole import whole_page

    service = Service(terms_of(settings))
    add_page = await asyncio.to_thread(whole_page, settings, service.terms.offer)
    waits = WorkWaits(service.metrics)
    service.watch.queue_wait_ms = waits.recent_ms
    server = settings.server
    engines = None
    try:
        async with (
            traces_in(settings.trace.directory) as begin_trace,
            resumption_by(settings.resume, service.metrics) as service.resumption,
            page_tokens_by(settings.resume) as service.page_tokens,
            opened(service, server.host, server.port, shares_port=process.shares_port, add=add_page) as doors,
        ):
            process.tell_listening(doors.address)
            engines = await unless(process.stopping.asked, (build or build_engines)(settings, waits))
            if engines is None:
                process.end_within(LAST_S)
            else:
                gc.collect()
                gc.freeze()  # what was loaded stays: to look through it again and again would stall the loop
                service.when_empty = partial(_free_soon, service)
                service.become_ready(sessions_on(engines, begin_trace))
                process.tell_ready(doors.address)
                await process.stopping.asked.wait()
                await _leave(service, doors, settings, process)
    finally:
        if engines is not None:
            await engines.aclose()


def _free_soon(service: "Service") -> None:
    """A conversation's parts know each other, so that only the collector frees them: else at somebody's next call."""

    def free() -> None:
        if not service.present:
            gc.collect()

    asyncio.get_running_loop().call_later(FREED_AFTER_S, free)


async def _leave(service: "Service", doors: "Doors", settings: "Settings", process: Process) -> None:
    from speakback.gateway.drain import drain, terms_within

    now = asyncio.get_running_loop().time
    stopping, server = process.stopping, settings.server
    ends_by_s = now() + server.drain_s
    notice_s = 0.0 if stopping.others_stay.is_set() else server.drain_notice_s
    await drain(service, doors.close, terms_within(server.drain_s, notice_s, LAST_S), stopping.hurried)
    process.end_within(LAST_S if stopping.hurried.is_set() else max(ends_by_s - now(), LAST_S))


async def _alone(settings: "Settings") -> None:
    stopping = by_signals()
    on_hangup(stopping.asked.set)  # asks, and never hurries: a terminal that closes sends more than one
    process = Process(stopping, say_listening, say_ready, end_within)
    await serve_until_stopped(settings, process)


def say_listening(address: str) -> None:
    """The line that an operator sees first."""
    typer.echo(f"speakback: listening on {address}; loading the models", err=True)


def say_ready(address: str) -> None:
    """The line that scripts wait for."""
    typer.echo(f"speakback: ready at {address} (open it in a browser to talk)")


def end_within(seconds: float) -> None:
    """End the process by then, even where a model's thread does not: every session has ended, nothing is lost."""

    def end() -> None:
        import structlog

        structlog.get_logger(__name__).warning("the models did not end in time; the process ends without them")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    last_resort = threading.Timer(seconds, end)
    last_resort.daemon = True
    last_resort.start()
