"""`multi-stream-input` on the wire."""

import asyncio
import json

import pytest

from speakback.emulators.elevenlabs.options import Guesses
from speakback.emulators.faults import parse_faults
from tests.emulators.elevenlabs.sockets import FLASH, MULTI, Frame, audio_of, open_socket, texts
from tests.emulators.elevenlabs.voices import HeldSpeaker, emulator

SETTINGS: Frame = {"voice_settings": {"stability": 0.5}}


def init(context_id: str) -> Frame:
    return {"text": " ", "context_id": context_id, **SETTINGS}


def say(context_id: str, text: str) -> Frame:
    return {"text": text, "context_id": context_id, "flush": True}


def close(context_id: str) -> Frame:
    return {"context_id": context_id, "close_context": True}


async def test_the_sample_exchange_with_barge_in() -> None:
    """Section 2.8. The first turn's audio is late, so that it comes after its close."""
    speaker = HeldSpeaker()
    async with emulator(speaker=speaker) as address, open_socket(address, MULTI) as client:
        await client.send(init("t1"), say("t1", "Sure, let me check. "))
        frames = [await client.frame() for _ in range(2)]
        assert list(frames[0]) == ["audio", "isFinal", "normalizedAlignment", "alignment", "contextId"]
        assert [frame["contextId"] for frame in frames] == ["t1", "t1"]
        assert [frame["alignment"] is None for frame in frames] == [False, True]
        await client.send(say("t1", "hold on. "), {"text": "The first result is ", "context_id": "t1"}, close("t1"))
        await client.send(init("t2"), say("t2", "Of course. "))
        assert [(await client.frame())["contextId"] for _ in range(2)] == ["t2", "t2"]
        speaker.released.set()
        late = await client.until("isFinal")
        assert {str(frame["contextId"]) for frame in late} == {"t1"}
        alignment = late[0]["alignment"]
        assert isinstance(alignment, dict)
        assert "".join(alignment["chars"]) == "hold on. "
        await client.send(close("t2"))
        final = await client.raw()
        await client.send({"close_socket": True})
        assert await client.closed() == (1000, "")
    expected = '{"audio": null, "isFinal": true, "normalizedAlignment": null, "alignment": null, "contextId": "t2"}'
    assert final == expected


async def test_without_an_id_there_is_a_default_context() -> None:
    async with emulator() as address, open_socket(address, MULTI) as client:
        await client.send({"text": "Hello. ", "flush": True}, {"close_context": True})
        frames = await client.until("isFinal")
    assert {frame["contextId"] for frame in frames} == {None}


async def test_an_empty_text_flushes_and_closes_nothing() -> None:
    """As livekit ends an utterance: settings {}, then an empty flush, then the close."""
    query = {**FLASH, "auto_mode": "true", "sync_alignment": "true", "inactivity_timeout": "180"}
    async with emulator() as address, open_socket(address, MULTI, query) as client:
        await client.send({"text": " ", "context_id": "s1", "voice_settings": {}})
        await client.send(say("s1", "A sentence of livekit. "), {"text": "", "context_id": "s1", "flush": True})
        await client.send(close("s1"))
        frames = await client.until("isFinal")
    assert [frame["contextId"] for frame in frames] == ["s1"] * len(frames)
    assert all(frame["alignment"] for frame in frames[:-1])


async def test_a_turn_as_pipecat_takes_it() -> None:
    """Tokens, flush, keep-alives with and without the context, close; then the next turn without reconnecting."""
    async with emulator() as address, open_socket(address, MULTI) as client:
        for turn in ("p1", "p2"):
            await client.send({"text": ""}, init(turn), {"text": "", "context_id": turn})
            await client.send(*[{**text, "context_id": turn} for text in texts("Hello", " there", ".")])
            await client.send({"context_id": turn, "flush": True}, close(turn))
            frames = await client.until("isFinal")
            assert len(audio_of(frames)) == len("Hello there.") * 65 * 48
            assert {frame["contextId"] for frame in frames} == {turn}


async def test_text_that_was_not_flushed_is_lost_unless_the_option_says_otherwise() -> None:
    for generates in (False, True):
        guesses = Guesses(close_generates_rest=generates)
        async with emulator(guesses=guesses) as address, open_socket(address, MULTI) as client:
            await client.send(init("a"), {"text": "Lost? ", "context_id": "a"}, close("a"))
            assert bool(audio_of(await client.until("isFinal"))) == generates


async def test_a_closed_id_may_be_used_again() -> None:
    async with emulator() as address, open_socket(address, MULTI) as client:
        for _ in range(2):
            await client.send(init("a"), say("a", "Again. "), close("a"))
            assert len(await client.until("isFinal")) == 3


# ---- the five contexts ------------------------------------------------------------------------


async def test_the_sixth_context_ends_the_socket() -> None:
    async with emulator() as address, open_socket(address, MULTI) as client:
        await client.send(*(init(f"c{n}") for n in range(6)))
        assert await client.raw() == (
            '{"message": "Maximum simultaneous contexts per WebSocket connection exceeded (5). Please close an '
            'existing context before opening a new one.", "error": "max_active_conversations", "code": 1008}'
        )
        code, reason = await client.closed()
    assert code == 1008
    assert len(reason) == 123


async def test_a_closing_context_counts_until_its_final_message() -> None:
    speaker = HeldSpeaker()
    async with emulator(speaker=speaker) as address, open_socket(address, MULTI) as client:
        await client.send(*(init(f"c{n}") for n in range(5)), say("c0", "hold "), close("c0"), init("c5"))
        assert (await client.error())["error"] == "max_active_conversations"
    async with emulator(speaker=speaker) as address, open_socket(address, MULTI) as client:
        await client.send(*(init(f"c{n}") for n in range(5)), say("c0", "hold "), close("c0"))
        speaker.released.set()
        await client.until("isFinal")
        await client.send(init("c5"), close("c5"))
        assert (await client.frame())["contextId"] == "c5"


@pytest.mark.parametrize("message", [{"flush": True}, {"text": ""}, {"text": " "}])
async def test_any_message_to_an_unknown_id_makes_a_phantom(message: Frame) -> None:
    async with emulator() as address, open_socket(address, MULTI) as client:
        await client.send(*({**message, "context_id": f"phantom{n}"} for n in range(5)), init("real"))
        assert (await client.error())["error"] == "max_active_conversations"


async def test_a_keepalive_before_the_initialise_message_makes_it_fail() -> None:
    async with emulator() as address, open_socket(address, MULTI) as client:
        await client.send({"text": "", "context_id": "c"}, init("c"))
        message = (await client.error())["message"]
    assert str(message).startswith("voice_settings field must be provided in the first message")


async def test_the_keepalive_of_the_socket_takes_no_context_unless_the_option_says_so() -> None:
    for opens in (False, True):
        guesses = Guesses(keepalive_opens_context=opens)
        async with emulator(guesses=guesses) as address, open_socket(address, MULTI) as client:
            await client.send({"text": ""}, *(init(f"c{n}") for n in range(5)), say("c0", "Well. "))
            assert ("error" in await client.frame()) == opens


# ---- silence ----------------------------------------------------------------------------------


async def test_an_idle_context_ends_the_socket_or_itself() -> None:
    async with emulator(inactivity_s=0.1) as address, open_socket(address, MULTI) as client:
        await client.send(init("a"))
        assert (await client.error())["error"] == "input_timeout_exceeded"
    guesses = Guesses(inactivity_ends="context")
    async with emulator(inactivity_s=0.1, guesses=guesses) as address, open_socket(address, MULTI) as client:
        await client.send(init("a"))
        assert await client.frame() == {
            **{"audio": None, "isFinal": True, "normalizedAlignment": None},
            **{"alignment": None, "contextId": "a"},
        }
        assert (await client.error())["error"] == "input_timeout_exceeded"


async def test_a_socket_without_contexts_ends_too() -> None:
    async with emulator(inactivity_s=0.1) as address, open_socket(address, MULTI) as client:
        assert (await client.error())["error"] == "input_timeout_exceeded"


# ---- the end ----------------------------------------------------------------------------------


async def test_close_socket_finishes_what_was_flushed() -> None:
    async with emulator() as address, open_socket(address, MULTI) as client:
        await client.send(init("a"), say("a", "First. "), init("b"), {"text": "Lost. ", "context_id": "b"})
        await client.send({"close_socket": True}, {"text": "Ignored. ", "context_id": "c"})
        frames = [await client.frame() for _ in range(4)]
        assert await client.closed() == (1000, "")
    finals = {frame["contextId"] for frame in frames if frame["isFinal"]}
    assert finals == {"a", "b"}
    assert {frame["contextId"] for frame in frames if frame["audio"]} == {"a"}


async def test_no_task_outlives_the_client() -> None:
    before = asyncio.all_tasks()
    async with emulator(speaker=HeldSpeaker()) as address, open_socket(address, MULTI) as client:
        await client.send(init("a"), say("a", "hold "))
        await client.taken()
    assert asyncio.all_tasks() == before


# ---- faults and variants ----------------------------------------------------------------------


async def test_a_close_right_behind_the_flush_may_swallow_the_utterance() -> None:
    faults, speaker = parse_faults("drop-after-flush-close"), HeldSpeaker()
    async with emulator(faults=faults, speaker=speaker) as address, open_socket(address, MULTI) as client:
        await client.send(init("a"), say("a", "hold "), close("a"))
        await client.taken()
        speaker.released.set()
        frame = await client.frame()
        assert (frame["isFinal"], frame["contextId"]) == (True, "a")
        await client.send(init("b"), say("b", "Heard. "))
        assert (await client.frame())["audio"]
        await client.frame()
        await client.send(close("b"))
        assert (await client.frame())["isFinal"] is True


async def test_close_socket_loses_nothing_that_was_flushed() -> None:
    faults, speaker = parse_faults("drop-after-flush-close"), HeldSpeaker()
    async with emulator(faults=faults, speaker=speaker) as address, open_socket(address, MULTI) as client:
        await client.send(init("a"), say("a", "hold "), {"close_socket": True})
        await client.taken()
        speaker.released.set()
        assert audio_of(await client.until("isFinal"))


async def test_variants_of_spelling() -> None:
    faults = parse_faults("snake-case-id,snake-case-final")
    async with emulator(faults=faults) as address, open_socket(address, MULTI) as client:
        await client.send(init("a"), close("a"))
        assert list(await client.frame()) == ["audio", "is_final", "normalizedAlignment", "alignment", "context_id"]
    async with (
        emulator(guesses=Guesses(short_final=True, flush_done=True)) as address,
        open_socket(address, MULTI) as client,
    ):
        await client.send(init("a"), say("a", "Hello. "), close("a"))
        *_, flushed, final = await client.until("isFinal")
    assert flushed == {"type": "flush_done", "context_id": "a", "flush_done": True}
    assert json.dumps(final) == '{"isFinal": true, "contextId": "a"}'
