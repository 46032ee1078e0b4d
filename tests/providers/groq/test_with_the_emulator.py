"""The clients against the emulated service, with each of its faults."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import get_native_id

import httpx2
import pytest

from speakback.audio.pcm import Samples
from speakback.emulators.faults import parse_faults
from speakback.emulators.groq.app import DEV_KEY, PREFIX, GroqOptions, groq_app
from speakback.emulators.groq.rate_limits import Tier
from speakback.emulators.profiles import TYPICAL, ZERO, Profile
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter
from speakback.emulators.server import serving
from speakback.providers.adapters.groq import speech_to_text
from speakback.providers.adapters.groq.chat import MODELS, groq_chat
from speakback.providers.adapters.groq.clip import Clip, clip_of
from speakback.providers.adapters.groq.speech_to_text import GroqSpeechToText, GroqSttOptions
from speakback.providers.adapters.openai_chat import OpenAiChat
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, Tool, ToolCall, Usage
from speakback.providers.model_list import fetch_models, first_available
from speakback.providers.rate_limit import Plan, RateLimit, Turnstile
from speakback.providers.stt import Transcript
from tests.providers.groq.service import silence, voice

PROMPT = Prompt((Message("system", "Be brief."), Message("user", "private words")))
SHORT_S = 0.5


@dataclass
class Clients:
    """Both clients of one emulated service. Each has its own count of requests."""

    base_url: str
    stt: GroqSpeechToText
    llm: OpenAiChat

    async def hear(self, seconds: float = 1.5) -> Transcript:
        return await self.stt.transcribe(voice(seconds), language="en")

    async def write(self, prompt: Prompt = PROMPT) -> list[LlmDelta]:
        return [delta async for delta in self.llm.stream(prompt)]


@asynccontextmanager
async def groq(
    faults: str = "",
    *,
    key: str = DEV_KEY,
    tier: Tier = "developer",
    profile: Profile = ZERO,
    writer: ScriptedWriter | None = None,
    timeout_s: float = 6.0,
) -> AsyncIterator[Clients]:
    heard = ScriptedRecogniser(lambda _: "Hello there.")
    options = GroqOptions(
        recogniser=heard, writer=writer or ScriptedWriter(), profile=profile, faults=parse_faults(faults), tier=tier
    )
    async with serving({"groq": groq_app(options)}) as addresses:
        base_url = addresses["groq"] + PREFIX

        def clients() -> Clients:
            stt_options = GroqSttOptions(key, base_url=base_url, timeout_s=timeout_s)
            stt = GroqSpeechToText(stt_options, Turnstile(RateLimit(Plan())))
            llm = OpenAiChat(base_url, MODELS[0], key, groq_chat(MODELS[0]), Turnstile(RateLimit(Plan())))
            return Clients(base_url, stt, llm)

        made = await asyncio.to_thread(clients)
        try:
            yield made
        finally:
            await made.stt.aclose()
            await made.llm.aclose()


async def test_what_is_said_is_transcribed() -> None:
    async with groq() as clients:
        transcript = await clients.hear()
    assert transcript.text == "Hello there."
    assert [word.text for word in transcript.words] == ["Hello", "there."]
    assert transcript.confidence is not None
    assert 0.7 < transcript.confidence < 1


async def test_a_reply_is_written_and_counted_once() -> None:
    async with groq(writer=ScriptedWriter(("Sure. I can.",))) as clients:
        said = await clients.write()
    assert "".join(delta.text for delta in said if isinstance(delta, TextDelta)) == "Sure. I can."
    assert len([delta for delta in said if isinstance(delta, Usage)]) == 1


async def test_a_tool_is_called() -> None:
    call = ToolCall("call_1", "time", "{}")
    prompt = Prompt(PROMPT.messages, tools=(Tool("time", "What time it is.", '{"type": "object"}'),))
    async with groq(writer=ScriptedWriter((call,))) as clients:
        (made,) = [delta for delta in await clients.write(prompt) if isinstance(delta, ToolCall)]
    assert (made.name, made.arguments) == ("time", "{}")


async def test_the_models_are_asked_for_and_chosen_from() -> None:
    async with groq() as clients:
        listed = await fetch_models(clients.base_url, DEV_KEY, role="llm", provider="groq")
    assert first_available(("llama-3.3-70b-versatile", *MODELS), listed, role="llm", provider="groq") == MODELS[0]
    assert "whisper-large-v3-turbo" in listed


async def test_a_wrong_key() -> None:
    async with groq(key="gsk_wrong") as clients:
        for asked in (clients.hear(), clients.write()):
            with pytest.raises(ProviderError, match="check the API key") as problem:
                await asked
            assert problem.value.failure is Failure.REFUSED_KEY
            assert "gsk_wrong" not in str(problem.value)


COMMON = [
    ("429", Failure.RATE_LIMITED),
    ("quota", Failure.RATE_LIMITED),
    ("system-busy", Failure.BUSY),
    ("500", Failure.BUSY),
    ("not-json", Failure.BAD_ANSWER),
]


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        *COMMON,
        ("stalled", Failure.LATE),
        ("slow-first-byte", Failure.LATE),
        ("lying-content-length", Failure.BROKE_OFF),
    ],
)
async def test_each_fault_of_a_transcription_is_told(fault: str, failure: Failure) -> None:
    async with groq(fault, timeout_s=SHORT_S) as clients:
        with pytest.raises(ProviderError) as problem:
            await clients.hear()
    assert problem.value.failure is failure


@pytest.mark.parametrize(
    ("fault", "rejected"), [("repeated-transcript", "repeats itself"), ("silent-success", "no words")]
)
async def test_each_odd_transcription_is_rejected(fault: str, rejected: str) -> None:
    async with groq(fault) as clients:
        transcript = await clients.hear()
    assert (transcript.text, transcript.words, transcript.rejected) == ("", (), rejected)


async def test_silence_is_not_even_sent() -> None:
    async with groq("invented-on-silence") as clients:
        assert (await clients.stt.transcribe(silence(2.0), language="en")).rejected == "silence"


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        *COMMON,
        ("silent-success", Failure.BAD_ANSWER),
        ("error-in-stream", Failure.BROKE_OFF),
        ("no-done", Failure.BROKE_OFF),
    ],
)
async def test_each_fault_of_a_reply_is_told(fault: str, failure: Failure) -> None:
    async with groq(fault) as clients:
        with pytest.raises(ProviderError) as problem:
            await clients.write()
    assert problem.value.failure is failure
    assert "private" not in str(problem.value)


async def test_the_free_tiers_limit_is_met_and_then_kept() -> None:
    async with groq(tier="free") as clients:
        for _ in range(20):
            await clients.hear()
        problems = []
        for _ in range(3):
            with pytest.raises(ProviderError) as problem:
                await clients.hear()
            problems.append(problem.value)
    assert {problem.failure for problem in problems} == {Failure.RATE_LIMITED}
    assert "requests per minute" in str(problems[0])
    assert "the rate limit is reached; the next request" in str(problems[1])


async def test_the_free_tiers_limit_of_tokens_in_one_request_is_told() -> None:
    long = Prompt((Message("user", "private words " * 4000),))
    async with groq(tier="free") as clients:
        with pytest.raises(ProviderError, match="HTTP 413: .*tokens per minute") as problem:
            await clients.write(long)
        assert problem.value.failure is Failure.RATE_LIMITED
        assert await clients.write()


async def test_whatever_befalls_them_all_requests_end_and_leave_no_task() -> None:
    shares = "500=0.1,not-json=0.1,error-in-stream=0.1,no-done=0.1,silent-success=0.1,lying-content-length=0.1"
    before = asyncio.all_tasks()
    answered = failed = 0
    async with groq(shares, timeout_s=SHORT_S) as clients:
        for _ in range(40):
            for asked in (clients.hear(0.5), clients.write()):
                try:
                    await asked
                    answered += 1
                except ProviderError:
                    failed += 1
    assert answered + failed == 80
    assert min(answered, failed) > 10
    async with asyncio.timeout(1):  # the SDK leaves generators to be closed by tasks of the loop: they must end
        await asyncio.gather(*asyncio.all_tasks() - before)


async def test_typical_latencies_are_within_the_patience() -> None:
    async with groq(profile=TYPICAL) as clients:
        assert (await clients.hear()).text == "Hello there."
        assert await clients.write()


async def test_a_clip_goes_out_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of a request takes a round of the event loop, and with many conversations a round takes long."""
    pieces = list[int]()
    send = httpx2.AsyncHTTPTransport.handle_async_request

    async def counted(transport: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        pieces.append(len([piece async for piece in request.stream]))
        return await send(transport, request)

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", counted)
    async with groq() as clients:
        assert (await clients.hear(3.0)).text == "Hello there."
    assert pieces == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process has one niceness for all threads")
async def test_a_clip_is_prepared_and_read_by_a_thread_that_does_not_wait_behind_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nice = list[int]()

    def noted(audio_16k: Samples) -> Clip | str:
        nice.append(os.getpriority(os.PRIO_PROCESS, get_native_id()))
        return clip_of(audio_16k)

    monkeypatch.setattr(speech_to_text, "clip_of", noted)
    async with groq() as clients:
        await clients.hear()
    assert nice == [os.getpriority(os.PRIO_PROCESS, get_native_id())]


async def test_what_is_asked_of_a_closed_client_fails_as_a_provider_does() -> None:
    async with groq() as clients:
        await clients.llm.aclose()
        with pytest.raises(ProviderError, match="is closed"):
            await clients.write()
        await clients.stt.aclose()
        with pytest.raises(ProviderError, match="is closed"):
            await clients.hear()


async def test_neither_sound_nor_answer_shows_in_what_is_printed() -> None:
    asked = speech_to_text._asked(voice(1.0), "en")
    assert isinstance(asked, speech_to_text._Asked)
    assert "RIFF" not in repr(asked)
    assert "array" not in repr(asked)
    assert "private" not in repr(speech_to_text._Answer(200, {}, b"private words"))
