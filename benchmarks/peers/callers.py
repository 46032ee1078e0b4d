"""Callers in real time over WebSockets, all in this process, and how late they were themselves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic as now_s

import aiohttp

from benchmarks.peers.talk import FRAME_MS, Clip, Talk
from benchmarks.peers.wires import Heard, Wire

JOIN_EVERY_S = 0.1
LOOK_EVERY_S = 0.1
HELD_UP_MS = 5.0
"""A frame that took longer than this to be handed over was held up by the server: it did not read."""


@dataclass
class Party:
    """All callers of one cell."""

    talks: list[Talk] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    """By how much frames were handed over too late by the callers' own doing. May be emptied at any time."""
    lost: list[str] = field(default_factory=list)
    """Why calls were refused, or ended by the server."""

    async def end(self, within_s: float) -> None:
        """Let all wait for the answers that are owed to them, and say nothing more."""
        for talk in self.talks:
            talk.is_ending = True
        deadline_s = now_s() + within_s
        for talk in self.talks:
            # Nothing tells when a talk is over, and nothing is measured any more that this could disturb.
            while not talk.is_over and now_s() < deadline_s:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def calling(url: str, wire: Wire, clips: Sequence[Clip], sessions: int) -> AsyncIterator[Party]:
    """So many calls, begun one after the other before the context is entered; they last as long as it does."""
    party, calls = Party(), list[asyncio.Task[None]]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        try:
            for number in range(sessions):
                calls.append(asyncio.create_task(_call(party, client, url, wire, clips, number)))
                await asyncio.sleep(JOIN_EVERY_S)
            yield party
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)


async def _call(
    party: Party, client: aiohttp.ClientSession, url: str, wire: Wire, clips: Sequence[Clip], number: int
) -> None:
    try:
        async with client.ws_connect(url + wire.path, compress=0, max_msg_size=0) as socket:
            for text in wire.opening():
                await socket.send_str(text)
            # Joiners begin to speak 1 to 2 s after they came, each at another time.
            starts_at_ms = 1000 * now_s() + 1000 + (number * 379) % 1000
            talk = Talk(clips, first_clip=number, starts_at_ms=starts_at_ms)
            party.talks.append(talk)
            async with asyncio.TaskGroup() as both:
                both.create_task(_listen(socket, wire, talk))
                both.create_task(_speak(socket, wire, talk, party.late_ms))
    except* Exception as problems:
        party.lost.append(repr(problems.exceptions[0]))


async def _listen(socket: aiohttp.ClientWebSocketResponse, wire: Wire, talk: Talk) -> None:
    async for message in socket:
        match wire.heard(message.data):
            case Heard.AUDIO:
                talk.audio(1000 * now_s())
            case Heard.INTERRUPTED:
                talk.interrupted(1000 * now_s())
            case Heard.OTHER:
                pass
    raise ConnectionError("the server closed")


async def _speak(socket: aiohttp.ClientWebSocketResponse, wire: Wire, talk: Talk, late_ms: list[float]) -> None:
    origin_s, number, held_up = now_s(), 0, False
    while True:
        due_s = origin_s + number * FRAME_MS / 1000
        if (wait_s := due_s - now_s()) > 0:
            held_up = False
            await asyncio.sleep(wait_s)
        at_s = now_s()
        if not held_up:
            late_ms.append(1000 * (at_s - due_s))
        frame = wire.frame(talk.frame(1000 * at_s), number)
        if isinstance(frame, str):
            await socket.send_str(frame)
        else:
            await socket.send_bytes(frame)
        held_up = held_up or 1000 * (now_s() - at_s) > HELD_UP_MS
        number += 1
