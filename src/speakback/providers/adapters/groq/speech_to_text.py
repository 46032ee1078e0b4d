"""Groq's Whisper over HTTP: one request for each pass over a turn."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import httpx2

from speakback.audio.pcm import Samples
from speakback.providers.adapters.groq.clip import Clip, clip_of
from speakback.providers.adapters.groq.transcription import NotATranscription, read_transcription, said
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.model_list import or_nearest
from speakback.providers.openai_refusals import Refusal, refusal, request_id
from speakback.providers.rate_limit import Budget, Exhausted, Turnstile
from speakback.providers.stt import Passes, Transcript
from speakback.providers.tls import certificates
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.providers.workers import Workers

BASE_URL = "https://api.groq.com/openai/v1"
PROMPT_LIMIT_CHARS = 896
"""What the service enforces; its documentation counts in tokens."""
RETRY_WITHIN_S = 1.0
"""A refused request is made once more if the service asks for less than this."""
PARTIALS_ABOVE, PAUSES_ABOVE = 0.5, 0.2
"""Passes over a turn that goes on, and at its pauses, are made while the rate limit is fuller than this: the rest is
kept for final passes, on which the user waits."""
KEEP_ALIVE_S = 300.0
CONNECT_TIMEOUT_S = 3.0
UNHURRIED_S = 30.0
"""Audio longer than this (a client that commits by itself) takes longer to be answered."""
SLOWEST_S_PER_S = 0.05
MOST_WAITING = 512
"""Clips that wait to be prepared; each takes a millisecond or a few, the longest there may be 50."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
_FORM: Mapping[str, str | list[str]] = {
    "response_format": "verbose_json",
    "timestamp_granularities[]": ["word", "segment"],  # with words alone there are no segments, so no confidence
    "temperature": "0",
}


@dataclass(frozen=True, slots=True)
class GroqSttOptions:
    """Raises `ValueError` for a prompt that is too long."""

    api_key: str = field(repr=False)
    model: str = "whisper-large-v3-turbo"
    base_url: str = BASE_URL
    name: str = "groq"
    region: str | None = None
    prompt: str = ""
    """Words and spellings to expect."""
    partials: bool = False
    """Transcribe while the user speaks, too: each time costs a request."""
    timeout_s: float = 6.0
    """For a request, its retry and the answer together."""
    known_models: tuple[str, ...] = ()
    """What the service had at start, to suggest from."""

    def __post_init__(self) -> None:
        if len(self.prompt) > PROMPT_LIMIT_CHARS:
            raise ValueError(f"the prompt may have {PROMPT_LIMIT_CHARS} characters, but has {len(self.prompt)}")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _Asked:
    """What is asked in one pass; `named` is what the service calls the request, once an answer has begun."""

    clip: Clip = field(repr=False)
    wav: bytes = field(repr=False)
    language: str
    named: str | None = None


class GroqSpeechToText:
    """A `SpeechToText`. `turnstile` is that of the key and model: share it between all that use them.

    Make it in a thread: it reads the certificates of the machine.
    """

    def __init__(self, options: GroqSttOptions, turnstile: Turnstile, *, waits: WaitsReport = UNREPORTED) -> None:
        self.name = options.name
        self._options = options
        self._turnstile = turnstile
        self._workers = Workers("stt", options.name, threads=1, max_waiting=MOST_WAITING, gives_way=False, waits=waits)
        self._http = httpx2.AsyncClient(
            base_url=options.base_url,
            verify=certificates(),
            headers={"Authorization": f"Bearer {options.api_key}"},
            timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S),
            limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE_S),
        )

    @property
    def passes(self) -> Passes:
        """See `SpeechToText`: few where the rate limit runs short."""
        fullness = self._turnstile.fullness()
        if self._options.partials and fullness > PARTIALS_ABOVE:
            return Passes.WHILE_SPEAKING
        return Passes.AT_PAUSES if fullness > PAUSES_ABOVE else Passes.FINAL

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        """See `SpeechToText`. Silence, and less than 250 ms, is not uploaded. Cancelling closes the connection."""
        asked = await self._workers.run(partial(_asked, audio_16k, language))
        if isinstance(asked, str):
            return Transcript("", (), None, rejected=asked)
        clip = asked.clip
        longest_s = self._options.timeout_s + SLOWEST_S_PER_S * max(0.0, clip.duration_ms / 1000 - UNHURRIED_S)
        try:
            async with asyncio.timeout(longest_s):
                answer = await self._accepted(asked)
        except TimeoutError:
            raise self._error(Failure.LATE, f"no answer within {longest_s:g} s", asked.named) from None
        transcript = await self._workers.run(partial(_heard, answer.body, clip.audio_16k))
        if isinstance(transcript, NotATranscription):
            message, request = f"the answer {transcript}", request_id(answer.headers, {})
            raise self._error(Failure.BAD_ANSWER, message, request)
        return transcript

    async def aclose(self) -> None:
        """See `SpeechToText`."""
        await self._http.aclose()
        await self._workers.aclose()

    async def _accepted(self, asked: _Asked) -> _Answer:
        """The answer; asked for once more only where the service says that it takes the request in a moment."""
        for is_last in (False, True):
            answer = await self._let_through(asked)
            if answer.status == 200:
                return answer
            refused = refusal(answer.status, answer.headers, answer.body)
            wait_s = refused.retry_after_s
            if wait_s is not None and refused.failure is Failure.RATE_LIMITED:
                self._turnstile.pause(wait_s)
            if is_last or wait_s is None or wait_s >= RETRY_WITHIN_S:
                break
            await asyncio.sleep(wait_s)
        raise self._refused(refused, answer.status, asked.language)

    async def _let_through(self, asked: _Asked) -> _Answer:
        costs = {Budget.REQUESTS_A_MINUTE: 1.0, Budget.REQUESTS_A_DAY: 1.0}
        costs[Budget.AUDIO_S_AN_HOUR] = asked.clip.duration_ms / 1000
        try:
            async with self._turnstile.passing(costs):
                answer = await self._post(asked)
        except Exhausted as problem:
            message = f"the rate limit is reached; {problem}"
            raise self._error(Failure.RATE_LIMITED, message, retry_after_s=problem.wait_s) from None
        self._turnstile.told(answer.headers)
        return answer

    async def _post(self, asked: _Asked) -> _Answer:
        form: dict[str, str | list[str]] = {
            **_FORM,
            "model": self._options.model,
            "language": asked.language,
        }
        if self._options.prompt:
            form["prompt"] = self._options.prompt
        asked.named = None
        upload = {"file": ("audio.wav", asked.wav, "audio/wav")}  # the name's ending is looked at
        try:
            request = self._http.build_request("POST", "/audio/transcriptions", data=form, files=upload)
            # As one piece: HTTPX writes a form's fields one by one, each a round of the event loop, thirty in all.
            await request.aread()
            if self._http.is_closed:
                raise self._error(Failure.INTERNAL, "is closed")
            async with aclosing(await self._http.send(request, stream=True)) as response:
                asked.named = request_id(response.headers, {})
                body = bytearray()
                async with aclosing(response.aiter_bytes()) as pieces:
                    async for piece in pieces:
                        body += piece
                        if len(body) > MAX_ANSWER_BYTES:
                            message = f"the answer is over {MAX_ANSWER_BYTES} bytes long"
                            raise self._error(Failure.BAD_ANSWER, message, asked.named)
                return _Answer(response.status_code, response.headers, bytes(body))
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            message = f"cannot connect to {self._http.base_url.host}; check the network and the base URL"
            raise self._error(Failure.UNREACHABLE, message) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
            message = f"the connection broke off ({type(problem).__name__})"
            raise self._error(Failure.BROKE_OFF, message, asked.named) from None

    def _refused(self, refused: Refusal, status: int, language: str) -> ProviderError:
        words = refused.words
        if status == 400 and refused.failure is Failure.BAD_REQUEST:
            words += f", the language ({language}) too"
        if refused.failure is Failure.UNKNOWN_MODEL:
            words += or_nearest(self._options.model, self._options.known_models)
        return self._error(refused.failure, words, refused.request_id, refused.retry_after_s)

    def _error(
        self, failure: Failure, message: str, request: str | None = None, retry_after_s: float | None = None
    ) -> ProviderError:
        return ProviderError(
            "stt",
            self.name,
            message,
            failure=failure,
            region=self._options.region,
            request_id=request,
            retry_after_s=retry_after_s,
        )


def _asked(audio_16k: Samples, language: str) -> _Asked | str:
    """What to ask, or why nothing is worth it."""
    clip = clip_of(audio_16k)
    return clip if isinstance(clip, str) else _Asked(clip, clip.wav(), language.split("-")[0].lower())


def _heard(body: bytes, audio_16k: Samples) -> Transcript | NotATranscription:
    try:
        return said(read_transcription(body), audio_16k)
    except NotATranscription as problem:
        return problem
