"""A client of the emulator's sockets for the tests: sends and receives frames, and judges nothing."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from speakback.emulators.elevenlabs.options import DEV_KEY
from tests.emulators.elevenlabs.voices import VOICE

Frame = dict[str, object]
SINGLE = f"/v1/text-to-speech/{VOICE}/stream-input"
MULTI = f"/v1/text-to-speech/{VOICE}/multi-stream-input"
DIALOGUE = "/v1/text-to-dialogue/multi-stream-input"
DIALOGUE_SINGLE = "/v1/text-to-dialogue/stream-input"
FLASH = {"model_id": "eleven_flash_v2_5", "output_format": "pcm_24000"}
V3 = {"model_id": "eleven_v3_conversational", "output_format": "pcm_24000"}


@dataclass(frozen=True)
class Client:
    """One open socket."""

    connection: ClientConnection

    async def send(self, *messages: Frame | str | bytes) -> None:
        """Objects as JSON, the rest as it is; into a socket that is closed by now, too."""
        for message in messages:
            with suppress(ConnectionClosed):
                await self.connection.send(json.dumps(message) if isinstance(message, dict) else message)

    async def taken(self) -> None:
        """The server has taken everything that was sent: it answers a ping when it comes to it."""
        await (await self.connection.ping())

    async def raw(self) -> str:
        text = await self.connection.recv()
        assert isinstance(text, str)
        return text

    async def frame(self) -> Frame:
        frame: Frame = json.loads(await self.raw())
        return frame

    async def until(self, key: str, value: object = True) -> list[Frame]:
        """All frames up to the one that has that key with that value."""
        frames = [await self.frame()]
        while frames[-1].get(key) != value:
            frames.append(await self.frame())
        return frames

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close, once no frame comes before it."""
        try:
            text = await self.connection.recv()
        except ConnectionClosed:
            return self.connection.close_code or 0, self.connection.close_reason or ""
        raise AssertionError(f"not closed: {text!r}")

    async def error(self) -> Frame:
        """The error frame that comes next, after which the socket is closed with its code."""
        frame = await self.frame()
        code, reason = await self.closed()
        assert code == frame["code"]
        assert str(frame["message"]).startswith(reason)
        return frame


@asynccontextmanager
async def open_socket(
    address: str, path: str, query: dict[str, str] | None = None, key: str | None = DEV_KEY
) -> AsyncIterator[Client]:
    query = query if query is not None else (FLASH if "speech" in path else V3)
    headers = {"xi-api-key": key} if key else {}
    url = f"ws://{address}{path}?{urlencode(query)}"
    async with connect(url, additional_headers=headers, proxy=None) as connection:
        yield Client(connection)


def audio_of(frames: list[Frame], key: str = "audio") -> bytes:
    return b"".join(base64.b64decode(str(frame[key])) for frame in frames if frame.get(key))


def texts(*tokens: str) -> list[Frame]:
    """A message each."""
    return [{"text": token} for token in tokens]
