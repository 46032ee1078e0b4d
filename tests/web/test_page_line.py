"""static/line/: how the page gets in, what it does when the connection breaks, and what it says when it cannot."""

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web

from tests.web.bare_server import BareServer
from tests.web.browser import Tab
from tests.web.calls import VOICE_PER_MS, CallInPage, call_in, live, speech

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

PCM_PER_MS = 2 * VOICE_PER_MS


@pytest_asyncio.fixture(loop_scope="session")
async def call(tab: Tab, server: BareServer) -> CallInPage:
    """Its console tells of each request and socket that is refused, as it must."""
    tab.may_say("WebSocket connection to|Failed to load resource")
    return await call_in(tab.page, server.address)


def refusal(status: int, code: str, **more: object) -> web.Response:
    return web.json_response({"error": {"code": code, "message": "no"}, **more}, status=status)


# ---- a connection that breaks -----------------------------------------------------------------


async def test_a_lost_connection_is_taken_up_where_the_server_stopped_hearing(
    call: CallInPage, server: BareServer
) -> None:
    first = await live(call, server)
    await first.until(lambda c: len(c.pcm) > PCM_PER_MS * 1000)
    server.heard_ms = 640
    first.break_off()
    await call.until("state", state="reconnecting")
    second = await server.connection(1)
    assert second.offered == ["realtime", "speakback-page.t2", "speakback-resume.r0"]
    assert server.token_headers[1]["Speakback-Resuming"] == "true"
    await second.until(lambda c: len(c.pcm) > PCM_PER_MS * 1500)
    await call.do("call.stop()")
    await second.until(lambda c: c.close_code)
    assert second.of("session.update") == [], "the session is as it was"
    assert second.sequences == list(range(len(second.sequences)))
    recorded = await call.recorded()
    begins = round((await call.do("call.mediaOffsetMs") - recorded.start_ms + 640) * VOICE_PER_MS)
    again = np.frombuffer(bytes(second.pcm), np.int16)
    assert np.array_equal(recorded.user[begins : begins + len(again)], again)
    states = [detail["state"] for detail in await call.all("state")]
    assert states == ["asking", "connecting", "live", "reconnecting", "live", "ended"]
    assert await call.all("problem") == []


async def test_a_server_that_restarts_is_waited_for(call: CallInPage, server: BareServer) -> None:
    await live(call, server)
    server.heard_ms = 0
    await server.stop()
    problem = (await call.until("problem", code="offline"))["detail"]
    assert not problem["isFatal"]
    server.refusals = [refusal(503, "not_ready", retry_after_s=1)]
    await server.start()
    waits = (await call.until("problem", code="not-ready"))["detail"]
    assert waits["retryInS"] == 1
    again = await server.connection(1)
    await again.until(lambda c: c.pcm)
    assert {detail["code"] for detail in await call.all("solved")} == {"offline", "not-ready"}
    assert await call.do("call.stats.reconnects") == 1


async def test_a_conversation_that_cannot_be_taken_up_is_begun_anew_and_that_is_said(
    call: CallInPage, server: BareServer
) -> None:
    first = await live(call, server)
    await first.until(lambda c: len(c.pcm) > PCM_PER_MS * 3000)
    first.break_off()
    second = await server.connection(1)
    assert second.offered == ["realtime", "speakback-page.t4"]
    assert [detail["code"] for detail in await call.all("problem")] == ["new-conversation"]
    await second.until(lambda c: len(c.pcm) > PCM_PER_MS * 200)
    await call.do("call.stop()")
    await second.until(lambda c: c.close_code)
    recorded = await call.recorded()
    begins = round((await call.do("call.mediaOffsetMs") - recorded.start_ms) * VOICE_PER_MS)
    sent = np.frombuffer(bytes(second.pcm), np.int16)
    assert np.array_equal(recorded.user[begins : begins + len(sent)], sent), "media time begins anew"


async def test_the_last_word_of_the_server_ends_the_conversation(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server)
    await connection.close(1000)
    ended = (await call.until("state", state="ended"))["detail"]
    assert "Nobody" in ended["reason"]
    assert len(server.connections) == 1


async def test_a_message_that_is_none_is_told_and_the_call_goes_on(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server, mic=False)
    await connection.socket.send_bytes(b"\x07")
    problem = (await call.until("problem", code="protocol"))["detail"]
    assert not problem["isFatal"]
    await connection.begin("item_1")
    await connection.audio(speech(200))
    await call.until("audible")


# ---- who is not let in ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code", "retry_in_s"),
    [
        (refusal(401, "invalid_api_key"), "key-needed", None),
        (refusal(403, "origin_not_allowed"), "origin-refused", None),
        (refusal(503, "too_many_sessions", retry_after_s=7), "server-full", 7),
        (refusal(503, "server_busy", retry_after_s=3), "server-busy", 3),
        (refusal(503, "not_ready", retry_after_s=2), "not-ready", 2),
        (refusal(500, "broken"), "server-failed", None),
    ],
)
async def test_who_gets_no_token_is_told_why(
    answer: web.Response, code: str, retry_in_s: int | None, call: CallInPage, server: BareServer
) -> None:
    server.refusals = [answer]
    problem = await call.begin()
    assert problem is not None
    assert (problem["code"], problem.get("retryInS")) == (code, retry_in_s)
    assert [detail["code"] for detail in await call.all("problem")] == [code]
    assert (await call.all("state"))[-1]["state"] == "ended"
    assert await call.begin() is None, "and may try again"


async def test_the_key_goes_with_the_request_for_a_token(call: CallInPage, server: BareServer) -> None:
    await call.page.evaluate("() => { talk.key = 'sk-sb-mine'; }")
    assert await call.begin(mic=False) is None
    assert server.token_headers[0]["Authorization"] == "Bearer sk-sb-mine"


async def test_a_token_that_has_expired_is_asked_for_again_once(call: CallInPage, server: BareServer) -> None:
    server.sockets_refused = 1
    assert await call.begin(mic=False) is None
    assert (await server.connection()).offered == ["realtime", "speakback-page.t2"]


async def test_tokens_that_do_not_count_are_told(call: CallInPage, server: BareServer) -> None:
    server.sockets_refused = 9
    problem = await call.begin(mic=False)
    assert problem is not None
    assert (problem["code"], problem["isFatal"]) == ("token-refused", True)
    assert len(server.token_headers) == 2


async def test_a_server_that_is_not_there(call: CallInPage, server: BareServer) -> None:
    await server.stop()
    problem = await call.begin(mic=False)
    assert problem is not None
    assert problem["code"] == "offline"


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("delete window.WebSocket; window.WebSocket = undefined", "no-websocket"),
        ("window.WebSocket = function () { throw new DOMException('blocked', 'SecurityError'); }", "no-websocket"),
        ("window.AudioWorkletNode = undefined", "no-worklet"),
        ("window.AudioContext = window.webkitAudioContext = undefined", "no-worklet"),
        ("AudioWorklet.prototype.addModule = () => Promise.reject(new DOMException('x', 'AbortError'))", "no-worklet"),
    ],
)
async def test_what_a_browser_may_lack(missing: str, code: str, call: CallInPage, server: BareServer) -> None:
    await call.page.evaluate(f"() => {{ {missing}; }}")
    problem = await call.begin()
    assert problem is not None
    assert (problem["code"], problem["isFatal"]) == (code, True)
    assert server.connections == []


async def test_whoever_hangs_up_while_it_connects_has_hung_up(call: CallInPage, server: BareServer) -> None:
    hung_up = await call.do("{ const it = talk.begin({ mic: true }); call.stop(); return [await it, call.state]; }")
    assert hung_up[1] == "ended"
    assert await call.all("problem") == []
    await call.do("talk.until('state', {state: 'ended'})")
    assert await call.begin() is None
    assert len(server.connections) == 1
