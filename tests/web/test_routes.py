"""web/routes.py: the page, its files, and what a browser is told of them."""

import ast
import gzip
import re
from dataclasses import replace
from html import unescape

import pytest

from speakback.web.headers import is_host
from speakback.web.page import Page
from tests.web.serving import KEYED, TERMS, pages

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws://HOST wss://HOST; "
    "img-src 'self'; media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
FOREIGN_HOSTS = ["a:99999999", "a b", "x; script-src *", '"><script>alert(1)</script>', "a'b", "[::1", "a,b", "é"]


@pytest.mark.parametrize("path", ["/", "/connect"])
async def test_a_page_may_load_nothing_from_elsewhere_and_nothing_inline(site: Page, path: str) -> None:
    async with pages(site) as server:
        answer = await server.get(path)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Content-Security-Policy"] == POLICY.replace("HOST", server.address.split("//")[1])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Permissions-Policy"] == "microphone=(self)"
        assert answer.headers["Cache-Control"] == "no-cache"
        html = await answer.text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html), "the policy forbids it"
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert sources
    assert [source for source in sources if re.match("[a-z]+:|//", source)] == []


async def test_whatever_the_page_loads_is_there(site: Page) -> None:
    async with pages(site) as server:
        html = await (await server.get("/")).text()
        loaded = re.findall(r'(?:src|href)="(/static/[^"]*)"', html)
        assert f"{site.static}/htmx.min.js" in loaded
        for path in loaded:
            assert (await server.get(path)).status == 200, path


async def test_the_page_knows_whether_a_key_is_needed(site: Page) -> None:
    async with pages(site) as open_server, pages(site, KEYED) as keyed_server:
        open_page, keyed_page = [await (await server.get("/")).text() for server in (open_server, keyed_server)]
    assert open_page != keyed_page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/static/x/nothing.js", 404),
        ("GET", "/static/x/app.js", 200),
        ("DELETE", "/", 405),
        ("POST", "/web/token", 403),
        ("GET", "/readyz", 200),
        ("GET", "/v1/realtime", 400),
    ],
)
async def test_no_answer_is_taken_for_another_kind_than_it_says(
    site: Page, method: str, path: str, status: int
) -> None:
    async with pages(site) as server:
        answer = await server.http.request(method, f"{server.address}{path}")
        assert (answer.status, answer.headers.get("X-Content-Type-Options")) == (status, "nosniff")


@pytest.mark.parametrize("path", ["/", "/connect"])
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
async def test_a_host_that_no_browser_sends_is_refused(site: Page, path: str, host: str) -> None:
    async with pages(site) as server:
        answer = await server.get(path, Host=host)
        assert answer.status == 400
        assert "script" not in await answer.text()


@pytest.mark.parametrize("host", ["voice.example", "127.0.0.1:8765", "[::1]:8765", "localhost", "a-b_c.example:1"])
def test_what_a_browser_sends_is_a_host(host: str) -> None:
    assert is_host(host)


async def test_a_page_is_compressed_where_it_may_be(site: Page) -> None:
    async with pages(site) as server:
        plain = await server.get("/", **{"Accept-Encoding": "identity"})
        zipped = await server.get("/", **{"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in plain.headers
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert plain.headers["Vary"] == zipped.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(await zipped.read()) == await plain.read()


# ---- how programs connect ---------------------------------------------------------------------


async def test_how_programs_connect_is_told_with_this_servers_address(site: Page) -> None:
    async with pages(site, KEYED) as server:
        text = unescape(await (await server.get("/connect", Host="voice.example")).text())
    assert "ws://voice.example/v1/realtime" in text
    assert 'base_url="http://voice.example/v1"' in text
    assert "API key" in text


async def test_behind_what_ends_tls_programs_connect_with_tls(site: Page) -> None:
    async with pages(site, KEYED) as server:
        answer = await server.get("/connect", **{"Host": "voice.example", "X-Forwarded-Proto": "https"})
        text = unescape(await answer.text())
    assert "wss://voice.example/v1/realtime" in text
    assert 'base_url="https://voice.example/v1"' in text


async def test_the_snippet_is_python(site: Page) -> None:
    async with pages(site) as server:
        snippet = re.search("<pre[^>]*>(.*?)</pre>", await (await server.get("/connect")).text(), re.DOTALL)
    assert snippet is not None
    ast.parse(unescape(snippet[1]))
    assert "none-needed" in unescape(snippet[1])


async def test_everything_put_into_a_page_is_escaped(site: Page) -> None:
    terms = replace(TERMS, offer=replace(TERMS.offer, model="<b>x</b>"))
    async with pages(site, terms) as server:
        for path in ("/", "/connect"):
            assert "<b>x" not in await (await server.get(path)).text()


# ---- static files -----------------------------------------------------------------------------


async def test_a_file_of_this_version_is_kept_for_ever(site: Page) -> None:
    async with pages(site) as server:
        answer = await server.get(f"{site.static}/htmx.min.js", **{"Accept-Encoding": "gzip, br"})
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await answer.read()) == site.assets.by_path["htmx.min.js"].plain
        plain = await server.get(f"{site.static}/htmx.min.js", **{"Accept-Encoding": "identity"})
        assert await plain.read() == site.assets.by_path["htmx.min.js"].plain


async def test_a_page_of_another_version_gets_what_there_is_and_does_not_keep_it(site: Page) -> None:
    async with pages(site) as server:
        answer = await server.get("/static/000000000000/htmx.min.js")
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing.js",
        "../page.py",
        "%2e%2e/page.py",
        "..%2f..%2fpage.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "htmx.min.js%00",
        "..\\page.py",
        "model",
    ],
)
async def test_what_is_no_file_of_the_page_is_not_there(site: Page, path: str) -> None:
    async with pages(site) as server:
        assert (await server.get(f"{site.static}/{path}")).status == 404


async def test_what_is_loaded_before_the_first_paint_is_below_100_kb_and_all_of_it_little_more(site: Page) -> None:
    async with pages(site) as server:
        html = await (await server.get("/", **{"Accept-Encoding": "gzip"})).read()
    text = gzip.decompress(html).decode()
    links = re.findall(rf'<(?:link|script)[^>]*(?:src|href)="{site.static}/[^>]*>', text)
    blocking = [link for link in links if 'rel="stylesheet"' in link or 'blocking="render"' in link]
    assert blocking
    assert len(html) + size_of(blocking, site) < 50_000
    assert len(html) + size_of(links, site) < 150_000


def size_of(links: list[str], site: Page) -> int:
    """What is sent of the files that these elements name, each once."""
    names = set(re.findall(rf'{site.static}/([^"]*)"', "".join(links)))
    assets = [site.assets.by_path[name] for name in names]
    return sum(len(asset.gzipped or asset.plain) for asset in assets)
