"""Worker threads owned by one provider: bounded, never the event loop's, errors made `ProviderError`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from speakback.providers.errors import ProviderError

Result = TypeVar("Result")


class Workers:
    """Runs blocking calls of one model on `threads` threads; at most `max_waiting` may be under way or waiting."""

    def __init__(self, role: str, provider: str, *, threads: int, max_waiting: int = 64) -> None:
        self._role = role
        self._provider = provider
        self._max_waiting = max_waiting
        self._waiting = 0
        self._closed = False
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"{role}-{provider}")

    async def run(self, call: Callable[[], Result]) -> Result:
        """The result of `call`. Cancelling drops a call that has not started; one that has ends unheard.

        Raises `ProviderError` when the queue is full, after `aclose`, and for whatever `call` raises.
        """
        if self._closed:
            raise ProviderError(self._role, self._provider, "is closed")
        if self._waiting >= self._max_waiting:
            raise ProviderError(self._role, self._provider, f"{self._waiting} calls are waiting already; it is overloaded")
        self._waiting += 1
        future = self._executor.submit(call)
        future.add_done_callback(lambda _: self._finished())
        try:
            return await asyncio.wrap_future(future)
        except ProviderError:
            raise
        except Exception as error:  # the model's own failure; its text may quote speech, so only its kind is told
            raise ProviderError(self._role, self._provider, f"failed with {type(error).__name__}") from error

    async def aclose(self) -> None:
        """Drop what waits, let what runs end, then release the threads."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._executor.shutdown, True)

    def _finished(self) -> None:
        self._waiting -= 1
