import asyncio
import threading

import pytest

from speakback.providers.errors import ProviderError
from speakback.providers.workers import Workers


async def test_calls_run_on_threads_of_their_own() -> None:
    workers = Workers("stt", "test", threads=1)
    assert await workers.run(threading.get_ident) != threading.get_ident()
    await workers.aclose()


async def test_failures_are_told_without_what_they_quote() -> None:
    workers = Workers("stt", "test", threads=1)

    def fail() -> None:
        raise RuntimeError("my card number is 1234")

    with pytest.raises(ProviderError, match="failed with RuntimeError") as caught:
        await workers.run(fail)
    assert "1234" not in str(caught.value)
    await workers.aclose()


async def test_a_cancelled_call_that_has_not_started_never_runs_and_a_full_queue_refuses() -> None:
    workers = Workers("stt", "test", threads=1, max_waiting=2)
    started, release, ran = threading.Event(), threading.Event(), threading.Event()

    def busy() -> None:
        started.set()
        release.wait(10)

    first = asyncio.create_task(workers.run(busy))
    await asyncio.to_thread(started.wait, 10)
    second = asyncio.create_task(workers.run(ran.set))
    await asyncio.sleep(0)
    with pytest.raises(ProviderError, match="overloaded"):
        await workers.run(ran.set)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    await first
    await workers.run(started.is_set)
    assert not ran.is_set()
    await workers.aclose()
    with pytest.raises(ProviderError, match="closed"):
        await workers.run(ran.set)
