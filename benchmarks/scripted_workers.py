"""python -m benchmarks.scripted_workers: `speakback serve --workers N` with stand-ins whose replies can be told apart.

The reply to the k-th turn of a conversation is sixteen words that no other reply has: what is missing of it, or comes
twice, can be counted. Latencies are those of `benchmarks.scripted_server`; a word takes `WORD_MS`.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace

from benchmarks.scripted_server import FIRST_TOKEN_MS, TOKEN_MS, ScriptedTts, scripted_engines
from speakback.cli.serve import run
from speakback.cli.workers import as_worker, supervise
from speakback.config import Settings, load_settings
from speakback.observe.logging import configure_logging
from speakback.providers.engines import Engines
from speakback.providers.llm import LlmDelta, Prompt, TextDelta, Usage
from speakback.providers.waits import WaitsReport

UNBOUNDED = {
    "admission.max_cpu_share": 1.0,
    "admission.max_loop_lag_ms": 10_000.0,
    "admission.max_queue_wait_ms": 10_000.0,
}
"""The callers work on the same cores; what is refused for want of room is another benchmark's question."""
WORD_MS = 200
WORDS_IN_A_CLAUSE = 4
NUMBERS = ("one", "two", "three", "four")
_SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")


def reply_to(turn: int) -> tuple[str, ...]:
    """The words of the reply to the `turn`-th turn, counted from 1, as they are heard."""
    name = _SYLLABLES[turn // len(_SYLLABLES)] + _SYLLABLES[turn % len(_SYLLABLES)]
    return tuple(f"{name}{number}{clause}" for clause in NUMBERS for number in NUMBERS)


def sentences(words: tuple[str, ...]) -> str:
    """So many words as one clause each."""
    clauses = (words[start : start + WORDS_IN_A_CLAUSE] for start in range(0, len(words), WORDS_IN_A_CLAUSE))
    return " ".join(f"{' '.join(clause)}." for clause in clauses)


class CountingLlm:
    """A `LanguageModel` that answers the k-th turn with the k-th reply, and says the rest of one that was cut."""

    name = "counting"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """See `LanguageModel`."""
        roles = [message.role for message in prompt.messages]
        behind_the_turn = prompt.messages[len(roles) - roles[::-1].index("user") :]
        heard = [word for message in behind_the_turn if message.role == "assistant" for word in message.content.split()]
        words = sentences(reply_to(roles.count("user"))).split()[len(heard) :]
        await asyncio.sleep(FIRST_TOKEN_MS / 1000)
        for index, word in enumerate(words):
            await asyncio.sleep(TOKEN_MS / 1000)
            yield TextDelta(f" {word}" if index else word)
        yield Usage(len(prompt.messages), len(words), None, stopped_at_limit=False)

    async def warm(self, prompt: Prompt) -> None:
        """Nothing to warm."""

    async def aclose(self) -> None:
        """Nothing to release."""


async def counting_engines(settings: Settings, waits: WaitsReport) -> Engines:
    """Stand-ins. Raises `WeightsError`."""
    engines = await scripted_engines(settings, waits)
    return replace(engines, llm=CountingLlm(), tts=ScriptedTts(WORD_MS * WORDS_IN_A_CLAUSE))


def main() -> None:
    """Supervise, or with `--worker-link` serve as one of the workers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scripted_workers", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--drain-s", type=float, default=20.0)
    parser.add_argument("--worker-link", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    options = {
        "server.host": asked.host,
        "server.port": asked.port,
        "server.workers": asked.workers,
        "server.drain_s": asked.drain_s,
        "server.max_sessions": 1000,
        "end_of_turn.provider": "none",
        **UNBOUNDED,
    }
    loaded = load_settings(None, os.environ, options)
    configure_logging("info", "json")
    if asked.worker_link is not None:
        run(as_worker(loaded.settings, asked.worker_link, counting_engines))
    else:
        again = [sys.executable, "-m", "benchmarks.scripted_workers", "--drain-s", str(asked.drain_s)]
        supervise(loaded, again)


if __name__ == "__main__":
    main()
