"""The stores that conversations can be kept in, each a real one. And tests may choose the clock they run by, as those
of sessions may: `pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from speakback.gateway.resume.file import file_store
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.redis import redis_store
from speakback.gateway.resume.store import ResumeStore
from tests.gateway.resume.redis_process import NO_REDIS, RedisProcess, found
from tests.session.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The real clock, and for tests that ask for it the virtual one."""
    mark = item.get_closest_marker("asyncio")
    if mark is not None and "loop_factories" in mark.kwargs:
        return {"virtual_time": VirtualTimeLoop}
    return {"real_time": asyncio.new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess | None]:
    """One for all tests that leave it running; begun before any event loop is. None: there is none on this machine."""
    server = found(tmp_path_factory.mktemp("redis"))
    if server is not None:
        server.start()
    yield server
    if server is not None:
        server.stop()


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test: to render a traceback reads files, which would block the event loop."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(params=["memory", "file", "redis"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisProcess | None
) -> AsyncIterator[ResumeStore]:
    """Each kind of store, empty."""
    made: ResumeStore
    match request.param:
        case "memory":
            made = MemoryStore(time.monotonic)
        case "file":
            made = await file_store(tmp_path / "kept")
        case _:
            if redis_server is None:
                pytest.skip(NO_REDIS)
            made = await redis_store(redis_server.url)
    yield made
    await made.aclose()
