"""web/drawer_routes.py and its templates: the form over HTTP, as a browser with htmx asks for it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser

import aiohttp
import pytest

from speakback.config import Settings
from speakback.gateway.service import Service
from speakback.gateway.serving import listening
from speakback.gateway.terms import terms_of
from speakback.web.drawer_routes import MOST_BYTES
from speakback.web.whole import whole_page
from tests.web.test_drawer import EVERYTHING

FOREIGN = "https://elsewhere.example"


class Form(HTMLParser):
    """What a browser and a screen reader make of the answer."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag != "input":
            self._open.append(given.get("id") or "")

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for name in self._open:
            self.texts[name] = f"{self.texts.get(name, '')} {data.strip()}".strip()

    def by_id(self, name: str) -> dict[str, str | None]:
        (found,) = [attrs for _, attrs in self.tags if attrs.get("id") == name]
        return found

    def controls(self) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in ("select", "input")]


@asynccontextmanager
async def drawer(sections: dict[str, dict[str, object]]) -> AsyncIterator[aiohttp.ClientSession]:
    settings = Settings.model_validate(sections)
    terms = terms_of(settings)
    page = await asyncio.to_thread(whole_page, settings, terms.offer)
    async with (
        listening(Service(terms), "127.0.0.1", 0, add=page) as address,
        aiohttp.ClientSession(address, headers={"Origin": address}) as http,
    ):
        yield http


def patch_of(answer: aiohttp.ClientResponse) -> dict[str, object] | None:
    header = answer.headers.get("HX-Trigger-After-Settle")
    session = None if header is None else json.loads(header)["speakback:choices"]["session"]
    assert session is None or isinstance(session, dict)
    return session


@pytest.mark.parametrize("sections", [{}, EVERYTHING])
async def test_every_control_has_a_label_and_nothing_is_inline(sections: dict[str, dict[str, object]]) -> None:
    async with drawer(sections) as http, http.get("/web/choices") as answer:
        html = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    form = Form(html)
    labelled = {attrs.get("for") for tag, attrs in form.tags if tag == "label"}
    for control in form.controls():
        assert control["id"] in labelled or control["id"] == "expressive", control
    assert re.search(r"<label><input[^>]*id=\"expressive\"", html)
    ids = [attrs["id"] for _, attrs in form.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in form.tags:
        assert set((attrs.get("aria-describedby") or "").split()) <= set(ids)
    assert not re.search(r"<style|<script|\sstyle=|\son\w+=", html)
    assert len(re.findall("<fieldset", html)) == len(re.findall("<legend", html)) == 3


async def test_one_voice_is_shown_as_the_only_one_and_several_can_be_chosen() -> None:
    async with drawer({}) as http, http.get("/web/choices") as answer:
        form = Form(await answer.text())
    assert "heart (Hibari), the only one here" in form.texts["hibari.voice"]
    assert all(control.get("name") != "hibari.voice" for control in form.controls())
    two: dict[str, dict[str, object]] = {"tts": {"voices": ["joe"]}}
    async with drawer(two) as http, http.post("/web/choices", data={"hibari.voice": "joe"}) as answer:
        form = Form(await answer.text())
        assert patch_of(answer) == {
            "audio": {"output": {"voice": "joe"}},
            "speakback": {
                "providers": {"stt": None, "llm": None, "tts": None},
                "strategy": {"name": "overlap-aware", "overrides": {}},
            },
        }
    chosen = [attrs["value"] for tag, attrs in form.tags if tag == "option" and "selected" in attrs]
    assert chosen == ["overlap-aware", "joe"]


@pytest.mark.parametrize(
    ("sections", "fields", "state", "words"),
    [
        ({}, {}, "not-configured", "it needs an API key of ElevenLabs"),
        (EVERYTHING, {"expressive": "on"}, "asked", "Asked for; where the service refuses it, Flash v2.5 speaks."),
        (EVERYTHING, {}, "off", "Off; Flash v2.5 speaks."),
        (EVERYTHING, {"expressive": "on", "tts": "hibari"}, "off", "Off; Hibari speaks."),
    ],
)
async def test_the_experiment_says_how_it_stands(
    sections: dict[str, dict[str, object]], fields: dict[str, str], state: str, words: str
) -> None:
    async with drawer(sections) as http, http.post("/web/choices", data=fields) as answer:
        form = Form(await answer.text())
    place = form.by_id("expressive-state")
    assert place["data-state"] == state
    assert words in form.texts["expressive-state"]
    assert ("disabled" in form.by_id("expressive")) is (state == "not-configured")
    assert (place["data-refused"] or "").startswith("The service refused it; ")


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_applied() -> None:
    fields = {"tts": "hibari", "hibari.voice": '"><b>', "overlap-aware.endpointing.least_ms": "9000"}
    async with drawer(EVERYTHING) as http, http.post("/web/choices", data=fields) as answer:
        html = await answer.text()
        assert (answer.status, patch_of(answer)) == (200, None)
    form = Form(html)
    for name, words in (
        ("hibari.voice", "there are heart, joe"),
        ("overlap-aware.endpointing.least_ms", "not be above"),
    ):
        control = form.by_id(name)
        assert control["aria-invalid"] == "true"
        assert f"{name}-error" in (control["aria-describedby"] or "").split()
        assert "hidden" not in form.by_id(f"{name}-error")
        assert words in form.texts[f"{name}-error"]
    assert "hidden" in form.by_id("strategy-error")
    assert "<b>" not in html
    assert form.by_id("overlap-aware.endpointing.least_ms")["value"] == "9000"


async def test_a_slider_says_its_value() -> None:
    async with drawer({}) as http, http.get("/web/choices") as answer:
        form = Form(await answer.text())
    name = "overlap-aware.endpointing.least_ms"
    slider = form.by_id(name)
    assert (slider["min"], slider["max"], slider["step"], slider["value"]) == ("100", "1000", "20", "240")
    assert form.by_id(f"{name}-value")["for"] == name
    assert form.texts[f"{name}-value"] == "240 ms"


async def test_another_sites_form_is_refused() -> None:
    foreign = {"Origin": FOREIGN}
    async with drawer({}) as http, http.post("/web/choices", data=b"", headers=foreign) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_where_keys_are_needed_the_choices_are_for_those_who_have_one(method: str) -> None:
    good, wrong = {"Authorization": "Bearer sk-sb-good"}, {"Authorization": "Bearer sk-sb-bad"}
    async with drawer({"server": {"api_keys": ["sk-sb-good"]}}) as http:
        for headers in ({}, wrong, good):
            async with http.request(method, "/web/choices", headers=headers) as answer:
                assert answer.status == (200 if headers == good else 401)
                assert ("Hibari" in await answer.text()) is (headers == good)
                assert (patch_of(answer) is not None) is (headers == good)


async def test_only_who_has_a_key_is_told_where_the_language_model_is() -> None:
    llm: dict[str, object] = {"provider": "openai", "model": "tuned", "base_url": "http://inner.example:8000/v1"}
    async with drawer({"llm": llm, "server": {"api_keys": ["sk-sb-good"]}}) as http:
        async with http.get("/") as answer:
            html = await answer.text()
            assert "tuned" in html
            assert "inner.example" not in html
        async with http.get("/web/choices", headers={"Authorization": "Bearer sk-sb-good"}) as answer:
            assert "tuned · OpenAI-compatible service at inner.example" in await answer.text()


async def test_a_name_that_was_pointed_at_an_open_server_is_told_nothing() -> None:
    async with drawer({}) as http:
        address = http.headers["Origin"]
        async with aiohttp.request("GET", f"{address}/web/choices", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        async with aiohttp.request("GET", f"{address}/web/choices") as answer:
            assert answer.status == 200, "browsers name no origin when they get something of the page's own server"


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_a_form_that_is_far_too_large_is_refused(is_chunked: bool) -> None:
    body = b"strategy=" + b"x" * MOST_BYTES

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    async with drawer({}) as http, http.post("/web/choices", data=pieces() if is_chunked else body) as answer:
        assert answer.status == 413


@pytest.mark.parametrize("body", [b"", b"\xff\xfe=%ff", b"&&&=;=%zz", b"strategy=half-duplex&strategy=rapid-duplex"])
async def test_what_is_no_form_of_ours_does_no_harm(body: bytes) -> None:
    async with drawer({}) as http, http.post("/web/choices", data=body) as answer:
        assert answer.status == 200
        assert patch_of(answer) is not None
