"""A call in a browser's tab, made by the page's own call.js without the page around it."""

from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tests.web.bare_server import BareServer, Connection

if TYPE_CHECKING:
    from playwright.async_api import Page

_CALL = Path(__file__).parent / "checks" / "call.js"
WAV_HEADER_BYTES = 44
VOICE_PER_MS = 24

Detail = dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """Both voices as the page recorded them, PCM16 at 24 kHz, from `start_ms` of the call's clock on."""

    user: NDArray[np.int16]
    agent: NDArray[np.int16]
    start_ms: float


@dataclass
class CallInPage:
    """The call, from the test's side."""

    page: "Page"

    async def begin(self, *, mic: bool = True, **wishes: object) -> Detail | None:
        """Start it; what it was rejected with, or None once it is live."""
        problem: Detail | None = await self.page.evaluate("(wishes) => talk.begin(wishes)", {"mic": mic, **wishes})
        return problem

    async def all(self, kind: str) -> list[Detail]:
        """What it told of one kind so far."""
        found: list[Detail] = await self.page.evaluate("(kind) => talk.all(kind)", kind)
        return found

    async def until(self, kind: str, after: int = 0, /, **fields: object) -> Detail:
        """The first event of that kind with these fields (`a__b` is `a.b`), from that index on; waits for it."""
        wanted = {name.replace("__", "."): value for name, value in fields.items()}
        found: Detail = await self.page.evaluate("(asked) => talk.until(...asked)", [kind, wanted, after])
        return found

    async def do(self, script: str, *arguments: object) -> Any:
        """Run `script` with `call` and the arguments."""
        return await self.page.evaluate(
            f"([...given]) => (async (call, given) => {script})(talk.call, given)", arguments
        )

    async def recorded(self, until_ms: float = 0.0) -> Recorded:
        """What was recorded, once it reaches to that time of the call's clock."""
        reaches = "(ms) => talk.call.recorder.startMs + talk.call.recorder.durationMs >= ms"
        await self.page.wait_for_function(reaches, arg=until_ms)
        found = await self.page.evaluate("() => talk.wav()")
        pcm = np.frombuffer(b64decode(found["wav"])[WAV_HEADER_BYTES:], np.int16)
        return Recorded(pcm[0::2], pcm[1::2], found["startMs"])


async def call_in(page: "Page", address: str) -> CallInPage:
    """Open a page of that server that does nothing by itself, and make a call in it."""
    await page.goto(f"{address}/connect")
    await page.evaluate(_CALL.read_text(encoding="utf-8"))
    return CallInPage(page)


def speech(ms: int, seed: int = 1) -> NDArray[np.int16]:
    """Loud noise that is nowhere zero, so that each of its samples can be told."""
    noise = np.random.default_rng(seed).integers(2000, 20000, ms * VOICE_PER_MS)
    return (noise * np.where(np.arange(len(noise)) % 2, 1, -1)).astype(np.int16)


async def live(call: CallInPage, server: BareServer, *, mic: bool = True) -> Connection:
    assert await call.begin(mic=mic) is None
    return await server.connection()
