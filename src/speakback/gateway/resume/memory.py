"""Conversations kept in this process: for one server that is not restarted."""

from collections.abc import Callable

from speakback.gateway.resume.store import TAKEN_REMEMBERED_S, StoreUnavailable

MOST_BYTES = 256 * 1024 * 1024
"""Of all records together; another is refused."""


class MemoryStore:
    """A `ResumeStore`. `now_s` is any clock that goes on. Where nothing is replaced, what was taken need not be
    remembered."""

    outlives_process = False

    def __init__(
        self,
        now_s: Callable[[], float],
        most_bytes: int = MOST_BYTES,
        *,
        taken_remembered_s: float = TAKEN_REMEMBERED_S,
    ) -> None:
        self._now_s = now_s
        self._most_bytes = most_bytes
        self._taken_remembered_s = taken_remembered_s
        self._records: dict[str, tuple[float, bytes]] = {}
        """Until when, and what."""
        self._taken: dict[str, float] = {}
        self._bytes = 0

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        self._sweep()
        _, before = self._records.get(key, (0.0, b""))
        if self._bytes - len(before) + len(record) > self._most_bytes:
            raise StoreUnavailable("the memory set aside for conversations is full")
        self._taken.pop(key, None)
        self._drop(key)
        self._records[key] = (self._now_s() + ttl_s, record)
        self._bytes += len(record)

    async def replace(self, key: str, record: bytes, ttl_s: float) -> bool:
        if key in self._taken:
            return False
        await self.create(key, record, ttl_s)
        return True

    async def take(self, key: str) -> bytes | None:
        self._sweep()
        if key not in self._records:
            return None
        _, record = self._records[key]
        self._drop(key)
        self._taken[key] = self._now_s() + self._taken_remembered_s
        return record

    async def discard(self, key: str) -> None:
        await self.take(key)

    async def aclose(self) -> None:
        self._records.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        if key in self._records:
            self._bytes -= len(self._records.pop(key)[1])

    def _sweep(self) -> None:
        now_s = self._now_s()
        for key in [key for key, (until_s, _) in self._records.items() if until_s <= now_s]:
            self._drop(key)
        for key in [key for key, until_s in self._taken.items() if until_s <= now_s]:
            del self._taken[key]
