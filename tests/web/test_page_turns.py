"""static/turns.js, static/call.js: what the user does while something else is still under way."""

import asyncio
from typing import Any

import pytest

from tests.web.bare_server import BareServer, Connection
from tests.web.browser import Tab
from tests.web.calls import CallInPage, live, speech

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]


def typed(connection: Connection) -> list[Any]:
    items: list[Any] = [event["item"] for event in connection.of("conversation.item.create")]
    return [item["content"][0]["text"] for item in items]


async def speaking(call: CallInPage, server: BareServer) -> Connection:
    connection = await live(call, server, mic=False)
    await connection.begin("item_1")
    await connection.audio(speech(3000))
    await call.until("audible")
    return connection


async def test_what_is_typed_twice_in_a_row_is_said_twice(call: CallInPage, server: BareServer) -> None:
    connection = await speaking(call, server)
    both = asyncio.create_task(call.do("Promise.all([call.say('First.'), call.say('Second.')])"))
    await connection.until(lambda c: c.of("response.cancel"))
    await connection.end("item_1", status="cancelled")
    await connection.until(lambda c: c.of("response.create"))
    assert typed(connection) == ["First."]
    await connection.until(lambda c: len(c.of("response.cancel")) == 2)
    assert typed(connection) == ["First."], "the answer to it is stopped first"
    await connection.begin("item_2", "resp_2")
    await connection.end("item_2", "resp_2", status="cancelled")
    assert await both == [True, True]
    await connection.until(lambda c: len(c.of("response.create")) == 2)
    assert typed(connection) == ["First.", "Second."]


async def test_a_stop_right_behind_a_typed_turn_does_not_lose_it(call: CallInPage, server: BareServer) -> None:
    connection = await speaking(call, server)
    both = asyncio.create_task(call.do("Promise.all([call.say('Hello.'), call.cancelReply()])"))
    await connection.until(lambda c: len(c.of("response.cancel")) == 2)
    await connection.end("item_1", status="cancelled")
    assert await both == [True, True]
    await connection.until(lambda c: c.of("response.create"))
    assert typed(connection) == ["Hello."]


async def test_after_an_answer_that_was_refused_the_next_turn_waits_for_none(
    call: CallInPage, server: BareServer
) -> None:
    connection = await live(call, server, mic=False)
    await call.do("call.say('First.')")
    await connection.until(lambda c: c.of("response.create"))
    (asked,) = connection.of("response.create")
    await connection.tell("error", error={"message": "no", "event_id": asked["event_id"]})
    await call.until("server", event__type="error")
    await call.do("call.say('Second.')")
    await connection.until(lambda c: len(c.of("response.create")) == 2)
    assert connection.of("response.cancel") == []


async def test_a_typed_turn_that_met_the_end_of_the_connection_is_told(
    call: CallInPage, tab: Tab, server: BareServer
) -> None:
    tab.may_say("WebSocket connection to|Failed to load resource")
    connection = await speaking(call, server)
    saying = asyncio.create_task(call.do("call.say('Hello.')"))
    await connection.until(lambda c: c.of("response.cancel"))
    connection.break_off()
    assert await saying is False
    await call.until("problem", code="not-live")


async def test_whoever_hangs_up_while_it_comes_back_is_told_nothing_more(
    call: CallInPage, tab: Tab, server: BareServer
) -> None:
    tab.may_say("WebSocket connection to|Failed to load resource")
    connection = await live(call, server, mic=False)
    await call.page.evaluate(
        """() => {
          const ask = window.fetch;
          window.asked = 0;
          window.fetch = async (...wish) => {
            window.asked += 1;
            if (window.asked === 2) talk.call.stop();
            return ask(...wish);
          };
        }"""
    )
    connection.break_off()
    await call.until("state", state="ended")
    await call.page.wait_for_function("asked === 2")
    await call.page.wait_for_timeout(200)
    assert await call.all("problem") == []


async def test_whoever_hangs_up_while_the_sound_is_made_anew_leaves_nothing(
    call: CallInPage, server: BareServer
) -> None:
    """As in browsers that cannot convert the microphone's rate: their context is made twice."""
    await call.page.evaluate(
        """() => {
          window.listening = 0;
          const { addEventListener: add, removeEventListener: remove } = window;
          const counted = (act, by) => (...it) => {
            window.listening += it[0] === 'pagehide' ? by : 0;
            act.apply(window, it);
          };
          window.addEventListener = counted(add, 1);
          window.removeEventListener = counted(remove, -1);
          const { createMediaStreamSource: make, close } = AudioContext.prototype;
          let times = 0;
          AudioContext.prototype.createMediaStreamSource = function (stream) {
            times += 1;
            if (times > 1) return make.call(this, stream);
            throw new DOMException('rates', 'NotSupportedError');
          };
          AudioContext.prototype.close = async function () {
            await close.call(this);
            if (talk.call.state === 'asking') talk.call.stop();
          };
        }"""
    )
    begun = await call.begin()
    assert begun is None or await call.do("call.state") == "ended"
    assert await call.page.evaluate("listening") == 0, "its parts are let go of"
    assert server.connections == []
    held = await call.page.evaluate("async () => (await navigator.locks.query()).held.length")
    assert held == 0


async def test_a_defect_of_the_page_is_told_and_does_not_hide(call: CallInPage, server: BareServer) -> None:
    await call.page.evaluate("() => { AudioNode.prototype.connect = () => { throw new TypeError('a defect'); }; }")
    thrown = await call.do("call.start({ mic: false }).catch((error) => error.name)")
    assert thrown == "TypeError"
    (problem,) = await call.all("problem")
    assert (problem["code"], problem["isFatal"]) == ("page-failed", True)
    assert "a defect" in problem["message"]
    assert await call.do("call.state") == "ended"
