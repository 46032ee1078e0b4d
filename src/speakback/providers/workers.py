"""Worker threads owned by one provider: bounded, never the event loop's, errors made `ProviderError`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

from speakback.providers.errors import ProviderError

Result = TypeVar("Result")


class Workers:
    """Runs blocking calls of one model on `threads` threads; at most `max_waiting` may be under way or waiting."""

    def __init__(self, role: str, provider: str, *, threads: int, max_waiting: int = 64) -> None:
        self._role = role
        self._provider = provider
        self._max_waiting = max_waiting
        self._pending: set[Future[object]] = set()  # a set, as threads take their calls out themselves
        self._closed = False
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"{role}-{provider}")

    async def run(self, call: Callable[[], Result]) -> Result:
        """The result of `call`. Cancelling drops a call that has not started; one that has ends unheard.

        Raises `ProviderError` when the queue is full, after `aclose`, and for whatever `call` raises.
        """
        if self._closed:
            raise ProviderError(self._role, self._provider, "is closed")
        if len(self._pending) >= self._max_waiting:
            raise ProviderError(
                self._role, self._provider, f"{len(self._pending)} calls are waiting already; it is overloaded"
            )
        future = self._executor.submit(call)
        pending = cast("Future[object]", future)
        self._pending.add(pending)
        pending.add_done_callback(self._pending.discard)
        try:
            return await asyncio.wrap_future(future)
        except ProviderError:
            raise
        except Exception as error:  # the text of a model's own failure may quote speech: only its kind is told
            raise ProviderError(self._role, self._provider, f"failed with {type(error).__name__}") from None

    async def aclose(self) -> None:
        """Drop what waits, let what runs end, then release the threads."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._executor.shutdown, True)
