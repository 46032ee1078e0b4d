"""The dialogue sockets on the wire."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from speakback.emulators.elevenlabs.options import Guesses
from speakback.emulators.faults import parse_faults
from tests.emulators.elevenlabs.sockets import DIALOGUE, DIALOGUE_SINGLE, V3, Frame, audio_of, open_socket
from tests.emulators.elevenlabs.voices import VOICE, HeldSpeaker, emulator

SYNC = {**V3, "sync_alignment": "true"}


def init(context_id: str) -> Frame:
    return {"context_id": context_id, "voices": [VOICE], "voice_settings": {"stability": 0.5}}


def say(context_id: str, text: str, **more: object) -> Frame:
    return {"context_id": context_id, "inputs": [{"text": text, "voice_id": VOICE}], **more}


async def test_a_reply_of_two_sentences() -> None:
    async with emulator() as address, open_socket(address, DIALOGUE, SYNC) as client:
        await client.send(init("c1"), say("c1", "Oh wow. [laughs] ", flush=True), say("c1", "And so on. ", flush=True))
        await client.send({"context_id": "c1", "close_context": True})
        frames = await client.until("is_final")
    assert [sorted(frame.keys() - {"context_id"}) for frame in frames] == [
        ["alignment", "audio", "normalized_alignment"],
        ["alignment", "audio", "normalized_alignment"],
        ["is_final_audio_for_turn"],
        ["alignment", "audio", "normalized_alignment"],
        ["alignment", "audio", "normalized_alignment"],
        ["is_final_audio_for_turn"],
        ["is_final"],
    ]
    alignments = [frame["alignment"] for frame in frames[:2]]
    assert all(isinstance(one, dict) and one["char_start_times_ms"][0] == 0 for one in alignments)
    chars = "".join("".join(one["chars"]) for one in alignments if isinstance(one, dict))
    assert chars == "Oh wow. [laughs] "
    assert len(audio_of(frames[:2])) == len("Oh wow.  ") * 65 * 48, "the tag is not said"


async def test_the_bytes_of_its_messages() -> None:
    async with emulator() as address, open_socket(address, DIALOGUE) as client:
        await client.send(init("c1"), say("c1", "Hm. ", flush=True))
        audio, _, marker = [await client.raw() for _ in range(3)]
        await client.send({"context_id": "c1", "close_context": True})
        final = await client.raw()
        await client.send({"close_socket": True})
        assert await client.closed() == (1000, "")
    assert audio.endswith('"alignment": null, "normalized_alignment": null, "context_id": "c1"}')
    assert marker == '{"is_final_audio_for_turn": true, "context_id": "c1"}'
    assert final == '{"is_final": true, "context_id": "c1"}'


async def test_it_generates_by_itself_from_40_characters_and_8_words() -> None:
    async with emulator() as address, open_socket(address, DIALOGUE, SYNC) as client:
        await client.send(init("c"), say("c", "Extraordinarily comprehensive considerations notwithstanding. "))
        await client.send(say("c", "now there are eight "))
        frames = await client.until("is_final_audio_for_turn")
    assert "eight" in "".join(
        "".join(one["alignment"]["chars"]) for one in frames[:-1] if isinstance(one["alignment"], dict)
    )


async def test_a_close_speaks_the_rest_and_a_new_turn_what_came_before() -> None:
    async with emulator() as address, open_socket(address, DIALOGUE) as client:
        await client.send(init("c"), say("c", "Before. "))
        await client.send({"context_id": "c", "inputs": [{"text": "New. ", "voice_id": VOICE, "new_turn": True}]})
        await client.until("is_final_audio_for_turn")
        await client.send({"context_id": "c", "close_context": True})
        frames = await client.until("is_final")
    assert len(audio_of(frames)) == len("New. ") * 65 * 48


async def test_the_single_socket_has_no_ids() -> None:
    async with emulator() as address, open_socket(address, DIALOGUE_SINGLE) as client:
        await client.send({"voices": [VOICE]}, {"inputs": [{"text": "Hello. ", "voice_id": VOICE}]})
        await client.send({"keep_alive": True}, {"close_socket": True})
        frames = [await client.frame() for _ in range(4)]
        assert await client.closed() == (1000, "")
    assert frames[-2:] == [{"is_final_audio_for_turn": True}, {"is_final": True}]
    assert all("context_id" not in frame for frame in frames)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{**init("c"), "voices": None}], "voices must be set in the first message."),
        ([{**init("c"), "voices": []}], "voices must be set in the first message."),
        ([init("c"), init("c")], "voices can only be set in the first message."),
        (
            [init("c"), {"context_id": "c", "voice_settings": {"stability": 0.5}}],
            "voice_settings can only be set in the first message.",
        ),
        ([{"voices": [VOICE]}], "context_id is required."),
        ([{"context_id": "c", "keep_alive": True}], "keep_alive requires a registered context."),
        ([{"context_id": "c", "voices": [VOICE, VOICE]}], "voices: at most 1 with this model."),
        (
            [init("c"), {"context_id": "c", "inputs": [{"text": "x", "voice_id": "other"}]}],
            "voice_id other is not registered for this context.",
        ),
        ([{"context_id": "c", "voices": ["unknown"]}], "A voice with voice_id unknown does not exist."),
    ],
)
async def test_orders_that_end_the_socket(messages: list[Frame], expected: str) -> None:
    async with emulator() as address, open_socket(address, DIALOGUE) as client:
        await client.send(*messages)
        error = await client.error()
    assert list(error) == ["message", "error", "code", "param"]
    assert error["message"] == expected


async def test_a_message_to_a_closing_context_ends_the_socket() -> None:
    async with emulator(speaker=HeldSpeaker()) as address, open_socket(address, DIALOGUE) as client:
        await client.send(init("c"), say("c", "hold "), {"context_id": "c", "close_context": True})
        await client.send({"context_id": "c", "keep_alive": True})
        assert (await client.error())["error"] == "context_closing"


async def test_a_message_after_close_socket_ends_it_at_once() -> None:
    async with emulator(speaker=HeldSpeaker()) as address, open_socket(address, DIALOGUE) as client:
        await client.send(init("c"), say("c", "hold "), {"close_socket": True}, init("d"))
        assert (await client.error())["error"] == "context_closing"


async def test_the_sixth_context_ends_the_socket() -> None:
    async with emulator() as address, open_socket(address, DIALOGUE) as client:
        await client.send(*(init(f"c{n}") for n in range(6)))
        assert await client.raw() == (
            '{"message": "Maximum simultaneous contexts per connection exceeded (5). Close an existing context '
            'first.", "error": "too_many_contexts", "code": 1008, "param": null}'
        )


async def test_silence_ends_it_and_a_dedicated_context_for_keepalives_does_not_help_the_others() -> None:
    async with emulator(dialogue_inactivity_s=0.2) as address, open_socket(address, DIALOGUE) as client:
        await client.send(init("keep"), {"context_id": "keep", "keep_alive": True})
        assert (await client.error())["error"] == "input_timeout_exceeded"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"model_id": "eleven_flash_v2_5"}, 400),
        ({**V3, "auto_mode": "true"}, 400),
        ({"model_id": "eleven_v3_alpha"}, 400),
    ],
)
async def test_queries_that_are_refused(query: dict[str, str], status: int) -> None:
    async with emulator() as address:
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address, DIALOGUE, query):
                pass
    assert refused.value.response.status_code == status
    assert "detail" in json.loads(refused.value.response.body or b"")


async def test_workspaces_without_access_and_full_pools_are_refused() -> None:
    async with emulator(has_dialogue=False) as address:
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address, DIALOGUE):
                pass
        assert refused.value.response.status_code == 403
    async with emulator(guesses=Guesses(dialogue_sessions=1)) as address, open_socket(address, DIALOGUE):
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address, DIALOGUE):
                pass
        assert refused.value.response.status_code == 429


async def test_audio_may_come_without_its_alignment() -> None:
    async with emulator(faults=parse_faults("no-alignment")) as address, open_socket(address, DIALOGUE, SYNC) as client:
        await client.send(init("c"), say("c", "Hello. ", flush=True))
        assert (await client.frame())["alignment"] is None


async def test_a_wrong_key_is_told_after_the_first_message() -> None:
    async with emulator() as address, open_socket(address, DIALOGUE, key="wrong") as client:
        await client.send(init("c"))
        assert (await client.error())["error"] == "invalid_api_key"
