"""The exchanges that were captured, frame by frame."""

import asyncio
import base64
from contextlib import aclosing

from speakback.providers.adapters.elevenlabs.options import VoiceSettings
from tests.providers.elevenlabs.scripted import (
    SECRET,
    Connection,
    Frame,
    Service,
    aligned,
    audio,
    clauses,
    final,
    flash,
    spoken,
    words_of,
)

STABLE = VoiceSettings(stability=0.5)
HELLO = {
    "chars": [*"Hello world. "],
    "charStartTimesMs": [0, 81, 139, 174, 221, 290, 348, 395, 511, 569, 639, 755, 824],
    "charDurationsMs": [81, 58, 35, 47, 69, 58, 47, 116, 58, 70, 116, 69, 151],
}
NORMALIZED = HELLO | {"chars": [*" Hello world."]}


def captured(size: int, alignment: object) -> Frame:
    normalized = None if alignment is None else NORMALIZED
    return {
        "audio": base64.b64encode(bytes(size)).decode(),
        "isFinal": None,
        "normalizedAlignment": normalized,
        "alignment": alignment,
    }


async def test_the_single_socket_says_hello_world() -> None:
    async def play(service: Connection) -> None:
        assert await service.take() == {"text": " ", "voice_settings": {"stability": 0.5}}
        assert await service.take() == {"text": "Hello world. ", "flush": True}
        await service.send(captured(46_376, HELLO), captured(436, None))
        assert await service.take() == {"text": ""}
        await service.send(final(None))
        await service.socket.close(1000)

    service = Service(play)
    async with flash(service, transport="single", settings=STABLE) as voice:
        chunks = await spoken(voice, "Hello world.")
    first = service.connections[0]
    assert first.path.startswith(
        "/v1/text-to-speech/V1/stream-input?model_id=eleven_flash_v2_5&output_format=pcm_24000"
    )
    assert first.headers["xi-api-key"] == SECRET
    assert [len(chunk.audio_24k) for chunk in chunks] == [23_188, 218]
    hello, world = chunks[0].words
    assert (hello.text, hello.start_samples, hello.end_samples) == ("Hello", 0, 290 * 24)
    assert (world.text, world.start_samples, world.end_samples) == ("world.", 348 * 24, 824 * 24)
    assert [chunk.clause_end for chunk in chunks] == [True, False]


async def test_the_multi_context_socket_with_a_barge_in() -> None:
    interrupted = asyncio.Event()

    async def play(service: Connection) -> None:
        await service.take()
        await service.take()
        await service.send(audio("t1", "Sure, let me check. "), audio("t1"))
        await service.take()
        interrupted.set()
        await service.take()
        await service.take()
        await service.take()
        await service.send(audio("t1", "The fir"), final("t1"), audio("t2", "Of course. "))
        await service.take()
        await service.send(final("t2"))

    service = Service(play)
    async with flash(service, settings=STABLE) as voice:
        heard = []
        async with aclosing(voice.speak(clauses("Sure, let me check.", "The first result is"))) as chunks:
            async for chunk in chunks:
                heard.append(chunk)
                if len(heard) == 2:
                    await interrupted.wait()
                    break
        assert words_of(heard) == "Sure, let me check."
        assert words_of(await spoken(voice, "Of course.")) == "Of course."
        await service.played[0].wait()
    first = service.connections[0]
    assert first.got == [
        {"text": " ", "context_id": "t1", "voice_settings": {"stability": 0.5}},
        {"text": "Sure, let me check. ", "context_id": "t1", "flush": True},
        {"text": "The first result is ", "context_id": "t1", "flush": True},
        {"context_id": "t1", "close_context": True},
        {"text": " ", "context_id": "t2", "voice_settings": {"stability": 0.5}},
        {"text": "Of course. ", "context_id": "t2", "flush": True},
        {"context_id": "t2", "close_context": True},
        {"close_socket": True},
    ]


async def test_alignment_of_one_frame_for_all_of_a_clause_and_of_each_frame_give_the_same_words() -> None:
    text = "Good morning to you. "
    halves = [text[:7], text[7:]]

    async def whole(service: Connection) -> None:
        await service.take()
        await service.take()
        first, second = audio("t1", halves[0]), audio("t1", halves[1])
        await service.send(first | {"alignment": aligned(text)}, second | {"alignment": None})
        await service.take()
        await service.send(final("t1"))

    async def each(service: Connection) -> None:
        await service.take()
        await service.take()
        await service.send(audio("t1", halves[0]), audio("t1", halves[1]))
        await service.take()
        await service.send(final("t1"))

    heard = []
    for play in (whole, each):
        async with flash(Service(play)) as voice:
            chunks = await spoken(voice, text.strip())
            heard.append([(w.text, w.start_samples) for chunk in chunks for w in chunk.words])
            at = 0
            for chunk in chunks:
                at += len(chunk.audio_24k)
                assert all(word.start_samples < at for word in chunk.words)
    assert heard[0] == heard[1] == [("Good", 0), ("morning", 1200), ("to", 3120), ("you.", 3840)]
