"""A recording played in real time into a session that decides turn ends and does nothing else."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from benchmarks.pauses import Clip, Pause, with_tail
from speakback.caller import client_events, server_events
from speakback.caller.errors import CallError
from speakback.caller.line import connected, receive
from speakback.caller.pacing import FRAME_MS, Pacer
from speakback.caller.server_process import ServerProcess
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms

LAST_WORD_S = 0.3
"""What the server decided by the last frame has arrived after this."""
SAME_PAUSE_MS = 100
"""The server's VAD hears the same voice as PCM16 and may place its end a frame or two (32 ms) elsewhere."""
FRAME_SAMPLES = ms_to_samples(FRAME_MS, EAR_HZ)


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """A turn that the server ended. Both are positions in the recording."""

    voice_end_ms: int
    told_ms: float
    """What was being spoken when the client learnt of it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip, and what the reference says of its pauses."""

    clip: Clip
    pauses: tuple[Pause, ...]

    @property
    def length_ms(self) -> int:
        """Without a tail."""
        return samples_to_ms(len(self.clip.audio_16k), EAR_HZ)

    @property
    def last_end_ms(self) -> int | None:
        """Where the voice ends for good, if that is a turn's end; None: nothing is asked after the clip."""
        last = self.pauses[-1] if self.pauses else None
        return end_ms(last) if last is not None and last.over else None


@dataclass(frozen=True, slots=True)
class Played:
    """A recording played to a strategy, and where the server ended turns."""

    strategy: str
    recording: Recording
    ends: tuple[TurnEnd, ...]
    slipped_ms: float


def end_ms(pause: Pause) -> int:
    """Where the voice before it ends."""
    return samples_to_ms(pause.voiced.stop, EAR_HZ)


async def play(server: ServerProcess, strategy: str, recording: Recording) -> Played:
    """Play it once. Raises `CallError`, within a group if it comes while it plays."""
    async with connected(server.url, server.api_key) as line:
        await line.socket.send_str(session_update(strategy))
        await _until_updated(line.socket)
        ends: list[TurnEnd] = []
        begun_ms = _now_ms()
        pacer = Pacer(begun_ms)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(_listen(line.socket, ends, pacer, begun_ms))
            await _speak(line.socket, recording, ends, pacer)
            await asyncio.sleep(LAST_WORD_S)
            listening.cancel()
    return Played(strategy, recording, tuple(ends), pacer.slipped_ms)


def session_update(strategy: str) -> str:
    """The strategy's own endpointing, and no replies; the audio is as the recordings are."""
    hearing = {
        "format": {"type": "audio/pcm", "rate": EAR_HZ},
        "turn_detection": {"type": "semantic_vad", "create_response": False},
    }
    session = {
        "type": "realtime",
        "output_modalities": ["text"],
        "audio": {"input": hearing},
        "speakback": {"strategy": strategy},
    }
    return json.dumps({"type": "session.update", "session": session})


async def _until_updated(socket: aiohttp.ClientWebSocketResponse) -> None:
    while not isinstance(await _event(socket), server_events.SessionAnswered):
        pass


async def _speak(
    socket: aiohttp.ClientWebSocketResponse, recording: Recording, ends: Sequence[TurnEnd], pacer: Pacer
) -> None:
    """Send the clip, and where a turn ends with it, noise until the server says so or the tail is over."""
    last_ms = recording.last_end_ms
    audio_16k = recording.clip.audio_16k
    if last_ms is not None:
        audio_16k = with_tail(with_tail(audio_16k))
    for start in range(0, len(audio_16k) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        in_tail = samples_to_ms(start, EAR_HZ) >= recording.length_ms
        if in_tail and last_ms is not None and ends and ends[-1].voice_end_ms >= last_ms - SAME_PAUSE_MS:
            return
        await asyncio.sleep(max(pacer.due_ms() - _now_ms(), 0.0) / 1000)
        await socket.send_str(client_events.append(audio_16k[start : start + FRAME_SAMPLES]))
        pacer.sent(_now_ms())


async def _listen(socket: aiohttp.ClientWebSocketResponse, ends: list[TurnEnd], pacer: Pacer, begun_ms: float) -> None:
    """Take down each turn end; `speech_stopped` is told when a turn is committed, just before `committed`."""
    while True:
        event = await _event(socket)
        if isinstance(event, server_events.SpeechStopped):
            ends.append(TurnEnd(event.audio_end_ms, _now_ms() - begun_ms - pacer.slipped_ms))


async def _event(socket: aiohttp.ClientWebSocketResponse) -> server_events.ServerEvent:
    event = server_events.read_event(await receive(socket))
    if isinstance(event, server_events.ServerError):
        raise CallError(f"the server refused: {event.error.message}")
    return event


def _now_ms() -> float:
    return time.monotonic() * 1000
