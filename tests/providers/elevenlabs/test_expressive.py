"""The dialogue sockets: tags performed, sentences whole, no access told at once and remembered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from speakback.providers.adapters.elevenlabs.options import VoiceSettings
from speakback.providers.adapters.elevenlabs.wire import KEEPER
from speakback.providers.errors import Failure, ProviderError
from tests.providers.elevenlabs import scripted
from tests.providers.elevenlabs.scripted import (
    Connection,
    Frame,
    Service,
    aligned,
    clauses,
    expressive,
    quick,
    spoken,
    words_of,
)

SETTINGS = VoiceSettings(stability=0.5, similarity_boost=0.9, speed=1.1)


def audio(context_id: str, text: str) -> Frame:
    """As the dialogue sockets spell it."""
    spelled = aligned(text)
    return {
        "audio": scripted.audio(None, text)["audio"],
        "alignment": {
            "chars": spelled["chars"],
            "char_start_times_ms": spelled["charStartTimesMs"],
            "char_durations_ms": spelled["charDurationsMs"],
        },
        "normalized_alignment": None,
        "context_id": context_id,
    }


async def test_tags_are_sent_and_are_no_words_and_settings_are_those_it_reads() -> None:
    async def play(service: Connection) -> None:
        await service.has_flushed()
        await service.send(audio("t1", "Oh wow. [laughs] Yes. "), {"is_final_audio_for_turn": True, "context_id": "t1"})
        await service.until("close_context")
        await service.send({"is_final": True, "context_id": "t1"})

    service = Service(play)
    async with expressive(service, settings=SETTINGS, language="en") as voice:
        assert words_of(await spoken(voice, "Oh wow. [laughs] Yes.")) == "Oh wow. Yes."
    assert service.connections[0].got == [
        {"context_id": KEEPER, "voices": ["V1"], "voice_settings": {"stability": 0.5}},
        {"context_id": "t1", "voices": ["V1"], "voice_settings": {"stability": 0.5}},
        {"context_id": "t1", "inputs": [{"text": "Oh wow. [laughs] Yes. ", "voice_id": "V1"}], "flush": True},
        {"context_id": "t1", "close_context": True},
        {"close_socket": True},
    ]
    assert service.connections[0].path.startswith("/v1/text-to-dialogue/multi-stream-input?")


async def test_a_sentence_is_sent_whole_and_each_of_its_clauses_ends() -> None:
    async def play(service: Connection) -> None:
        await service.has_flushed()
        await service.send(audio("t1", "Well, if you say so. "))
        await service.until("close_context")
        await service.send({"is_final": True, "context_id": "t1"})

    service = Service(play)
    async with expressive(service) as voice:
        chunks = await spoken(voice, "Well,", "if you say so.")
    assert words_of(chunks) == "Well, if you say so."
    assert sum(chunk.clause_end for chunk in chunks) == 2
    assert service.connections[0].got[2]["inputs"] == [{"text": "Well, if you say so. ", "voice_id": "V1"}]


async def test_a_sentence_that_is_long_in_coming_is_begun() -> None:
    async def play(service: Connection) -> None:
        await service.has_flushed()
        await service.send(audio("t1", "Well, "))

    async def halting() -> AsyncIterator[str]:
        yield "[sighs]"
        yield "Well,"
        await asyncio.Event().wait()

    service = Service(play)
    async with expressive(service) as voice, aclosing(voice.speak(halting())) as chunks:
        assert words_of([await anext(chunks)]) == "Well,"
    assert service.connections[0].got[2]["inputs"] == [{"text": "[sighs] Well, ", "voice_id": "V1"}]


async def test_gotcha_19_and_20_a_barge_in_closes_once_and_drops_what_still_comes() -> None:
    dropped = asyncio.Event()

    async def play(service: Connection) -> None:
        await service.has_flushed()
        await service.send(audio("t1", "A long "))
        await service.until("close_context")
        await service.send(audio("t1", "story. "), {"is_final": True, "context_id": "t1"})
        dropped.set()
        await service.has_flushed()
        await service.send(audio("t2", "New. "))
        await service.until("close_context")
        await service.send({"is_final": True, "context_id": "t2"})

    service = Service(play)
    async with expressive(service) as voice:
        async with aclosing(voice.speak(clauses("A long story."))) as chunks:
            await anext(chunks)
        await dropped.wait()
        assert words_of(await spoken(voice, "New.")) == "New."
    of_first = [frame for frame in service.connections[0].got if frame.get("context_id") == "t1"]
    assert [next(iter(frame.keys() - {"context_id"})) for frame in of_first if "inputs" not in frame] == [
        "voices",
        "close_context",
    ]


async def test_the_keeper_keeps_the_socket_alive() -> None:
    async def play(service: Connection) -> None:
        await service.until("voices")
        for _ in range(2):
            assert await service.take() == {"context_id": KEEPER, "keep_alive": True}

    service = Service(play)
    async with expressive(service, patience=quick(keep_alive_s=0.05)) as voice:
        await voice.warm()
        await service.played[0].wait()


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, '{"detail":{"code":"unsupported_model"}}', Failure.UNKNOWN_MODEL),
        (403, "", Failure.FORBIDDEN),
        (404, "", Failure.FORBIDDEN),
        (401, "", Failure.REFUSED_KEY),
    ],
)
async def test_no_access_is_told_at_once_and_remembered(status: int, body: str, failure: Failure) -> None:
    asked = 0

    def refuse(connection: ServerConnection, _: Request) -> Response:
        nonlocal asked
        asked += 1
        return connection.respond(status, body)

    async with expressive(Service(), refuse) as voice:
        for _ in range(3):
            with pytest.raises(ProviderError) as caught:
                await spoken(voice, "Hello.")
            assert caught.value.failure is failure
        with pytest.raises(ProviderError, match="refused before"):
            await voice.warm()
    assert asked == 1


async def test_another_voice_is_spoken_over_the_same_socket() -> None:
    async def play(service: Connection) -> None:
        for context_id, text in (("t1", "Hello. "), ("t2", "Hi. "), ("t3", "Bye. ")):
            await service.has_flushed()
            await service.send(audio(context_id, text))
            await service.until("close_context")
            await service.send({"is_final": True, "context_id": context_id})

    service = Service(play)
    async with expressive(service, settings=SETTINGS) as voice:
        other = voice.with_voice("V2")
        await other.warm()
        for speaker, text in ((other, "Hello."), (voice, "Hi."), (other, "Bye.")):
            assert words_of(await spoken(speaker, text)) == text
        await other.aclose()
        assert voice.open_sockets == 1, "the sockets are the model's"
    (connection,) = service.connections
    spoken_by = {frame["context_id"]: frame["inputs"] for frame in connection.got if "inputs" in frame}
    assert spoken_by == {
        "t1": [{"text": "Hello. ", "voice_id": "V2"}],
        "t2": [{"text": "Hi. ", "voice_id": "V1"}],
        "t3": [{"text": "Bye. ", "voice_id": "V2"}],
    }
    named = {frame["context_id"]: frame["voices"] for frame in connection.got if "voices" in frame}
    assert named == {KEEPER: ["V1"], "t1": ["V2"], "t2": ["V1"], "t3": ["V2"]}
