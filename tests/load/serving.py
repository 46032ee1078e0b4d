"""A real server on a real socket in this process; its ears are levels, its providers those of the benchmarks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.scripted_server import ScriptedLlm, ScriptedStt, ScriptedTts
from speakback.config import Settings
from speakback.load.wire import Address, address_of
from speakback.providers.engines import Engines
from tests.gateway.live import UNHURRIED, serving
from tests.session.scripted import LevelVad

KEY = "right-key"


@asynccontextmanager
async def scripted_server(
    *, max_sessions: int = 8, api_keys: tuple[str, ...] = (), clause_ms: int = 200
) -> AsyncIterator[Address]:
    """Where it is, and the key that it wants, if any. Its replies have four clauses."""
    settings = Settings.model_validate(
        {
            "llm": {"provider": "echo"},
            "server": {"max_sessions": max_sessions, "api_keys": list(api_keys)},
            "admission": UNHURRIED,
        }
    )
    tts = ScriptedTts(clause_ms)
    engines = Engines(vad=LevelVad(), stt=ScriptedStt(), end_of_turn=None, llm=ScriptedLlm(), tts=tts)
    async with serving(engines, settings) as server:
        url = server.address.replace("http", "ws", 1) + "/v1/realtime"
        yield address_of(url, api_keys[0] if api_keys else None)
