"""Transcription on the wire, against the specification's worked examples and traps."""

import json
from math import exp

import aiohttp
import pytest

from speakback.emulators.content import HeardText
from speakback.emulators.groq.multipart import Upload
from speakback.emulators.groq.rate_limits import Tier
from speakback.emulators.groq.transcription_body import Evidence, verbose_body
from speakback.emulators.groq.transcription_request import TranscriptionRequest
from speakback.emulators.groq.wire import json_text
from speakback.emulators.profiles import TYPICAL
from speakback.providers.stt import TimedWord
from tests.emulators.groq.wires import Clock, groq_wire, wav

WORD, SEGMENT = ("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")
VERBOSE = ("response_format", "verbose_json")


def test_the_worked_verbose_answer_byte_for_byte() -> None:
    heard = HeardText("Hello there.", (TimedWord("Hello", 0, 420), TimedWord("there.", 420, 800)))
    asked = TranscriptionRequest(
        "whisper-large-v3-turbo", Upload("audio.wav", b""), "en", "verbose_json", 0.0, True, True
    )
    body = json_text(verbose_body(heard, 2.31, Evidence(-0.0976, 0.0128), asked, "req_01x"))
    head, _, tail = body.partition('"segments":')
    assert head == (
        '{"task":"transcribe","language":"English","duration":2.31,"text":" Hello there.",'
        '"words":[{"word":"Hello","start":0.0,"end":0.42},{"word":"there.","start":0.42,"end":0.8}],'
    )
    segment = json.loads(tail.rpartition(',"x_groq"')[0])[0]
    assert list(segment) == [
        *("id", "seek", "start", "end", "text", "tokens", "temperature"),
        *("avg_logprob", "compression_ratio", "no_speech_prob"),
    ]
    assert segment | {"tokens": [], "compression_ratio": 0, "end": 0} == {
        **{"id": 0, "seek": 0, "start": 0.0, "end": 0, "text": " Hello there.", "tokens": [], "temperature": 0},
        **{"avg_logprob": -0.0976, "compression_ratio": 0, "no_speech_prob": 0.0128},
    }
    assert '"temperature":0,' in tail
    assert tail.endswith(',"x_groq":{"id":"req_01x"}}')


async def test_json_begins_with_a_space_and_names_the_request() -> None:
    async with groq_wire() as wire:
        answer = await wire.transcribe(wav(1.0))
    assert answer.status == 200
    request_id = answer.headers["x-request-id"]
    assert answer.text == f'{{"text":" Hello there.","x_groq":{{"id":"{request_id}"}}}}'
    assert answer.headers["x-request-id"].startswith("req_01")


async def test_text_is_bare() -> None:
    async with groq_wire() as wire:
        answer = await wire.transcribe(wav(1.0), ("response_format", "text"))
    assert answer.text == " Hello there."
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_words_alone_leave_segments_null() -> None:
    async with groq_wire() as wire:
        body = json.loads((await wire.transcribe(wav(1.0), VERBOSE, WORD)).text)
    assert body["segments"] is None
    assert [word["word"] for word in body["words"]] == ["Hello", "there."]


@pytest.mark.parametrize("fields", [(VERBOSE,), (VERBOSE, SEGMENT)])
async def test_segments_are_the_default_and_come_without_words(fields: tuple[tuple[str, str], ...]) -> None:
    async with groq_wire() as wire:
        body = json.loads((await wire.transcribe(wav(1.0), *fields)).text)
    assert "words" not in body
    assert body["segments"][0]["text"] == " Hello there."


async def test_both_granularities_by_a_repeated_field() -> None:
    async with groq_wire() as wire:
        body = json.loads((await wire.transcribe(wav(2.3), VERBOSE, WORD, SEGMENT, ("language", "en"))).text)
    assert body["words"]
    assert body["segments"]
    assert body["duration"] == 2.3
    assert body["language"] == "English"
    assert body["segments"][0]["no_speech_prob"] < 0.02
    assert exp(body["segments"][0]["avg_logprob"]) > 0.7


REFUSED = [
    ("audio", (), "file must be one of the following types: [flac mp3 mp4 mpeg mpga m4a ogg opus wav webm]"),
    ("wav", (), "file must be one of the following types: [flac mp3 mp4 mpeg mpga m4a ogg opus wav webm]"),
    (
        "a.wav",
        (("prompt", "x" * 904),),
        "prompt length must be 896 characters or fewer, but provided prompt contains 904 characters",
    ),
    ("a.wav", (("langauge", "en"),), "property 'langauge' is unsupported"),
    ("a.wav", (("response_format", "srt"),), "response_format must be one of [json verbose_json text]"),
    ("a.wav", (WORD,), "timestamp_granularities needs response_format verbose_json"),
    (
        "a.wav",
        (VERBOSE, ("timestamp_granularities[]", "char")),
        "timestamp_granularities must be one of [word segment]",
    ),
    ("a.wav", (("temperature", "hot"),), "temperature must be a number between 0 and 1"),
    ("a.wav", (("temperature", "nan"),), "temperature must be a number between 0 and 1"),
]


@pytest.mark.parametrize(("filename", "fields", "message"), REFUSED)
async def test_what_is_refused(filename: str, fields: tuple[tuple[str, str], ...], message: str) -> None:
    async with groq_wire() as wire:
        answer = await wire.transcribe(wav(0.5), *fields, filename=filename)
    assert answer.status == 400
    assert answer.text == json_text({"error": {"message": message, "type": "invalid_request_error"}})


async def test_a_prompt_of_896_characters_will_do() -> None:
    async with groq_wire() as wire:
        assert (await wire.transcribe(wav(0.5), ("prompt", "x" * 896))).status == 200


async def test_an_unknown_language_is_refused() -> None:
    async with groq_wire() as wire:
        answer = await wire.transcribe(wav(0.5), ("language", "en-GB"))
    assert answer.status == 400
    assert "language must be one of the following values" in answer.text


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (b"not audio", "could not process file - is it a valid media file?"),
        (b"", "could not process file - is it a valid media file?"),
        (wav(0.009), "Audio file is too short. Minimum audio length is 0.01 seconds."),
    ],
)
async def test_files_that_are_refused(audio: bytes, message: str) -> None:
    async with groq_wire() as wire:
        answer = await wire.transcribe(audio)
    assert (answer.status, json.loads(answer.text)["error"]["message"]) == (400, message)


async def test_the_shortest_audio_and_other_rates_are_heard() -> None:
    async with groq_wire() as wire:
        assert (await wire.transcribe(wav(0.01))).status == 200
        assert (await wire.transcribe(wav(1.0, hz=44_100))).status == 200


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("whisper-9", 404, "model_not_found"),
        ("llama-3.3-70b-versatile", 404, "model_not_found"),
        ("openai/gpt-oss-20b", 400, None),
    ],
)
async def test_models_that_do_not_transcribe(model: str, status: int, code: str | None) -> None:
    async with groq_wire() as wire:
        answer = await wire.transcribe(wav(0.5), model=model)
    assert answer.status == status
    assert json.loads(answer.text)["error"].get("code") == code


async def test_a_form_must_be_a_form() -> None:
    async with groq_wire() as wire:
        answer = await wire.send("POST", "/audio/transcriptions", json={"model": "whisper-large-v3-turbo"})
        form = aiohttp.FormData({"model": "whisper-large-v3-turbo"}, default_to_multipart=True)
        without = await wire.send("POST", "/audio/transcriptions", data=form)
        headers = {"Authorization": "Bearer gsk_local_development", "Content-Type": "multipart/form-data; boundary=b"}
        url = f"{wire.base}/openai/v1/audio/transcriptions"
        async with wire.http.post(url, data=b"--b\r\nbroken", headers=headers) as broken:
            broken_status = broken.status
    assert (answer.status, without.status, broken_status) == (400, 400, 400)
    assert "must be provided" in without.text


async def test_an_upload_over_25_mb_is_too_large() -> None:
    async with groq_wire() as wire:
        answer = await wire.transcribe(b"x" * (25 * 1024 * 1024 + 1))
    assert (answer.status, json.loads(answer.text)["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("tier", ["free", "developer"])
async def test_silence_is_nothing(tier: Tier) -> None:
    async with groq_wire(tier=tier) as wire:
        body = json.loads((await wire.transcribe(wav(1.0, level=0), VERBOSE, WORD, SEGMENT)).text)
    assert (body["text"], body["words"], body["segments"]) == ("", [], [])


async def test_silence_may_be_invented_upon() -> None:
    async with groq_wire(faults="invented-on-silence") as wire:
        said = json.loads((await wire.transcribe(wav(1.0), VERBOSE, SEGMENT)).text)
        invented = json.loads((await wire.transcribe(wav(1.0, level=0), VERBOSE, SEGMENT)).text)
    assert said["text"] == " Hello there."
    assert invented["text"] == " Thank you."
    assert invented["segments"][0]["no_speech_prob"] > 0.06


async def test_a_repeated_transcript_compresses_well() -> None:
    async with groq_wire(faults="repeated-transcript") as wire:
        body = json.loads((await wire.transcribe(wav(1.0), VERBOSE)).text)
    assert body["text"].count("Hello there.") > 5
    assert body["segments"][0]["compression_ratio"] > 2.4


async def test_speech_may_give_nothing() -> None:
    async with groq_wire(faults="silent-success") as wire:
        assert json.loads((await wire.transcribe(wav(1.0))).text)["text"] == ""


async def test_it_takes_longer_for_longer_audio() -> None:
    took = []
    for seconds in (5.0, 15.0):
        clock = Clock()
        async with groq_wire(profile=TYPICAL, clock=clock) as wire:
            began_s = clock.now_s
            await wire.transcribe(wav(seconds))
            took.append(clock.now_s - began_s)
    assert took[1] - took[0] == pytest.approx(10 * TYPICAL.transcription_per_further_s / 1000)
    assert 0.05 < took[0] < 6.0


async def test_far_regions_answer_later() -> None:
    clock = Clock()
    async with groq_wire(region="s-asia", clock=clock) as wire:
        began_s = clock.now_s
        await wire.transcribe(wav(1.0))
    assert clock.now_s - began_s == pytest.approx(0.23)
