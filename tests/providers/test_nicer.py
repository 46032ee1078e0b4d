import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import get_native_id

import pytest
from structlog.testing import capture_logs

from speakback.providers import nicer
from speakback.providers.nicer import NICER, give_way
from speakback.providers.workers import Workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process has one niceness for all threads")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, get_native_id())


async def test_the_threads_of_pools_give_way_to_the_event_loop() -> None:
    workers = Workers("stt", "test", threads=1)
    before = niceness()
    assert await workers.run(niceness) == min(before + NICER, 19)
    assert niceness() == before
    await workers.aclose()


async def test_calls_of_milliseconds_do_not_wait_behind_models_for_a_core() -> None:
    workers = Workers("stt", "test", threads=1, gives_way=False)
    assert await workers.run(niceness) == niceness()
    await workers.aclose()


def test_threads_that_a_model_makes_for_itself_do_as_well() -> None:
    def by_a_thread_of_its_own() -> int:
        with ThreadPoolExecutor(1) as own:
            return own.submit(niceness).result()

    with ThreadPoolExecutor(1, initializer=give_way) as loader:
        assert loader.submit(by_a_thread_of_its_own).result() == min(niceness() + NICER, 19)


async def test_where_a_sandbox_forbids_it_the_pool_works_all_the_same_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(which: int, who: int, priority: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", forbidden)
    nicer._warn.cache_clear()
    with capture_logs() as lines:
        for name in ("one", "two"):
            workers = Workers("stt", name, threads=1)
            assert await workers.run(lambda: 7) == 7
            await workers.aclose()
    assert [line["reason"] for line in lines] == ["Operation not permitted"]
    nicer._warn.cache_clear()
