"""Log lines are taken, not printed: to render a traceback reads files, which would block the event loop.
And tests may choose the clock they run by: `pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])`.
"""

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest
import structlog.testing

from tests.session.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The real clock, and for tests that ask for it the virtual one."""
    mark = item.get_closest_marker("asyncio")
    if mark is not None and "loop_factories" in mark.kwargs:
        return {"virtual_time": VirtualTimeLoop}
    return {"real_time": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with structlog.testing.capture_logs() as lines:
        yield lines
