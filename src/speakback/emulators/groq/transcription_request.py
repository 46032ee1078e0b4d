"""What a transcription asks for, checked as strictly as the service checks it (or stricter: nothing is passed over)."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias, cast, get_args

from speakback.emulators.groq.errors import GroqError, not_emulated
from speakback.emulators.groq.languages import ENGLISH_NAMES
from speakback.emulators.groq.multipart import Form, Upload

Format: TypeAlias = Literal["json", "verbose_json", "text"]

GRANULARITIES = "timestamp_granularities[]"
SUFFIXES = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "opus", "wav", "webm")
MOST_PROMPT_CHARACTERS = 896

_KNOWN = {"model", "language", "prompt", "response_format", "temperature", GRANULARITIES, "url"}


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """A request that is in order. `language` is a code; None: to be recognised."""

    model: str
    upload: Upload
    language: str | None
    format: Format
    temperature: float
    words: bool
    segments: bool


def parse(form: Form) -> TranscriptionRequest:
    """The request in a form. Raises `GroqError`."""
    for name, _ in form.fields:
        if name not in _KNOWN:
            raise GroqError(400, f"property '{name}' is unsupported")
    response_format = _format(form)
    words, segments = _granularities(form, response_format)
    return TranscriptionRequest(
        model=_model(form),
        upload=_upload(form),
        language=_language(form),
        format=response_format,
        temperature=_temperature(form),
        words=words,
        segments=segments,
    )


def _model(form: Form) -> str:
    model = form.last("model")
    if not model:
        raise GroqError(400, "'model' : property 'model' is missing")
    return model


def _upload(form: Form) -> Upload:
    if form.file is None:
        if form.last("url") is not None:
            raise not_emulated("url")
        raise GroqError(400, "one of `file` or `url` must be provided")
    if form.file.filename.rpartition(".")[2].lower() not in SUFFIXES or "." not in form.file.filename:
        raise GroqError(400, f"file must be one of the following types: [{' '.join(SUFFIXES)}]")
    prompt = form.last("prompt") or ""
    if len(prompt) > MOST_PROMPT_CHARACTERS:
        raise GroqError(
            400,
            f"prompt length must be {MOST_PROMPT_CHARACTERS} characters or fewer, "
            f"but provided prompt contains {len(prompt)} characters",
        )
    return form.file


def _language(form: Form) -> str | None:
    language = form.last("language")
    if language is not None and language not in ENGLISH_NAMES:
        raise GroqError(400, f"language must be one of the following values: [{' '.join(ENGLISH_NAMES)}]")
    return language


def _format(form: Form) -> Format:
    given = form.last("response_format") or "json"
    if given not in get_args(Format):
        raise GroqError(400, f"response_format must be one of [{' '.join(get_args(Format))}]")
    return cast(Format, given)


def _temperature(form: Form) -> float:
    text = form.last("temperature")
    try:
        temperature = float(text) if text is not None else 0.0
    except ValueError:
        temperature = -1.0
    if not (isfinite(temperature) and 0 <= temperature <= 1):
        raise GroqError(400, "temperature must be a number between 0 and 1")
    return temperature


def _granularities(form: Form, response_format: Format) -> tuple[bool, bool]:
    """Whether words and segments are asked for; by default segments."""
    asked = form.all(GRANULARITIES)
    if not set(asked) <= {"word", "segment"}:
        raise GroqError(400, "timestamp_granularities must be one of [word segment]")
    if asked and response_format != "verbose_json":
        raise GroqError(400, "timestamp_granularities needs response_format verbose_json")
    return "word" in asked, "segment" in asked or not asked
