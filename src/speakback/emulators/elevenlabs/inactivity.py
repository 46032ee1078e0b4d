"""Watches for contexts whose client has sent nothing for too long."""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


class InactivityClock(Generic[KeyT]):
    """When each of some keys was last touched; all have the same time."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._deadlines: dict[KeyT, float] = {}

    def touch(self, key: KeyT) -> None:
        """Its time begins (again)."""
        self._deadlines[key] = asyncio.get_running_loop().time() + self.timeout_s

    def forget(self, key: KeyT) -> None:
        self._deadlines.pop(key, None)

    async def expired(self) -> KeyT:
        """The next key whose time is over; it is forgotten."""
        while True:
            now = asyncio.get_running_loop().time()
            for key, deadline in self._deadlines.items():
                if deadline <= now:
                    del self._deadlines[key]
                    return key
            # A key touched meanwhile cannot be due before that: all have the same time.
            await asyncio.sleep(min(self._deadlines.values(), default=now + self.timeout_s) - now)
