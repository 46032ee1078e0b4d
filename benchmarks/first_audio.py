"""What the ElevenLabs adapter adds to first audio: from the service's sending it to the reply path's having it."""

import asyncio
import base64
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping

from websockets.asyncio.server import ServerConnection, serve

from benchmarks.figures import Figure, Findings
from speakback.caller.spread import spread
from speakback.providers.adapters.elevenlabs.flash import ElevenLabs
from speakback.providers.adapters.elevenlabs.options import ElevenLabsVoiceOptions

TEXT = "Sure, let me check that for you. "
FRAMES_MS = (500, 2000, 10_000)
"""Audio in the first frame: how much a service sends at once is not documented."""
TIMES = 200
THINKS_S = 0.03
GOAL_MS = 5.0


async def measure() -> Findings:
    """Frames of several lengths, one after the other."""
    figures: list[Figure] = []
    for frame_ms in FRAMES_MS:
        took = spread(await _overheads_ms(frame_ms))
        assert took is not None
        goal = GOAL_MS if frame_ms == FRAMES_MS[0] else None
        figures.append(Figure(f"first frame of {frame_ms} ms, median", took.median, "ms", goal))
        figures.append(Figure(f"first frame of {frame_ms} ms, p95", took.p95, "ms"))
    note = (
        "From the moment a server in another process hands the first frame to its socket until the adapter yields "
        "the first samples, pcm_24000, on localhost. The goal is for frames as the emulator sends them."
    )
    return Findings("First audio, what the ElevenLabs adapter adds", f"{TIMES} replies each", tuple(figures), (note,))


async def _overheads_ms(frame_ms: int) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.first_audio", str(frame_ms)]
    server = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    options = ElevenLabsVoiceOptions(api_key="k", voice_id="V", base_url=f"http://127.0.0.1:{port}")
    voice = ElevenLabs(options)
    await voice.warm()
    try:
        heard_ns = [await _first_audio_ns(voice) for _ in range(TIMES)]
    finally:
        await voice.aclose()
    server.stdin.close()
    sent_ns: list[int] = json.loads(await server.stdout.readline())
    await server.wait()
    return [(heard - sent) / 1e6 for heard, sent in zip(heard_ns, sent_ns, strict=True)]


async def _first_audio_ns(voice: ElevenLabs) -> int:
    first_ns: int | None = None
    async for _ in voice.speak(_clause()):
        first_ns = first_ns or time.monotonic_ns()
    assert first_ns is not None
    return first_ns


async def _clause() -> AsyncIterator[str]:
    yield TEXT.strip()


class _Service:
    """A socket that answers each flush with one frame, and notes when."""

    def __init__(self, frame_ms: int) -> None:
        each_ms = frame_ms // len(TEXT)
        starts_ms = [each_ms * at for at in range(len(TEXT))]
        spoken: Mapping[str, object] = {
            "chars": list(TEXT),
            "charStartTimesMs": starts_ms,
            "charDurationsMs": [each_ms] * len(TEXT),
        }
        audio = base64.b64encode(bytes(each_ms * len(TEXT) * 48)).decode()
        self._frame = {"audio": audio, "isFinal": None, "normalizedAlignment": None, "alignment": spoken}
        self.sent_ns: list[int] = []

    async def __call__(self, socket: ServerConnection) -> None:
        async for message in socket:
            said = json.loads(message)
            if said.get("flush"):
                await asyncio.sleep(THINKS_S)
                frame = json.dumps(self._frame | {"contextId": said["context_id"]})
                self.sent_ns.append(time.monotonic_ns())
                await socket.send(frame)
            elif said.get("close_context"):
                await socket.send(json.dumps({"isFinal": True, "contextId": said["context_id"]}))


async def _serve(frame_ms: int) -> None:
    service = _Service(frame_ms)
    async with serve(service, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(service.sent_ns), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
