"""What surprises clients of the text-to-speech sockets, each by its number in the reference. See also
`test_contexts.py` (4 to 10, 19), `test_formats.py` (1), `test_alignment.py` (14), `test_words.py` (15, 30) and
`tests/providers/link` (2, 10, 21, 22)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from speakback.audio.speech import SpeechChunk
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.tts import TextToSpeech
from tests.providers.elevenlabs.scripted import (
    SECRET,
    Connection,
    Play,
    Service,
    audio,
    clauses,
    final,
    flash,
    quick,
    samples_of,
    spoken,
    words_of,
)


def speaking(context_id: str, text: str) -> Play:
    """Speaks one utterance of one clause."""

    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio(context_id, text))
        await service.until("close_context")
        await service.send(final(context_id))

    return play


async def silent(service: Connection) -> None:
    """Takes all and says nothing."""
    await service.until("close_socket")


async def failing_speech(voice: TextToSpeech, *texts: str) -> tuple[str, Failure]:
    """What was heard before it failed, and how it failed."""
    heard: list[SpeechChunk] = []
    try:
        async for chunk in voice.speak(clauses(*texts)):
            heard.append(chunk)
    except ProviderError as error:
        return words_of(heard), error.failure
    raise AssertionError("it did not fail")


async def test_gotcha_03_a_turn_ends_by_closing_and_not_by_waiting_for_an_end_behind_a_flush() -> None:
    service = Service(speaking("t1", "Yes. "))
    async with flash(service) as voice:
        assert words_of(await spoken(voice, "Yes.")) == "Yes."


async def test_gotcha_04_an_utterance_is_closed_only_when_its_last_clause_is_audible() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.until("flush")
        await service.send(audio("t1", "One clause. "))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await service.take()
        await service.send(audio("t1", "Another. "))
        assert await service.take() == {"context_id": "t1", "close_context": True}
        await service.send(final("t1"))

    service = Service(play)
    async with flash(service) as voice:
        assert words_of(await spoken(voice, "One clause.", "Another.")) == "One clause. Another."


async def test_gotcha_06_frames_of_another_utterance_are_not_heard() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t0", "Old words. "), audio(None, "Nobody's. "), final("t0"), audio("t1", "New. "))
        await service.until("close_context")
        await service.send(final("t1"))

    async with flash(Service(play)) as voice:
        chunks = await spoken(voice, "New.")
    assert words_of(chunks) == "New."
    assert samples_of(chunks) == 5 * 240


async def test_gotcha_07_a_fifth_utterance_goes_to_a_second_socket() -> None:
    async def many(service: Connection) -> None:
        for number in range(1, 5):
            await service.until("flush")
            await service.send(audio(f"t{number}", "One "))

    async def fifth(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "Five "))

    async def endless() -> AsyncIterator[str]:
        yield "One more word."
        await asyncio.Event().wait()

    service = Service(many, fifth)
    async with flash(service) as voice:
        await voice.warm()
        speaking = [voice.speak(endless()) for _ in range(5)]
        for one in speaking:
            await anext(one)
        for one in speaking:
            await one.aclose()
    assert [sum("voice_settings" in frame for frame in one.got) for one in service.connections[:2]] == [4, 1]


async def test_gotcha_10_between_clauses_the_utterance_and_the_socket_are_kept_alive() -> None:
    more = asyncio.Event()

    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "Well, "))
        kept = [await service.take(), await service.take()]
        assert {"text": "", "context_id": "t1"} in kept
        assert {"text": ""} in kept
        more.set()
        await service.until("flush")
        await service.send(audio("t1", "yes. "))
        await service.until("close_context")
        await service.send(final("t1"))

    async def halting() -> AsyncIterator[str]:
        yield "Well,"
        await more.wait()
        yield "yes."

    async with flash(Service(play), patience=quick(keep_alive_s=0.05, first_audio_s=3.0)) as voice:
        assert words_of([chunk async for chunk in voice.speak(halting())]) == "Well, yes."


async def test_gotcha_11_and_12_and_13_a_clause_is_one_message_with_a_flush_and_one_space_behind_it() -> None:
    service = Service(speaking("t1", "Hello there. "))
    async with flash(service) as voice:
        await spoken(voice, "Hello there.")
    assert service.connections[0].got[1] == {"text": "Hello there. ", "context_id": "t1", "flush": True}
    assert "auto_mode=false" in service.connections[0].path


async def test_gotcha_17_silence_is_replayed_once_on_another_socket() -> None:
    service = Service(silent, speaking("t1", "Again. "))
    async with flash(service, patience=quick()) as voice:
        assert words_of(await spoken(voice, "Again.")) == "Again."


async def test_gotcha_17_an_end_without_a_sound_is_replayed_and_then_asked_for_over_http() -> None:
    async def soundless(service: Connection) -> None:
        await service.until("flush")
        await service.send(final("t1"))

    def refuse_http(connection: ServerConnection, request: Request) -> Response | None:
        if "/stream?" not in request.path:
            return None
        return connection.respond(401, '{"detail":{"status":"quota_exceeded"}}')

    service = Service(*[soundless] * 4)
    async with flash(service, refuse_http, patience=quick()) as voice:
        with pytest.raises(ProviderError) as caught:
            await spoken(voice, "Hello.")
    # The server speaks WebSocket only and refuses a POST as such: the failure is the one of HTTP.
    assert caught.value.failure in (Failure.QUOTA, Failure.BROKE_OFF, Failure.BAD_ANSWER, Failure.BAD_REQUEST)
    assert sum(any(frame.get("flush") for frame in one.got) for one in service.connections) == 2


async def test_gotcha_18_tags_are_not_sent_to_models_that_would_read_them() -> None:
    service = Service(speaking("t1", "Oh wow. "))
    async with flash(service) as voice:
        assert words_of(await spoken(voice, "[laughs] Oh [sighs] wow.", "[pause]")) == "Oh wow."
    assert service.connections[0].got[1]["text"] == "Oh wow. "


async def test_gotcha_30_an_utterance_that_is_said_twice_is_heard_once() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "Hello. "), audio("t1", "Hello. "))
        await service.until("close_context")
        await service.send(final("t1"))

    async with flash(Service(play)) as voice:
        chunks = await spoken(voice, "Hello.")
    assert words_of(chunks) == "Hello."
    assert samples_of(chunks) == 7 * 240


async def test_an_utterance_that_stalls_in_its_midst_is_late_and_not_said_again() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "One two "))

    service = Service(play)
    async with flash(service, patience=quick()) as voice:
        assert await failing_speech(voice, "One two three four five.") == ("One two", Failure.LATE)


async def test_an_end_marker_that_never_comes_is_not_waited_for_and_the_socket_not_used_again() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "Hello. "))

    async with flash(Service(play), patience=quick()) as voice:
        assert words_of(await spoken(voice, "Hello.")) == "Hello."


async def test_an_end_before_all_was_spoken_is_a_failure_and_no_word_is_made_up() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "One two "), final("t1"))

    async with flash(Service(play)) as voice:
        assert await failing_speech(voice, "One two three four five.") == ("One two", Failure.BROKE_OFF)


async def test_an_error_frame_is_told_without_waiting_for_the_close() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send({"message": "Invalid API key", "error": "invalid_api_key", "code": 1008})
        while True:
            await service.take()

    service = Service(play, speaking("t1", "Hello. "))
    async with flash(service) as voice:
        with pytest.raises(ProviderError) as caught:
            await spoken(voice, "Hello.")
        # The socket is still open, but of no more use.
        assert words_of(await spoken(voice, "Hello.")) == "Hello."
    assert sum(bool(frame.get("flush")) for frame in service.connections[0].got) == 1
    assert caught.value.failure is Failure.REFUSED_KEY
    assert SECRET not in str(caught.value)


async def test_an_error_of_one_utterance_ends_all_of_its_socket_and_those_unheard_are_said_again() -> None:
    broken = asyncio.Event()

    async def first(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "Loud "))
        await service.until("flush")
        await broken.wait()
        await service.send({"message": "…", "error": "max_active_conversations", "code": 1008, "contextId": "t9"})
        await service.socket.close(1008)

    service = Service(first, speaking("t1", "Quiet. "))
    async with flash(service) as voice:
        loud = voice.speak(clauses("Loud and clear is what I say."))
        await anext(loud)
        quiet = asyncio.create_task(spoken(voice, "Quiet."))
        await service.connections[0].has_got("flush", 2)
        broken.set()
        with pytest.raises(ProviderError) as caught:
            await anext(loud)
        assert caught.value.failure is Failure.BROKE_OFF
        assert words_of(await quiet) == "Quiet."


async def test_messages_that_are_unknown_are_passed_over() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send({"type": "flush_done", "context_id": "t1", "flush_done": True}, {"new": 1})
        await service.send(audio("t1", "Hello. ", surprise=[1]))
        await service.until("close_context")
        await service.send({"is_final": True, "context_id": "t1"})

    async with flash(Service(play)) as voice:
        assert words_of(await spoken(voice, "Hello.")) == "Hello."


async def test_a_failure_of_the_clauses_is_the_callers_own_and_closes_the_utterance() -> None:
    class OwnError(Exception):
        pass

    began = asyncio.Event()

    async def failing() -> AsyncIterator[str]:
        yield "Hello."
        await began.wait()
        raise OwnError

    service = Service(speaking("t1", "Hello. "))
    async with flash(service) as voice:
        reply = voice.speak(failing())
        await anext(reply)
        began.set()
        with pytest.raises(OwnError):
            await anext(reply)
        await service.played[0].wait()


async def test_a_reply_without_a_word_opens_nothing() -> None:
    service = Service()
    async with flash(service) as voice:
        assert await spoken(voice, "…", "[laughs]", "") == []
        assert voice.open_sockets == 0
    assert service.connections == []


async def test_closing_the_reply_early_frees_its_slot_and_leaves_the_socket() -> None:
    async def play(service: Connection) -> None:
        for number in range(1, 8):
            await service.until("flush")
            await service.send(audio(f"t{number}", "Hello "))
            await service.until("close_context")
            await service.send(audio(f"t{number}", "late "), final(f"t{number}"))

    service = Service(play)
    async with flash(service) as voice:
        for _ in range(7):
            async with aclosing(voice.speak(clauses("Hello late riser."))) as chunks:
                await anext(chunks)
        await service.played[0].wait()
    assert sum("close_context" in frame for frame in service.connections[0].got) == 7


async def test_closing_the_voice_fails_who_still_listens() -> None:
    async def play(service: Connection) -> None:
        await service.until("flush")
        await service.send(audio("t1", "One "))

    async with flash(Service(play)) as voice:
        reply = voice.speak(clauses("One two three four."))
        await anext(reply)
        await voice.aclose()
        with pytest.raises(ProviderError) as caught:
            await anext(reply)
    assert caught.value.failure is Failure.BROKE_OFF


async def test_more_audio_than_is_taken_ends_the_utterance_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speakback.providers.adapters.elevenlabs.sockets.FRAMES_AHEAD", 8)

    async def flooding(service: Connection) -> None:
        asked = await service.until("flush")
        context_id = str(asked["context_id"])
        await service.send(audio(context_id, "Hello "))
        await service.send(*[audio(context_id) for _ in range(20)])
        await service.until("close_context")

    service = Service(flooding)
    async with flash(service) as voice, aclosing(voice.speak(clauses("Hello there."))) as chunks:
        await anext(chunks)
        await service.played[0].wait()
        with pytest.raises(ProviderError, match="not taken as fast as it came"):
            async for _ in chunks:
                pass
