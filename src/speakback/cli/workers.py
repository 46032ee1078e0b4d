"""`speakback serve --workers N`: the supervisor's process, and each worker's side of it."""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from speakback.cli.serve import Build, Process, end_within, say_listening, say_ready, serve_until_stopped
from speakback.cli.stopping import Stopping, by_signals, on_hangup, unless
from speakback.supervisor.crew import Crew
from speakback.supervisor.folder import held, private_folder
from speakback.supervisor.link import Link, Word, link_of_worker
from speakback.supervisor.port import shared_port
from speakback.supervisor.worker import Recipe

if TYPE_CHECKING:
    from speakback.config import Settings
    from speakback.config.load import LoadedSettings


def supervise(loaded: "LoadedSettings", command: Sequence[str]) -> None:
    """Run workers, each by `command`, until told to stop.

    Raises `ConfigError` if the port cannot be had and `WorkerFailed` if workers do not start.
    """
    server = loaded.settings.server
    with shared_port(server.host, server.port) as port, _shared_store(loaded) as environ:
        recipe = Recipe([*command, "--host", server.host, "--port", str(port)], environ)
        shown = f"[{server.host}]" if ":" in server.host else server.host
        asyncio.run(_supervised(Crew(recipe, server.workers, server.drain_s), f"http://{shown}:{port}"))


async def _supervised(crew: Crew, address: str) -> None:
    stopping = by_signals()
    renewal = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renewal.set)
    say_listening(address)
    try:
        await unless(stopping.asked, _kept(crew, address, renewal))
    finally:
        await crew.dismiss(stopping.hurried)


async def _kept(crew: Crew, address: str, renewal: asyncio.Event) -> None:
    await crew.muster()
    say_ready(address)
    while True:
        await renewal.wait()
        renewal.clear()
        await crew.renew()


@contextmanager
def _shared_store(loaded: "LoadedSettings") -> Iterator[Mapping[str, str]]:
    """The workers' environment. Conversations and page tokens go from one to another by a private folder, unless
    [resume] has a say; where it wants conversations in memory, only page tokens do."""
    resume = loaded.settings.resume
    is_chosen = loaded.origins["resume.store"].kind != "default"
    store = {} if is_chosen else {"SPEAKBACK_RESUME__STORE": "file"}
    if resume.directory is not None or resume.store == "redis":
        yield {**os.environ, **store}
    else:
        with private_folder() as folder:
            yield {**os.environ, **store, "SPEAKBACK_RESUME__DIRECTORY": str(folder)}


async def as_worker(settings: "Settings", link_number: int, build: "Build | None" = None) -> None:
    """Serve as one of several. Raises what `serve_until_stopped` raises."""
    stopping = by_signals()
    on_hangup(lambda: None)  # a renewal is the supervisor's business
    with held(settings.resume.directory):
        async with link_of_worker(link_number) as link:
            following = asyncio.create_task(_follow(link, stopping))
            process = Process(
                stopping, _unsaid, lambda _: link.say(Word.READY), end_within, shares_port=True
            )  # fmt: skip
            try:
                await serve_until_stopped(settings, process, build)
            finally:
                following.cancel()


async def _follow(link: Link, stopping: Stopping) -> None:
    """Do what the supervisor says, and leave where it is gone."""
    while (word := await link.hear()) is not None:
        if word is Word.HURRY:
            stopping.hurry()
        elif word is Word.MAKE_ROOM:
            stopping.make_room()
        else:
            stopping.asked.set()
    stopping.asked.set()


def _unsaid(address: str) -> None:
    """The supervisor speaks for all workers."""
