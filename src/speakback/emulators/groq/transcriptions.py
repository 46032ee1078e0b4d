"""`POST /openai/v1/audio/transcriptions`."""

import asyncio
from math import ceil

from aiohttp import web

from speakback.emulators.content import HeardText
from speakback.emulators.faults import Fault
from speakback.emulators.groq.answers import send_broken
from speakback.emulators.groq.audio_file import decode
from speakback.emulators.groq.call import BEFORE_ANSWER, MOST_UPLOAD_BYTES, Call, refuse, slowness_ms
from speakback.emulators.groq.errors import unknown_model, unsuited_model
from speakback.emulators.groq.models import Kind, found
from speakback.emulators.groq.multipart import read_form
from speakback.emulators.groq.rate_limits import ASD, ASPH, RPD, RPM
from speakback.emulators.groq.transcription_body import Evidence, json_body, spaced, verbose_body
from speakback.emulators.groq.transcription_request import TranscriptionRequest, parse
from speakback.emulators.groq.wire import json_text
from speakback.providers.stt import TimedWord

POSSIBLE = (
    *BEFORE_ANSWER,
    Fault.SLOW_FIRST_BYTE,
    Fault.STALLED,
    Fault.NOT_JSON,
    Fault.LYING_CONTENT_LENGTH,
    Fault.SILENT_SUCCESS,
    Fault.INVENTED_ON_SILENCE,
    Fault.REPEATED_TRANSCRIPT,
)

INVENTED = "Thank you."
_REPEATS = 12
_QUICK_S = 5.0
"""The profile's time is of audio up to this long; what is longer takes more."""


async def transcribe(call: Call, request: web.Request) -> web.StreamResponse:
    """Answer one request. Raises `GroqError` and `ProviderError`."""
    asked = parse(await read_form(request, MOST_UPLOAD_BYTES))
    model = found(call.options.models, asked.model)
    if model is None:
        raise unknown_model(asked.model)
    if model.kind is not Kind.TRANSCRIPTION:
        raise unsuited_model(asked.model, Kind.TRANSCRIPTION.value)
    audio_16k, length_s = await asyncio.to_thread(decode, asked.upload.content)
    fault = call.strike(*POSSIBLE)
    refuse(fault, call, asked.model, ASD)
    seconds = ceil(round(length_s, 3))
    amounts = {RPM: 1, RPD: 1, ASPH: seconds, ASD: seconds}
    call.limits.admit(asked.model, amounts, call.options.now_s())
    took_ms = _takes_ms(call, length_s)
    truly = HeardText("", ()) if fault is Fault.SILENT_SUCCESS else await call.options.recogniser.recognise(audio_16k)
    heard, evidence = _as_given(call, truly, fault, length_s)
    await call.until(took_ms + slowness_ms(fault))
    content_type, text = _written(asked, heard, length_s, evidence, call.request_id)
    headers = call.headers(asked.model)
    if fault in (Fault.STALLED, Fault.NOT_JSON, Fault.LYING_CONTENT_LENGTH):
        return await send_broken(request, fault, text.encode(), content_type, headers)
    return web.Response(text=text, content_type=content_type, headers=headers)


def _takes_ms(call: Call, length_s: float) -> float:
    profile = call.options.profile
    further_s = max(0.0, length_s - _QUICK_S)
    return profile.transcription.draw_ms(call.rng) + further_s * profile.transcription_per_further_s


def _as_given(call: Call, heard: HeardText, fault: Fault | None, length_s: float) -> tuple[HeardText, Evidence]:
    """What the service says was said. How sure it is, is drawn: within what was measured on speech, or beyond it."""
    rng = call.rng
    sure = Evidence(round(rng.uniform(-0.3, -0.05), 4), round(rng.uniform(0.001, 0.02), 4))
    if fault is Fault.INVENTED_ON_SILENCE and not heard.text:
        unsure = Evidence(round(rng.uniform(-1.2, -0.5), 4), round(rng.uniform(0.4, 0.95), 4))
        return _spread(INVENTED, length_s), unsure
    if fault is Fault.REPEATED_TRANSCRIPT and heard.text:
        return _spread(" ".join([heard.text] * _REPEATS), length_s), sure
    return heard, sure


def _spread(text: str, length_s: float) -> HeardText:
    words = text.split()
    edges = [round(at * length_s * 1000 / len(words)) for at in range(len(words) + 1)]
    return HeardText(text, tuple(TimedWord(*one) for one in zip(words, edges, edges[1:], strict=False)))


def _written(
    asked: TranscriptionRequest, heard: HeardText, length_s: float, evidence: Evidence, request_id: str
) -> tuple[str, str]:
    """The content type and the body."""
    if asked.format == "text":
        return "text/plain", spaced(heard.text)
    if asked.format == "json":
        return "application/json", json_text(json_body(heard, request_id))
    return "application/json", json_text(verbose_body(heard, length_s, evidence, asked, request_id))
