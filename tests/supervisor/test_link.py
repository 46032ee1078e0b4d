"""supervisor/link.py: what is no word ends a link, and is not silent."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from speakback.supervisor.link import Link, Word, link_over


@asynccontextmanager
async def ends() -> AsyncIterator[tuple[Link, socket.socket]]:
    """A link, and the other end of it, raw."""
    ours, theirs = socket.socketpair()
    link = await link_over(ours)
    with theirs:
        yield link, theirs
        link.close()
        await asyncio.sleep(0)  # its socket is closed by then


async def test_words_are_heard_and_then_the_end() -> None:
    async with ends() as (link, other):
        await asyncio.to_thread(other.sendall, b"".join(word.value for word in Word))
        other.shutdown(socket.SHUT_WR)
        assert [await link.hear() for _ in Word] == list(Word)
        assert await link.hear() is None


@pytest.mark.parametrize("said", [b"lea", b"nonsense\n", b"x" * 100_000])
async def test_what_is_no_word_ends_the_link(said: bytes) -> None:
    async with ends() as (link, other):
        await asyncio.to_thread(other.sendall, said)
        other.shutdown(socket.SHUT_WR)
        with capture_logs() as logs:
            assert await link.hear() is None
        assert [line["log_level"] for line in logs] == ["error"]
        assert b"nonsense" not in repr(logs).encode()
        assert await asyncio.to_thread(other.recv, 1) == b"", "the other side hears that it has ended"
