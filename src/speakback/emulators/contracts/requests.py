"""Requests to a site over HTTP: raw answers."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import urlsplit

import httpx2

from speakback.emulators.contracts.reading import parsed
from speakback.emulators.contracts.site import BrokenContractError, Site
from speakback.providers.link.opening import LOOPBACK
from speakback.providers.tls import certificates

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with one file. A field may stand several times."""

    file_name: str
    content: bytes
    fields: Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str
    events: tuple[str, ...]
    """The data of each event, where it is a stream of them; the text is empty then."""

    @property
    def body(self) -> object:
        """Its JSON, or `ABSENT`."""
        return parsed(self.text)


async def request(
    site: Site, method: str, path: str, *, payload: Mapping[str, object] | Upload | None = None, key: str | None = None
) -> Answer:
    """Ask once, with the site's key or another. Raises `BrokenContractError` where no whole answer comes."""
    recording, address = site.recording, site.address
    number = recording.connect()
    headers = {"authorization": f"Bearer {address.api_key if key is None else key}"}
    recording.add_head(number, "sent", f"{method} {path}", headers)
    if payload is not None:
        recording.add(number, "sent", "body", _described(payload))
    client = await asyncio.to_thread(_client, address.base_url)
    patience_s = site.equipment.timing.patience_s
    try:
        async with asyncio.timeout(patience_s), client:
            asked = client.build_request(
                method, address.base_url.rstrip("/") + path, headers=headers, **_arguments(payload)
            )
            response = await client.send(asked, stream=True)
            return await _read(response, site, number)
    except TimeoutError:
        raise BrokenContractError(f"no whole answer came within {patience_s:g} s") from None
    except httpx2.HTTPError as problem:
        raise BrokenContractError(f"no whole answer came ({type(problem).__name__})") from None


def _client(base_url: str) -> httpx2.AsyncClient:
    """Reads files of this machine: for a thread. Follows no redirect, which would carry the key elsewhere."""
    is_near = urlsplit(base_url).hostname in LOOPBACK
    return httpx2.AsyncClient(verify=certificates(), trust_env=not is_near, follow_redirects=False, timeout=None)


async def _read(response: httpx2.Response, site: Site, number: int) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    site.recording.add_head(number, "received", f"HTTP {response.status_code}", headers)
    if headers.get("content-type", "").startswith(EVENT_STREAM):
        return Answer(response.status_code, headers, "", await _events(response, site, number))
    await response.aread()
    site.recording.add(number, "received", "body", response.text)
    return Answer(response.status_code, headers, response.text, ())


async def _events(response: httpx2.Response, site: Site, number: int) -> tuple[str, ...]:
    data: list[str] = []
    lines: list[str] = []
    async for line in response.aiter_lines():
        if line:
            lines.append(line)
        elif lines:
            site.recording.add(number, "received", "event", "\n".join(lines))
            data.append("".join(one.removeprefix("data:").strip() for one in lines if one.startswith("data:")))
            lines = []
    return tuple(data)


class _Arguments(TypedDict, total=False):
    files: dict[str, tuple[str, bytes, str]]
    data: Mapping[str, str | list[str]]
    json: Mapping[str, object]


def _described(payload: Mapping[str, object] | Upload) -> str:
    if not isinstance(payload, Upload):
        return json.dumps(payload)
    return json.dumps({"file": {"name": payload.file_name, "bytes": len(payload.content)}, **payload.fields})


def _arguments(payload: Mapping[str, object] | Upload | None) -> _Arguments:
    if payload is None:
        return {}
    if isinstance(payload, Upload):
        return {"files": {"file": (payload.file_name, payload.content, "audio/wav")}, "data": payload.fields}
    return {"json": payload}
