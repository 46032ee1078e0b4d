"""A line between a client and a server on this machine, on which everything is late by another while each time.

What is read in one piece goes on after a random delay of up to `jitter_ms`, and never before what came before it:
as TCP does, so that what is late holds up what follows.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

PIECE_BYTES = 64 * 1024


@dataclass
class JitteryLine:
    """Listens on a port of its own for as long as `jittery` lasts."""

    server_port: int
    jitter_ms: float
    port: int = 0
    _dice: random.Random = field(default_factory=lambda: random.Random(50))
    _under_way: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        far_writer: asyncio.StreamWriter | None = None
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._one_way(reader, far_writer))
                group.create_task(self._one_way(far_reader, writer))
        except* OSError:
            pass  # a side that is gone: the other is told by the end of its connection
        finally:
            self._under_way.discard(task)
            writer.close()
            if far_writer is not None:
                far_writer.close()

    async def cut(self) -> None:
        """Break every connection without a word."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read at once, so that the delay of one piece is none for the time at which the next is taken."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def write() -> None:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(max(due - loop.time(), 0))
                if not piece:
                    break
                writer.write(piece)
                await writer.drain()
            writer.write_eof()

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            due = 0.0
            while True:
                piece = b""
                with suppress(ConnectionError):
                    piece = await reader.read(PIECE_BYTES)
                due = max(due, loop.time() + self._dice.uniform(0, self.jitter_ms) / 1000)
                pieces.put_nowait((due, piece))
                if not piece:
                    break


@asynccontextmanager
async def jittery(server_port: int, jitter_ms: float) -> AsyncIterator[JitteryLine]:
    """A line to the server on that port."""
    line = JitteryLine(server_port, jitter_ms)
    listener = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.port = listener.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        listener.close()
        await line.cut()
