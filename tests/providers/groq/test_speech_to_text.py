"""On the wire, against the documented exchanges. A number in a name is that of a known trap of the service."""

import asyncio
import io
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.providers.adapters.groq import speech_to_text
from speakback.providers.adapters.groq.speech_to_text import GroqSpeechToText, GroqSttOptions
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.rate_limit import Plan, RateLimit, Turnstile
from speakback.providers.stt import Passes, TimedWord, Transcript
from tests.providers.groq.service import (
    KEY,
    Answer,
    Service,
    listening,
    says,
    says_nothing,
    says_only_the_head,
    sends_raw,
    silence,
    stalls_in_the_body,
    voice,
    with_length,
)

HELLO = {
    "task": "transcribe",
    "language": "English",
    "duration": 2.31,
    "text": " Hello there.",
    "words": [{"word": "Hello", "start": 0.0, "end": 0.42}, {"word": "there.", "start": 0.42, "end": 0.8}],
    "segments": [
        {
            "id": 0,
            "seek": 0,
            "start": 0.0,
            "end": 2.3,
            "text": " Hello there.",
            "tokens": [50365, 2425],
            "temperature": 0,
            "avg_logprob": -0.0976,
            "compression_ratio": 1.66,
            "no_speech_prob": 0.0128,
        }
    ],
    "x_groq": {"id": "req_01hello"},
}
ASPH = "on seconds of audio per hour (ASPH): Limit 7200, Used 5956, Requested 2336. Please try again in 9m6s."
OPTIONS = GroqSttOptions(KEY)
NO_PLAN = Plan()


@asynccontextmanager
async def ear(
    *answers: Answer,
    options: GroqSttOptions = OPTIONS,
    plan: Plan = NO_PLAN,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[tuple[GroqSpeechToText, Service]]:
    async with listening(*answers) as service:
        told = replace(options, base_url=service.base_url)
        stt = await asyncio.to_thread(GroqSpeechToText, told, Turnstile(RateLimit(plan), clock=clock))
        try:
            yield stt, service
        finally:
            await stt.aclose()


async def heard(stt: GroqSpeechToText, audio_16k: Samples | None = None, language: str = "en") -> Transcript:
    return await stt.transcribe(voice(2.3) if audio_16k is None else audio_16k, language=language)


async def fails(*answers: Answer, options: GroqSttOptions = OPTIONS) -> ProviderError:
    async with ear(*answers, options=options) as (stt, _):
        with pytest.raises(ProviderError) as failure:
            await heard(stt)
    assert KEY not in str(failure.value)
    assert "private" not in str(failure.value)
    assert failure.value.__cause__ is None
    return failure.value


async def test_the_worked_exchange() -> None:
    async with ear(says(HELLO), options=replace(OPTIONS, prompt="Speakback")) as (stt, service):
        transcript = await heard(stt, language="en-GB")
    assert transcript.text == "Hello there."
    assert transcript.words == (TimedWord("Hello", 0, 420), TimedWord("there.", 420, 800))
    assert transcript.confidence == pytest.approx(np.exp(-0.0976))
    assert transcript.rejected is None
    assert service.keys == [f"Bearer {KEY}"]
    assert service.uploads == [
        {
            "model": ["whisper-large-v3-turbo"],
            "language": ["en"],
            "prompt": ["Speakback"],
            "response_format": ["verbose_json"],
            "timestamp_granularities[]": ["word", "segment"],
            "temperature": ["0"],
        }
    ]


async def test_23_the_file_has_a_name_that_the_service_takes() -> None:
    async with ear(says(HELLO)) as (stt, service):
        await heard(stt)
    ((name, kind, content),) = service.files
    assert (name, kind) == ("audio.wav", "audio/wav")
    with wave.open(io.BytesIO(content)) as file:
        shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        assert shape == (16_000, 1, 2)
        assert file.getnframes() == len(voice(2.3))


@pytest.mark.parametrize("audio_16k", [silence(1.0), silence(1.0) + np.float32(1e-5), voice(0.2), silence(0.0)])
async def test_24_silence_and_too_little_are_not_uploaded(audio_16k: Samples) -> None:
    async with ear(says(HELLO)) as (stt, service):
        transcript = await heard(stt, audio_16k)
    assert (transcript.text, transcript.words) == ("", ())
    assert transcript.rejected in ("silence", "shorter than 250 ms")
    assert service.files == []


async def test_24_what_is_invented_on_noise_is_rejected() -> None:
    segment = {"start": 0, "end": 1, "avg_logprob": -0.4, "compression_ratio": 0.6, "no_speech_prob": 0.2}
    noise = (np.random.default_rng(1).standard_normal(16_000) * 0.05).astype(np.float32)
    async with ear(says({"text": " Thank you.", "words": [], "segments": [segment]})) as (stt, _):
        transcript = await heard(stt, noise)
    assert (transcript.text, transcript.rejected) == ("", "a known invention")


async def test_25_the_space_before_the_text_is_taken_away() -> None:
    async with ear(says({"text": " Hello there."})) as (stt, _):
        assert await heard(stt) == Transcript("Hello there.", (), None)


async def test_long_silence_at_the_end_is_not_uploaded() -> None:
    async with ear(says(HELLO)) as (stt, service):
        await heard(stt, np.concatenate([voice(1.0), silence(5.0)]))
    with wave.open(io.BytesIO(service.files[0][2])) as file:
        assert file.getnframes() == int(1.3 * 16_000)


async def test_requests_go_over_one_connection_that_is_kept() -> None:
    async with ear(says(HELLO)) as (stt, service):
        for _ in range(3):
            await heard(stt)
    assert len(service.keys) == 3
    assert len(service.ports) == 1


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, {"error": {"message": "private", "type": "invalid_request_error"}}, Failure.BAD_REQUEST),
        (401, {"error": {"message": "private", "code": "invalid_api_key"}}, Failure.REFUSED_KEY),
        (403, {"error": {"message": "private"}}, Failure.FORBIDDEN),
        (413, "private <html>", Failure.BAD_REQUEST),
        (429, {"error": {"message": ASPH, "type": "seconds", "code": "rate_limit_exceeded"}}, Failure.RATE_LIMITED),
        (498, {"error": {"message": "private", "code": "capacity_exceeded"}}, Failure.BUSY),
        (500, "", Failure.BUSY),
        (503, "private", Failure.BUSY),
    ],
)
async def test_each_refusal_has_its_kind(status: int, body: object, failure: Failure) -> None:
    async with ear(says(body, status, {"x-request-id": "req_01no"}), options=replace(OPTIONS, region="us")) as (
        stt,
        service,
    ):
        with pytest.raises(ProviderError, match=r"'groq' in us: HTTP \d+.*\(request req_01no\)$") as refused:
            await heard(stt)
    assert refused.value.failure is failure
    assert "private" not in str(refused.value)
    assert len(service.keys) == 1


async def test_a_request_that_is_refused_makes_one_think_of_the_language() -> None:
    """The service does not always say what displeased it: of what it is told, the language is what sessions choose."""
    async with ear(says({"error": {"message": "private", "type": "invalid_request_error"}}, 400)) as (stt, _):
        with pytest.raises(ProviderError, match=r"the language \(tlh\)"):
            await heard(stt, language="tlh")


async def test_a_model_that_is_gone_is_named_with_the_nearest() -> None:
    gone = says({"error": {"message": "private", "code": "model_not_found"}}, 404)
    known = ("openai/gpt-oss-20b", "whisper-large-v3-turbo", "whisper-large-v3")
    problem = await fails(gone, options=replace(OPTIONS, model="distil-whisper-large-v3-en", known_models=known))
    assert problem.failure is Failure.UNKNOWN_MODEL
    assert "the nearest there is: whisper-large-v3" in str(problem)


async def test_a_request_is_made_once_more_where_the_service_takes_it_in_a_moment() -> None:
    async with ear(says({}, 429, {"retry-after": "0.01"}), says(HELLO)) as (stt, service):
        assert (await heard(stt)).text == "Hello there."
        assert len(service.keys) == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_a_request_is_made_twice_at_most(status: int) -> None:
    async with ear(says({}, status, {"retry-after": "0.01"})) as (stt, service):
        with pytest.raises(ProviderError):
            await heard(stt)
        assert len(service.keys) == 2


async def test_26_after_a_refusal_for_the_rate_nobody_asks_until_the_service_takes_requests_again() -> None:
    refusal = {"error": {"message": f"… {ASPH}", "code": "rate_limit_exceeded"}}
    async with ear(says(refusal, 429)) as (stt, service):
        for _ in range(2):
            with pytest.raises(ProviderError) as refused:
                await heard(stt)
            assert refused.value.failure is Failure.RATE_LIMITED
            assert refused.value.retry_after_s == pytest.approx(546, abs=1)
        assert len(service.keys) == 1
        assert stt.passes is Passes.FINAL


async def test_26_partials_yield_to_finals() -> None:
    options = replace(OPTIONS, partials=True)
    async with ear(says(HELLO), options=options, plan=Plan(requests_a_minute=10), clock=lambda: 0.0) as (stt, _):
        seen = [stt.passes]
        for _ in range(10):
            await heard(stt)
            seen.append(stt.passes)
        with pytest.raises(ProviderError, match="the rate limit is reached"):
            await heard(stt)
    assert seen == [Passes.WHILE_SPEAKING] * 5 + [Passes.AT_PAUSES] * 3 + [Passes.FINAL] * 3


async def test_26_what_the_headers_tell_counts() -> None:
    headers = {"x-ratelimit-limit-audio-seconds": "7200", "x-ratelimit-remaining-audio-seconds": "700"}
    async with ear(says(HELLO, headers=headers)) as (stt, _):
        seen = [stt.passes]
        await heard(stt)
        assert [*seen, stt.passes] == [Passes.AT_PAUSES, Passes.FINAL]


async def test_partials_are_off_unless_wished() -> None:
    async with ear(says(HELLO)) as (stt, _):
        assert stt.passes is Passes.AT_PAUSES


@pytest.mark.parametrize("answer", [says_nothing, stalls_in_the_body])
async def test_an_answer_that_does_not_come_is_given_up_and_hung_up_on(answer: Answer) -> None:
    async with ear(answer, options=replace(OPTIONS, timeout_s=0.3)) as (stt, service):
        with pytest.raises(ProviderError, match=r"no answer within 0\.3 s") as late:
            await heard(stt)
        await service.hung_up.wait()
    assert late.value.failure is Failure.LATE


@pytest.mark.parametrize("answer", [says_nothing, stalls_in_the_body])
async def test_cancelling_hangs_up(answer: Answer) -> None:
    async with ear(answer) as (stt, service):
        task = asyncio.create_task(heard(stt))
        await service.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await service.hung_up.wait()


@pytest.mark.parametrize(
    "body",
    [
        "private",
        b"\xff\xfe private",
        '{"text": "private',
        "[" * 100_000,
        [],
        {"private": 1},
        {"text": None},
        {"text": ["private"]},
    ],
)
async def test_an_answer_of_another_form_is_refused(body: object) -> None:
    problem = await fails(says(body, headers={"x-request-id": "req_01odd"}))
    assert problem.failure is Failure.BAD_ANSWER
    assert "req_01odd" in str(problem)


async def test_an_answer_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_to_text, "MAX_ANSWER_BYTES", 1000)
    problem = await fails(says({"text": "private" * 1000}))
    assert problem.failure is Failure.BAD_ANSWER
    assert "over 1000 bytes" in str(problem)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (with_length(500, b'{"text": " private"}'), Failure.BROKE_OFF),
        (with_length(10, b'{"text": " private"}'), Failure.BAD_ANSWER),
        (sends_raw(b""), Failure.BROKE_OFF),
        (sends_raw(b"private\r\n\r\n"), Failure.BROKE_OFF),
    ],
    ids=["too long", "too short", "closed", "no HTTP"],
)
async def test_a_lying_content_length_and_a_lost_connection(answer: Answer, failure: Failure) -> None:
    assert (await fails(answer)).failure is failure


async def test_what_breaks_off_or_does_not_end_is_told_with_the_name_of_the_request() -> None:
    named = {"x-request-id": "req_01cut", "Content-Length": "500"}
    for answer in (says_only_the_head(named), says_only_the_head(named, then_closes=True)):
        problem = await fails(answer, options=replace(OPTIONS, timeout_s=0.3))
        assert problem.failure in {Failure.LATE, Failure.BROKE_OFF}
        assert str(problem).endswith("(request req_01cut)")


async def test_a_service_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    options = replace(OPTIONS, base_url=f"http://127.0.0.1:{unused_tcp_port}")
    stt = await asyncio.to_thread(GroqSpeechToText, options, Turnstile(RateLimit(Plan())))
    with pytest.raises(ProviderError, match=r"cannot connect to 127\.0\.0\.1") as failure:
        await heard(stt)
    await stt.aclose()
    assert failure.value.failure is Failure.UNREACHABLE


def test_a_prompt_that_is_too_long_is_refused_before_the_service_does() -> None:
    with pytest.raises(ValueError, match="896 characters, but has 904"):
        GroqSttOptions(KEY, prompt="x" * 904)


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(OPTIONS)
