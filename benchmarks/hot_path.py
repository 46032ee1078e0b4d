"""What 20 ms of a conversation cost the event loop's thread: processor time, so others on the machine disturb little.

The whole server with its stand-ins, over real sockets. All sessions of a run do the same thing at different moments,
as each of a crowd does; few enough of them that no message ever waits for another, which would make it cheaper.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

from pybase64 import b64encode_as_string

from benchmarks.figures import Figure, Findings
from benchmarks.loaded import lines, scripted_server
from benchmarks.process import loop_cpu_s
from speakback.caller.errors import CallError
from speakback.caller.pacing import FRAME_MS
from speakback.caller.server_process import ServerProcess
from speakback.gateway.binary import AudioFrame, Kind, pack
from speakback.load.pacing import PacingClock
from speakback.load.repertoire import room_frames
from speakback.load.wire import Wire, address_of, dial

SESSIONS = 20
JOINS_EVERY_S = 0.05
SETTLE_S = 2.5
"""By then the agent speaks, and a client that is silent is read less often."""
WINDOW_S = 1.0
WINDOWS = 5
"""The median of so many counts; the agent speaks longer than all of them."""
GONE_WITHIN_S = 5.0
ADMITS_ALL = {
    "SPEAKBACK_ADMISSION__MAX_LOOP_LAG_MS": "60000",
    "SPEAKBACK_ADMISSION__MAX_QUEUE_WAIT_MS": "60000",
    "SPEAKBACK_ADMISSION__MAX_CPU_SHARE": "1",
}
"""However busy others keep the machine."""

_UPDATE = {
    "type": "realtime",
    "audio": {"input": {"turn_detection": {"type": "server_vad", "create_response": False}}},
}


@dataclass(frozen=True, slots=True)
class Doing:
    """What everyone does during a run."""

    name: str
    says: tuple[bytes, ...]
    """Frames of 20 ms of PCM16, over and over; empty: nothing is sent."""
    listens: bool
    """Whether the agent speaks meanwhile."""
    is_binary: bool

    @property
    def title(self) -> str:
        return f"{self.name}, {'binary' if self.is_binary else 'JSON'}"


class _Caller:
    """Is a `wire.Receiver` and `pacing.Paced`: does what all do, and makes nothing of what it hears."""

    def __init__(self, doing: Doing, phase: int) -> None:
        self.is_there = asyncio.Event()
        self.is_gone = asyncio.Event()
        self.problem = ""
        self._doing = doing
        self._wire: Wire | None = None
        self._messages = [_append(frame) for frame in doing.says] if not doing.is_binary else []
        self._sent = 0
        self._phase = phase

    def hang_up(self) -> None:
        if self._wire is None:
            self.is_gone.set()
        else:
            self._wire.hang_up()

    def send_frame(self, at_ms: float) -> None:
        """See `Paced`."""
        frames = self._doing.says
        if self._wire is None or not self._wire.is_open or not frames:
            return
        place = (self._phase + self._sent) % len(frames)
        if self._doing.is_binary:
            self._wire.send_binary(pack(AudioFrame(Kind.USER_AUDIO, self._sent, frames[place])))
        else:
            self._wire.send_text(self._messages[place])
        self._sent += 1

    def connected(self, wire: Wire) -> None:
        """See `Receiver`."""
        self._wire = wire

    def opened(self) -> None:
        """See `Receiver`."""
        assert self._wire is not None
        session = {**_UPDATE, "speakback": {"binary_audio": self._doing.is_binary}}
        self._wire.send_text(json.dumps({"type": "session.update", "session": session}))
        if self._doing.listens:
            self._wire.send_text(json.dumps({"type": "response.create"}))

    def refused(self, status: int, retry_after_s: float | None) -> None:
        """See `Receiver`."""
        self.problem = f"HTTP {status}"

    def text(self, text: str) -> None:
        """See `Receiver`."""
        self.is_there.set()
        if text.startswith('{"event_id"') and '"type":"error"' in text:
            self.problem = text

    def binary(self, data: bytes) -> None:
        """See `Receiver`."""

    def closed(self, code: int, reason: str) -> None:
        """See `Receiver`."""
        self.is_there.set()
        self.is_gone.set()


async def measure() -> Findings:
    """Each thing that a session does, in both encodings."""
    said = (await lines()).questions[0].frames
    async with scripted_server(max_sessions=2 * SESSIONS, settings=ADMITS_ALL) as server:
        found = [(doing, await cost_us(server, doing)) for doing in doings(said)]
    figures = tuple(Figure(doing.title, value, "us") for doing, value in found)
    notes = (
        f"Of the loop's thread, for each session and {FRAME_MS} ms (one message in); {SESSIONS} sessions, median of "
        f"{WINDOWS} times {WINDOW_S:.0f} s. The socket's part in the kernel is in it.",
    )
    return Findings("hot_path", f"{SESSIONS} sessions", figures, notes)


def doings(said: tuple[bytes, ...]) -> list[Doing]:
    """All that is measured; `said` is a line that somebody says over and over."""
    room = room_frames()
    return [
        doing
        for is_binary in (True, False)
        for doing in (
            Doing("nobody speaks", room, listens=False, is_binary=is_binary),
            Doing("the user speaks", said, listens=False, is_binary=is_binary),
            Doing("the agent speaks, the user is silent", room, listens=True, is_binary=is_binary),
            Doing("the agent speaks, the client sends nothing", (), listens=True, is_binary=is_binary),
        )
    ]


async def cost_us(server: ServerProcess, doing: Doing) -> float:
    """Processor time of the loop's thread for each 20 ms of each session. Raises `CallError`."""
    async with _crowd(server, doing) as problem:
        await asyncio.sleep(SETTLE_S)
        found = [await _window_us(server.pid) for _ in range(WINDOWS)]
        if told := problem():
            raise CallError(f"{doing.title}: {told}")
    return median(found)


async def _window_us(pid: int) -> float:
    now_s = asyncio.get_running_loop().time
    began_s, used_s = now_s(), loop_cpu_s(pid)
    await asyncio.sleep(WINDOW_S)
    frames = (now_s() - began_s) * 1000 / FRAME_MS
    return (loop_cpu_s(pid) - used_s) * 1e6 / frames / SESSIONS


@asynccontextmanager
async def _crowd(server: ServerProcess, doing: Doing) -> AsyncIterator[Callable[[], str]]:
    """Everyone is on the line; gives what one of them has to complain of."""
    loop = asyncio.get_running_loop()
    clock = PacingClock(lambda: loop.time() * 1000)
    pacing = asyncio.create_task(clock.run())
    callers = [_Caller(doing, phase=7 * number) for number in range(SESSIONS)]
    try:
        for caller in callers:
            await dial(address_of(server.url, server.api_key), caller)
            await caller.is_there.wait()
            clock.join(caller)
            await asyncio.sleep(JOINS_EVERY_S)
        yield lambda: next((caller.problem for caller in callers if caller.problem), "")
    finally:
        pacing.cancel()
        for caller in callers:
            caller.hang_up()
        async with asyncio.timeout(GONE_WITHIN_S):
            for caller in callers:
                await caller.is_gone.wait()


def _append(frame: bytes) -> str:
    return f'{{"type": "input_audio_buffer.append", "audio": "{b64encode_as_string(frame)}"}}'
