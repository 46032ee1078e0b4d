"""Whatever is sent, in whatever order: a socket ends in one of the ways that it may end, and says why."""

import asyncio
import json
from contextlib import suppress
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from speakback.emulators.elevenlabs.app import SERVICE, elevenlabs_app
from speakback.emulators.faults import parse_faults
from speakback.emulators.server import serving
from tests.emulators.elevenlabs.sockets import DIALOGUE, DIALOGUE_SINGLE, MULTI, SINGLE, Client, Frame, open_socket
from tests.emulators.elevenlabs.voices import VOICE, emulator, options

SCRIPTS = 40
VALUES: dict[str, list[object]] = {
    "text": ["", " ", "Hello. ", "word " * 30, None],
    "context_id": ["a", "b", "c", "d", "e", "f", None],
    "flush": [True, False, None],
    "voice_settings": [{}, {"stability": 0.5}, {"stability": 2}],
    "inputs": [[{"text": "Hi. ", "voice_id": VOICE}], [{"text": "Hi. ", "voice_id": "nobody"}], []],
    "voices": [[VOICE]],
    "close_context": [True],
    "close_socket": [True],
    "keep_alive": [True],
    "try_trigger_generation": [True],
    "generation_config": [{"chunk_length_schedule": [50]}],
    "unknown": [[1, {"deep": None}]],
}
USUAL: list[Frame] = [
    {"text": " ", "context_id": "a"},
    {"context_id": "a", "voices": [VOICE]},
    {"voices": [VOICE]},
]
KEYS = {
    frozenset({"audio", "isFinal", "normalizedAlignment", "alignment"}),
    frozenset({"audio", "isFinal", "normalizedAlignment", "alignment", "contextId"}),
    frozenset({"audio", "alignment", "normalized_alignment"}),
    frozenset({"audio", "alignment", "normalized_alignment", "context_id"}),
    frozenset({"is_final_audio_for_turn"}),
    frozenset({"is_final_audio_for_turn", "context_id"}),
    frozenset({"is_final"}),
    frozenset({"is_final", "context_id"}),
    frozenset({"message", "error", "code"}),
    frozenset({"message", "error", "code", "param"}),
}


def script(rng: Random) -> list[Frame]:
    """Begins as a client might, then goes on at random."""
    messages = [rng.choice(USUAL)]
    for _ in range(rng.randrange(12)):
        names = rng.sample(sorted(VALUES), rng.randint(1, 3))
        messages.append({name: rng.choice(VALUES[name]) for name in names})
    return messages


async def play(client: Client, messages: list[Frame]) -> list[Frame]:
    """All frames until the close. The last message is a binary one, which no open socket takes."""
    await client.send(*messages, b"end")
    frames = list[Frame]()
    try:
        while True:
            frames.append(json.loads(await client.raw()))
    except ConnectionClosed:
        return frames


@pytest.mark.parametrize("path", [SINGLE, MULTI, DIALOGUE, DIALOGUE_SINGLE])
async def test_every_script_ends_properly(path: str) -> None:
    rng = Random(7)
    ends = set[int]()
    async with emulator() as address:
        for _ in range(SCRIPTS):
            messages = script(rng)
            async with open_socket(address, path) as client:
                frames = await play(client, messages)
                code = client.connection.close_code
            assert code in (1000, 1008), messages
            assert all(frozenset(frame) in KEYS for frame in frames)
            assert ["error" in frame for frame in frames].count(True) == (code == 1008), messages
            assert not any("error" in frame for frame in frames[:-1]), messages
            ends.add(code)
    assert 1008 in ends


async def test_nothing_is_left_behind_by_clients_that_leave_amid_faults() -> None:
    """Neither a task nor a place in a pool, whatever stalls or breaks."""
    before, rng = asyncio.all_tasks(), Random(8)
    app = elevenlabs_app(options(faults=parse_faults("", any_share=0.5)))
    async with serving({"elevenlabs": app}) as addresses:
        address = addresses["elevenlabs"].removeprefix("http://")
        for _ in range(SCRIPTS):
            path = rng.choice([SINGLE, MULTI, DIALOGUE, DIALOGUE_SINGLE])
            with suppress(InvalidStatus):  # refused by a fault
                async with open_socket(address, path) as client:
                    await client.send(*script(rng))
    assert asyncio.all_tasks() == before
    assert app[SERVICE].generating_now == 0
    assert app[SERVICE].dialogue_sessions == 0
