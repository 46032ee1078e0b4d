"""All tests of the chains run in virtual time."""

import asyncio
from collections.abc import Callable

import pytest

from tests.session.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The clock jumps to the next timer."""
    return {"virtual_time": VirtualTimeLoop}
