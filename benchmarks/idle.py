"""What an open session costs in which nobody says anything."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext

import numpy as np

from benchmarks.figures import Figure, Findings
from benchmarks.process import cpu_s
from speakback.caller.caller import calling
from speakback.caller.line import connected
from speakback.caller.microphone import FRAME_SAMPLES, room_noise
from speakback.caller.server_process import ServerProcess, server_process

SETTLE_S = 5.0
"""A new session has the model read its instructions; that is not idling."""
MEASURED_S = 25.0
SHARE_PERCENT = 1.0


async def measure() -> Findings:
    """The server's processor time, without a session and with each kind of silent one."""
    async with server_process() as server:
        url, key = server.url, server.api_key
        async with calling(url, key):
            await asyncio.sleep(SETTLE_S)
        without = await _share(server, nullcontext())
        zeros = await _share(server, calling(url, key, background=np.zeros(FRAME_SAMPLES, np.float32)))
        noise = await _share(server, calling(url, key, background=room_noise()))
        nothing = await _share(server, connected(url, key))
    figures = (
        Figure("no session", without, "%"),
        Figure("a session that sends digital silence, 50 frames a second", zeros, "%", SHARE_PERCENT),
        Figure("a session that sends noise at -70 dBFS", noise, "%", SHARE_PERCENT),
        Figure("a session that sends nothing", nothing, "%", SHARE_PERCENT),
    )
    notes = (f"Processor time of the server's process, as a share of one core, over {MEASURED_S:.0f} s each.",)
    return Findings("idle", f"one session, {MEASURED_S:.0f} s", figures, notes)


async def _share(server: ServerProcess, session: AbstractAsyncContextManager[object]) -> float:
    async with session:
        await asyncio.sleep(SETTLE_S)
        cpu_before_s, started_s = cpu_s(server.pid), time.monotonic()
        await asyncio.sleep(MEASURED_S)
        return 100 * (cpu_s(server.pid) - cpu_before_s) / (time.monotonic() - started_s)
