"""The contracts of Groq's speech to text and chat, cheapest and most telling first."""

import re

from speakback.emulators.contracts.clips import SPEECH, silence_wav
from speakback.emulators.contracts.contract import Contract, Cost
from speakback.emulators.contracts.reading import at, items, kind_of, parsed
from speakback.emulators.contracts.requests import Answer, Upload, request
from speakback.emulators.contracts.site import Site, expect

WRONG_KEY = f"gsk_{'0' * 52}"
STT_MODEL, CHAT_MODEL = "whisper-large-v3-turbo", "openai/gpt-oss-20b"
GONE_MODEL = "llama-3.3-70b-versatile"
"""Switched off for the plans that keys are usually of."""
CHAT, TRANSCRIPTIONS, MODELS = "/chat/completions", "/audio/transcriptions", "/models"
DETAILED: dict[str, str | list[str]] = {
    "model": STT_MODEL,
    "language": "en",
    "response_format": "verbose_json",
    "timestamp_granularities[]": ["word", "segment"],
}
LIMITS = ("limit", "remaining", "reset")
GO_DURATION = re.compile(r"(?=.)(\d+h)?(\d+m)?(\d+(\.\d+)?m?s)?")
MOST_TOKENS = 512
"""Fewer may be used up by reasoning."""
A_CHAT = Cost(tokens=MOST_TOKENS + 100)
A_CLIP = Cost(audio_s=10)


def _question(**more: object) -> dict[str, object]:
    return {
        "model": CHAT_MODEL,
        "messages": [{"role": "user", "content": "Say hello in three words."}],
        "max_completion_tokens": MOST_TOKENS,
        "reasoning_effort": "low",
        **more,
    }


def _expect_status(answer: Answer, status: int) -> None:
    said = f" ({at(answer.body, 'error', 'code') or at(answer.body, 'error', 'type')})" if answer.status >= 400 else ""
    expect(answer.status == status, f"HTTP {answer.status}{said}, where {status} was due")


def _expect_code(answer: Answer, status: int, code: str) -> None:
    _expect_status(answer, status)
    found = at(answer.body, "error", "code")
    expect(found == code, f"the error's code is {found}, where {code} was due")


def _expect_limits(answer: Answer, *of: str) -> None:
    """Headers of these windows, times in Go's spelling, and no `retry-after` on what was not refused."""
    for window in of:
        for what in LIMITS:
            name = f"x-ratelimit-{what}-{window}"
            value = answer.headers.get(name, "")
            expect(value, f"no header {name}")
            is_right = GO_DURATION.fullmatch(value) if what == "reset" else value.isdecimal()
            expect(is_right, f"the header {name} has an unknown form")
    expect("retry-after" not in answer.headers, "retry-after on an answer that is no refusal")


async def _connect(site: Site) -> None:
    answer = await request(site, "GET", MODELS)
    _expect_status(answer, 200)
    offered = {at(model, "id") for model in items(at(answer.body, "data"))}
    for model in (CHAT_MODEL, STT_MODEL):
        expect(model in offered, f"the model {model} is not offered")


async def _bad_key(site: Site) -> None:
    _expect_code(await request(site, "GET", MODELS, key=WRONG_KEY), 401, "invalid_api_key")


async def _unknown_model(site: Site) -> None:
    answer = await request(site, "POST", CHAT, payload=_question(model=GONE_MODEL))
    _expect_code(answer, 404, "model_not_found")


async def _wrong_extension(site: Site) -> None:
    upload = Upload("audio.bin", silence_wav(), DETAILED)
    answer = await request(site, "POST", TRANSCRIPTIONS, payload=upload)
    _expect_status(answer, 400)
    message = str(at(answer.body, "error", "message"))
    expect("must be one of the following types" in message, "the message does not name the types that there are")


async def _silence(site: Site) -> None:
    await _transcribe(site, silence_wav())


async def _speech(site: Site) -> None:
    answer = await _transcribe(site, site.equipment.speech_wav)
    text = at(answer.body, "text")
    expect(isinstance(text, str) and text.startswith(" "), "the text does not begin with a space")
    expect(SPEECH.split()[0].lower() in str(text).lower(), "the text is not what was said")
    words = [str(at(word, "word")) for word in items(at(answer.body, "words"))]
    expect(words and not any(word.startswith(" ") for word in words), "no words, or words with spaces")
    expect(at(answer.body, "segments", 0, "avg_logprob") is not None, "no segment with its avg_logprob")
    _expect_limits(answer, "requests", "audio-seconds")


async def _transcribe(site: Site, wav: bytes) -> Answer:
    answer = await request(site, "POST", TRANSCRIPTIONS, payload=Upload("audio.wav", wav, DETAILED))
    _expect_status(answer, 200)
    expect(isinstance(at(answer.body, "duration"), int | float), "the duration is no number")
    expect(at(answer.body, "language") == "English", "the language is not told as English")
    expect(isinstance(at(answer.body, "segments"), list), "there are no segments, though they were asked for")
    return answer


async def _rate_limits(site: Site) -> None:
    answer = await request(site, "POST", CHAT, payload=_question())
    _expect_status(answer, 200)
    expect(at(answer.body, "choices", 0, "message"), "the answer holds no message")
    _expect_limits(answer, "requests", "tokens")


async def _chat_stream(site: Site) -> None:
    chunks = await _stream(site, stream_options={"include_usage": True}, include_reasoning=False)
    kinds = [kind_of(chunk) for chunk in chunks]
    expect(kinds[-1] == "usage", "no chunk with the usage at the end, though it was asked for")
    expect("reasoning" not in kinds, "reasoning came, though it was to be left out")


async def _reasoning_stream(site: Site) -> None:
    kinds = [kind_of(chunk) for chunk in await _stream(site)]
    expect("reasoning" in kinds, "no reasoning came")
    expect(kinds.index("reasoning") < kinds.index("content"), "the reply came before the reasoning")
    expect("usage" not in kinds, "a chunk with the usage came, though nobody asked for it")


async def _stream(site: Site, **more: object) -> list[object]:
    """All chunks of a streamed chat that ended as it should, with a reply."""
    answer = await request(site, "POST", CHAT, payload=_question(stream=True, **more))
    _expect_status(answer, 200)
    expect(answer.events and answer.events[-1] == "[DONE]", "the stream does not end in [DONE]")
    chunks = [parsed(data) for data in answer.events[:-1]]
    kinds = [kind_of(chunk) for chunk in chunks]
    for kind in ("content", "finish"):
        expect(kind in kinds, f"no {kind} came")
    finish = chunks[kinds.index("finish")]
    expect(at(finish, "x_groq", "usage", "total_tokens"), "the usage is not told where the reply ends")
    return chunks


GROQ = (
    Contract(
        service="groq",
        name="connect",
        says="a good key lists the models, and those that Speakback uses are among them",
        attempt=_connect,
        is_gate=True,
    ),
    Contract(service="groq", name="bad-key", says="a wrong key: HTTP 401 `invalid_api_key`", attempt=_bad_key),
    Contract(
        service="groq",
        name="unknown-model",
        says=f"`{GONE_MODEL}`, which was switched off: HTTP 404 `model_not_found`",
        attempt=_unknown_model,
    ),
    Contract(
        service="groq",
        name="wrong-extension",
        says="a file name without an audio extension: HTTP 400 with the types that there are",
        attempt=_wrong_extension,
    ),
    Contract(
        service="groq",
        name="silence",
        says="1 s of silence is transcribed, with segments (its text may be invented)",
        attempt=_silence,
        cost=A_CLIP,
    ),
    Contract(
        service="groq",
        name="speech",
        says="1 s of speech: text after a space, words without, `avg_logprob`, headers of the rate limits",
        attempt=_speech,
        cost=A_CLIP,
    ),
    Contract(
        service="groq",
        name="rate-limits",
        says="a chat's headers: limit, remaining and reset of requests and tokens, times such as `1m26.4s`",
        attempt=_rate_limits,
        cost=A_CHAT,
    ),
    Contract(
        service="groq",
        name="chat-stream",
        says="a streamed chat: content, finish with usage, usage chunk, `[DONE]`; no reasoning where it is left out",
        attempt=_chat_stream,
        cost=A_CHAT,
    ),
    Contract(
        service="groq",
        name="reasoning-stream",
        says="a streamed chat of a reasoning model: `reasoning` deltas first, in a field of their own",
        attempt=_reasoning_stream,
        cost=A_CHAT,
    ),
)
