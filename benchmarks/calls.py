"""Calls of the benchmarks: a voice made beforehand, a server process with default settings, and what came of it."""

from collections.abc import Sequence

from speakback.caller.caller import calling
from speakback.caller.client_events import USUAL, Wishes
from speakback.caller.record import CallRecord
from speakback.caller.script import ScriptLine, SpokenLine, follow, spoken
from speakback.caller.server_process import ServerProcess
from speakback.providers.adapters.piper import Piper


async def spoken_scripts(scripts: Sequence[Sequence[ScriptLine]]) -> list[list[SpokenLine]]:
    """All scripts in the caller's voice; the voice is gone before anything is measured."""
    voice = Piper()
    try:
        return [await spoken(voice, script) for script in scripts]
    finally:
        await voice.aclose()


async def held(server: ServerProcess, script: Sequence[SpokenLine], wishes: Wishes = USUAL) -> CallRecord:
    """One call that follows a script."""
    async with calling(server.url, server.api_key, wishes=wishes) as caller:
        await follow(caller, script)
        return caller.record()
