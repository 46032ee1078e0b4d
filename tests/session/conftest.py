"""Log lines are taken, not printed: to render a traceback reads files, which would block the event loop."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog.testing


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with structlog.testing.capture_logs() as lines:
        yield lines
