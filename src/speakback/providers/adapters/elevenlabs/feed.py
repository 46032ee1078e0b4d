"""The clauses of a reply as they come, kept so that they can be said again on another connection."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType

from speakback.observe.population import task_name
from speakback.providers.adapters.elevenlabs.sockets import Line, Wake
from speakback.providers.audio_tags import is_speakable, without_tags

SENTENCE_ENDS = ".!?…"
SENTENCE_WITHIN_S = 0.25
"""How long the rest of a sentence is waited for, where sentences are spoken whole."""

Batch = tuple[str, ...]
"""Clauses that are spoken in one go."""


class Feed:
    """Reads a reply's clauses in a task of its own, as a context manager that ends it.

    Clauses of which nothing can be heard are passed over. `by_sentence`: clauses wait for each other
    until a sentence is whole, but not for long.
    """

    def __init__(self, clauses: AsyncIterator[str], *, by_sentence: bool = False) -> None:
        self._clauses = clauses
        self._by_sentence = by_sentence
        self._waiting: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._line: Line | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.batches: list[Batch] = []
        """All that came so far."""
        self.is_over = False
        """Nothing more will come."""
        self.failure: Exception | None = None
        """What ended it, if it did not come to its own end."""

    async def __aenter__(self) -> "Feed":
        self._task = asyncio.create_task(self._read(), name=task_name("elevenlabs-feed"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def at_least(self, count: int) -> bool:
        """Wait until so many batches have come; False if it ended before. Raises what ended it."""
        while len(self.batches) < count and not self.is_over:
            self._news.clear()
            await self._news.wait()
        if self.failure is not None and len(self.batches) < count:
            raise self.failure
        return len(self.batches) >= count

    def tell(self, line: Line) -> None:
        """From now on, wake the reader of this line when something comes."""
        self._line = line

    async def _read(self) -> None:
        try:
            async for clause in self._clauses:
                self._add(clause)
        except Exception as failure:
            self.failure = failure
        finally:
            self._release()
            self.is_over = True
            self._tell()

    def _add(self, clause: str) -> None:
        self._waiting.append(clause)
        if not any(is_speakable(without_tags(one)) for one in self._waiting):
            # A direction alone belongs to the words behind it; marks alone are nothing.
            self._waiting = [one for one in self._waiting if is_speakable(one)]
            return
        if not self._by_sentence or clause.rstrip("\"'”’)] ").endswith(tuple(SENTENCE_ENDS)):
            self._release()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SENTENCE_WITHIN_S, self._release)

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = tuple(self._waiting), []
        if any(is_speakable(without_tags(one)) for one in batch):
            self.batches.append(batch)
            self._tell()

    def _tell(self) -> None:
        self._news.set()
        if self._line is not None and not self._line.inbox.full():
            self._line.inbox.put_nowait(Wake())
