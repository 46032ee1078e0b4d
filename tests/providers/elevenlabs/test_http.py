"""Speech over plain HTTP: where no socket can be opened, and what comes of bodies that are not as they should be."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from speakback.audio.pcm import pcm16_from_samples
from speakback.providers.adapters.elevenlabs.flash import ElevenLabs
from speakback.providers.adapters.elevenlabs.options import VoiceSettings
from speakback.providers.errors import Failure, ProviderError
from tests.providers.elevenlabs.scripted import SECRET, closing, options_at, quick, samples_of, spoken, words_of

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
TONE = pcm16_from_samples((np.sin(np.arange(4800) * 0.1) * 0.5).astype(np.float32))


@asynccontextmanager
async def served(answer: Answer, upgrade: int = 503, **changes: object) -> AsyncIterator[ElevenLabs]:
    """A voice whose sockets are refused with this status, and whose HTTP is answered so."""

    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=upgrade)

    app = web.Application()
    app.router.add_get("/v1/text-to-speech/V1/multi-stream-input", refuse)
    app.router.add_post("/v1/text-to-speech/V1/stream", answer)
    async with TestServer(app) as server:
        options = options_at(str(server.make_url("/")), patience=quick(), **changes)
        async with closing(await asyncio.to_thread(ElevenLabs, options)) as voice:
            yield voice


async def test_where_no_socket_can_be_opened_it_speaks_over_http_clause_by_clause() -> None:
    bodies: list[dict[str, object]] = []
    keys: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        bodies.append(json.loads(await request.text()))
        keys.append(request.headers["xi-api-key"])
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm", "request-id": "r-1"})
        await response.prepare(request)
        for piece in (TONE[:1001], TONE[1001:1004], TONE[1004:]):
            await response.write(piece)
        return response

    settings = VoiceSettings(stability=0.4)
    async with served(answer, settings=settings, language="en") as voice:
        chunks = await spoken(voice, "Hello [laughs] there.", "Bye.")
    assert words_of(chunks) == "Hello there. Bye."
    assert sum(chunk.clause_end for chunk in chunks) == 2
    assert pcm16_from_samples(np.concatenate([chunk.audio_24k for chunk in chunks])) == TONE * 2
    assert bodies == [
        {
            "text": "Hello there.",
            "model_id": "eleven_flash_v2_5",
            "apply_text_normalization": "auto",
            "voice_settings": {"stability": 0.4},
            "language_code": "en",
        },
        bodies[0] | {"text": "Bye.", "previous_text": "Hello there."},
    ]
    assert keys == [SECRET] * 2


async def test_a_key_that_is_refused_for_the_socket_is_not_tried_over_http() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        raise AssertionError("asked over HTTP")

    async with served(answer, upgrade=401) as voice:
        with pytest.raises(ProviderError) as caught:
            await spoken(voice, "Hello.")
    assert caught.value.failure is Failure.REFUSED_KEY


def with_body(body: bytes, content_type: str = "audio/pcm", status: int = 200, length: int | None = None) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": content_type, "request-id": "r-1"})
        response.content_length = len(body) if length is None else length
        await response.prepare(request)
        await response.write(body)
        if request.transport is not None and length is not None:
            request.transport.close()
        return response

    return answer


async def stalling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "audio/pcm", "request-id": "r-1"})
    await response.prepare(request)
    await response.write(TONE)
    await asyncio.sleep(30)
    return response


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (with_body(b""), Failure.BAD_ANSWER),
        (with_body(b"{}", "application/json"), Failure.BAD_ANSWER),
        (with_body(TONE, length=2 * len(TONE)), Failure.BROKE_OFF),
        (with_body(b'{"detail":[{"loc":["body","text"],"msg":"m"}]}', "application/json", 422), Failure.BAD_REQUEST),
        (with_body(b'{"detail":{"status":"quota_exceeded"}}', "application/json", 401), Failure.QUOTA),
        (with_body(b"<html>", "text/html", 502), Failure.BUSY),
        (stalling, Failure.LATE),
    ],
)
async def test_bodies_that_are_not_as_they_should_be(answer: Answer, failure: Failure) -> None:
    async with served(answer, transport="http") as voice:
        with pytest.raises(ProviderError) as caught:
            await spoken(voice, "Hello.")
    assert caught.value.failure is failure
    assert str(caught.value).startswith("tts provider 'elevenlabs' in 127.0.0.1: ")
    assert str(caught.value).endswith(" (request r-1)")
    assert SECRET not in str(caught.value)
    assert "Hello" not in str(caught.value)


async def test_half_a_sample_at_the_end_of_a_clause_does_not_spoil_the_next() -> None:
    async with served(with_body(TONE + b"\x01"), transport="http") as voice:
        chunks = await spoken(voice, "One.", "Two.")
    assert samples_of(chunks) == 9600
    assert pcm16_from_samples(np.concatenate([chunk.audio_24k for chunk in chunks])) == TONE * 2


async def test_nobody_there_is_unreachable() -> None:
    options = options_at("http://127.0.0.1:1", patience=quick())
    async with closing(await asyncio.to_thread(ElevenLabs, options)) as voice:
        with pytest.raises(ProviderError) as caught:
            await spoken(voice, "Hello.")
    assert caught.value.failure is Failure.UNREACHABLE
