"""Where conversations are kept between two connections, as a server sees it.

A store knows records that are there, records that were taken, and nothing else: what expired, or was lost with the
store's own memory, is as if it had never been. That a record was taken is remembered for `TAKEN_REMEMBERED_S`, longer
than any connection outlives its client, so that an old connection learns that its conversation goes on elsewhere;
where nothing is ever replaced (`page_tokens.py`), for less.
"""

from typing import Protocol

TAKEN_REMEMBERED_S = 3600.0


class StoreUnavailable(Exception):
    """The store cannot be reached, or is full. The message is for operators and clients: no address, no secret."""


class ResumeStore(Protocol):
    """Each method but `aclose` raises `StoreUnavailable`, at the latest after about a second."""

    outlives_process: bool
    """Whether what is kept survives this process: else there is no sense in keeping it more often than at the end."""

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        """Keep a record under a key, also under one that was taken, for so long."""
        ...

    async def replace(self, key: str, record: bytes, ttl_s: float) -> bool:
        """Keep a newer record, for so long from now; False: the old one was taken, and nothing was done."""
        ...

    async def take(self, key: str) -> bytes | None:
        """Get the record and remove it, in one step: of many who take, one gets it. None: there is none.

        Where nobody gets it, because the store answers too late or the caller is cancelled, the record comes back.
        """
        ...

    async def discard(self, key: str) -> None:
        """Remove the record as if it had been taken; unlike with `take`, it does not come back."""
        ...

    async def aclose(self) -> None:
        """Let go of files and connections; records stay."""
        ...
