"""WebSocket servers for tests: a script per connection, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

Script = Callable[[ServerConnection], Awaitable[None]]
Answer = Callable[[ServerConnection, Request], Response | None]


@asynccontextmanager
async def serving(script: Script, refuse: Answer | None = None) -> AsyncIterator[str]:
    """Its address, http://127.0.0.1:PORT."""
    async with serve(script, "127.0.0.1", 0, process_request=refuse, compression=None, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"


def own_tasks() -> set[str]:
    """The names of our code's tasks that are alive."""
    names = {task.get_name() for task in asyncio.all_tasks()}
    return {name for name in names if name.startswith(("link", "pool", "elevenlabs"))}
