"""What a worker and its supervisor say to each other: words, a line each, over a socket pair that both keep open.

Not signals: those come from elsewhere as well (a service manager sends its SIGTERM to all processes at once), and a
second one means something else than the first. And the end of one side is the end of the line for the other: a worker
whose supervisor was killed leaves.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

import structlog

OPTION = "--worker-link"
"""With it comes the number of the worker's end, an open file."""

log = structlog.get_logger(__name__)


class Word(Enum):
    """All there is to say."""

    READY = b"ready\n"
    """The worker: I hold conversations from now on."""
    LEAVE = b"leave\n"
    """The supervisor: drain, and end."""
    MAKE_ROOM = b"make room\n"
    """The supervisor: the same, and others stay at this address, so that nobody who looks for it needs notice."""
    HURRY = b"hurry\n"
    """The supervisor: end at once."""


class Link:
    """One end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, word: Word) -> None:
        """Tell the other side, if it is still there."""
        if not self._writer.is_closing():
            self._writer.write(word.value)

    async def hear(self) -> Word | None:
        """The next word; None once the other side is gone, or says what is no word: then the link has ended, too."""
        try:
            line = await self._reader.readline()
            return Word(line) if line else None
        except OSError:
            return None
        except ValueError:  # half a line, as of a process that was killed; or anything else
            log.error("the other side of a link said what is no word: the link is ended")
            self.close()
            return None

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def link_over(end: socket.socket) -> Link:
    """The link whose end this is."""
    return Link(*await asyncio.open_connection(sock=end))


@asynccontextmanager
async def link_of_worker(file_number: int) -> AsyncIterator[Link]:
    """The worker's end, by the number that came with `OPTION`."""
    end = socket.socket(fileno=file_number)
    end.set_inheritable(False)
    link = await link_over(end)
    try:
        yield link
    finally:
        link.close()
