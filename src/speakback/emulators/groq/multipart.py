"""Reads a multipart form: text fields in their order, with names that may come again, and one file."""

from dataclasses import dataclass

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from speakback.emulators.groq.errors import GroqError

_MOST_TEXT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """The file; `filename` as the client names it, empty where it does not."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted."""

    fields: tuple[tuple[str, str], ...]
    file: Upload | None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return tuple(value for key, value in self.fields if key == name)

    def last(self, name: str) -> str | None:
        """The value of a field; None where it is not there."""
        return next(reversed(self.all(name)), None)


async def read_form(request: web.Request, most_bytes: int) -> Form:
    """The form. Raises `GroqError`: 400 where it is none, 413 where the file is over the limit."""
    if request.content_type != "multipart/form-data":
        raise GroqError(400, "request Content-Type isn't multipart/form-data")
    fields: list[tuple[str, str]] = []
    file: Upload | None = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise GroqError(400, "a part of the form is not a field")
            if part.name == "file":
                file = Upload(part.filename or "", await _content(part, most_bytes))
            else:
                text = await _content(part, _MOST_TEXT_BYTES)
                fields.append((part.name, text.decode("utf-8")))
    except (
        ValueError,
        AssertionError,
        HttpProcessingError,
    ):  # what aiohttp raises for a form that breaks off or has no boundary
        raise GroqError(400, "multipart: the form is damaged") from None
    return Form(tuple(fields), file)


async def _content(part: BodyPartReader, most_bytes: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        content += chunk
        if len(content) > most_bytes:
            raise GroqError(413, "Request Entity Too Large", code="request_too_large")
    return bytes(content)
