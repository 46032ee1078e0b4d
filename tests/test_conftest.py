"""The guard on the event loop works: otherwise no other test would notice that it is gone."""

import asyncio
import time
from pathlib import Path

import pytest
from blockbuster import BlockingError


async def test_blocking_the_event_loop_fails() -> None:
    with pytest.raises(BlockingError):
        time.sleep(0.001)  # noqa: ASYNC251


async def test_reading_a_file_on_the_event_loop_fails() -> None:
    with pytest.raises(BlockingError):
        Path(__file__).read_text(encoding="utf-8")  # noqa: ASYNC240


async def test_another_thread_may_block() -> None:
    await asyncio.to_thread(time.sleep, 0.001)


def test_without_a_loop_blocking_is_fine() -> None:
    time.sleep(0.001)
