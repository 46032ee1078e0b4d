"""One load run against a scripted server of its own; the callers have an event loop of their own, in a thread."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from speakback.caller.server_process import ServerProcess, server_process
from speakback.cli.serve import loop_factory
from speakback.load.durations import Percentiles
from speakback.load.repertoire import Repertoire, repertoire
from speakback.load.report import Report
from speakback.load.run import LoadOptions, run_load
from speakback.load.server_use import FromMetrics
from speakback.load.wire import address_of
from speakback.providers.adapters.hibari import Hibari

USUAL: Mapping[str, str] = MappingProxyType({})


@asynccontextmanager
async def scripted_server(
    *, max_sessions: int, end_of_turn: str = "none", settings: Mapping[str, str] = USUAL
) -> AsyncIterator[ServerProcess]:
    """`benchmarks.scripted_server` as a process of its own, with more `settings` as variables."""
    module = (
        "benchmarks.scripted_server",
        *("--max-sessions", str(max_sessions)),
        *("--end-of-turn", end_of_turn),
    )
    # Threads of BLAS and OpenMP that spin for more work take it from the sessions.
    environ = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **settings}
    async with server_process(environ, module=module) as server:
        yield server


async def lines() -> Repertoire:
    """What the callers say, in the local voice."""
    voice = await asyncio.to_thread(Hibari)
    try:
        return await repertoire(voice)
    finally:
        await voice.aclose()


async def loaded(server: ServerProcess, options: LoadOptions, said: Repertoire) -> Report:
    """One run."""

    def run() -> Report:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            address = address_of(server.url, server.api_key)
            return runner.run(run_load(address, options, said, FromMetrics(address)))

    return await asyncio.to_thread(run)


def p50(spread: Percentiles | None) -> float | None:
    """None where nothing was measured."""
    return None if spread is None else spread.p50


def p99(spread: Percentiles | None) -> float | None:
    """None where nothing was measured."""
    return None if spread is None else spread.p99
