"""The server goes and comes back: the conversation goes on where it was, whole, and nothing is said twice."""

from pathlib import Path

import pytest

from benchmarks.scripted_workers import CountingLlm, reply_to
from tests.web.browser import NO_CHROMIUM
from tests.web.conftest import OpenTab, StartScripted
from tests.web.servers import LocalServer, ScriptedServer
from tests.web.sounds import Speaker

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import expect  # noqa: E402

from tests.web.talking import Talk, microphone, over, sounding_ms  # noqa: E402

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow, pytest.mark.timeout(120)]

WORD_MS = 250
REPLY_MS = WORD_MS * len(reply_to(1))
UNREACHABLE = (
    "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 503|WebSocket connection to .* failed"
)
RESUMED = over("speakback.resumed")
DONE = f"{over('response.done')} && it.event.response.status === 'completed'"
QUESTIONS = [f"What is {number} plus one?" for number in (1, 2, 3)]


async def counting(start_scripted: StartScripted) -> ScriptedServer:
    """A server whose replies can be told apart, word by word."""
    server = await start_scripted()
    server.llm = CountingLlm()
    await server.restart()
    return server


def replies(*turns: int) -> list[str]:
    """What it says to these turns, without the punctuation."""
    return [word for turn in turns for word in reply_to(turn)]


async def said(talk: Talk) -> list[str]:
    """All that the agent said, as it stands on the screen, without the punctuation."""
    return [word.rstrip(".") for turn in await talk.turns("agent").all() for word in (await talk.words(turn))[0]]


async def typing(open_tab: OpenTab, server: ScriptedServer) -> Talk:
    talk = Talk(await open_tab())
    talk.tab.may_say(UNREACHABLE)
    await talk.open(server.address)
    await talk.begin_typing()
    return talk


async def test_a_reply_that_a_restart_cuts_goes_on_with_the_next_word(
    start_scripted: StartScripted, open_tab: OpenTab
) -> None:
    server = await counting(start_scripted)
    talk = await typing(open_tab, server)
    await talk.type("Count for me.")
    await talk.until("server", over("response.output_audio_transcript.delta"), count=6)
    await server.leave(within_s=0.01)
    await expect(talk.presence).to_have_text("Reconnecting")
    await talk.notices("The connection was lost.")
    await server.start()
    await talk.until("server", RESUMED)
    await talk.until_done()
    await talk.until_rest()
    await expect(talk.page.locator("#notices .notice")).to_have_count(0)
    shown = await said(talk)
    again = len(shown) - len(replies(1))
    assert again in (0, 1), "the word that was in the air may be said again, from its beginning"
    cut = len((await talk.words(talk.turns("agent").first))[0])
    assert shown[:cut] + shown[cut + again :] == replies(1)
    assert shown[:cut] + shown[cut : cut + again] == replies(1)[:cut] + replies(1)[cut - again : cut]
    assert sounding_ms(await talk.tab.heard()) == pytest.approx(REPLY_MS + again * WORD_MS, abs=WORD_MS)

    await talk.type("And again?")
    await talk.until_done(count=2)
    await talk.until_rest()
    assert (await said(talk))[len(shown) :] == replies(2)
    assert await talk.turns("user").locator(".words").all_inner_texts() == ["Count for me.", "And again?"]


async def test_a_server_that_is_asked_to_end_lets_the_agent_finish_first(
    start_scripted: StartScripted, open_tab: OpenTab
) -> None:
    server = await counting(start_scripted)
    talk = await typing(open_tab, server)
    await talk.type("Count for me.")
    await talk.until("server", over("response.output_audio_transcript.delta"), count=3)
    await server.leave()
    assert await talk.told("server", over("speakback.goaway"))
    await expect(talk.presence).to_have_text("Reconnecting")
    assert await said(talk) == replies(1)
    await server.start()
    await talk.until("server", RESUMED)
    await talk.type("And again?")
    await talk.until_done(count=2)
    await talk.until_rest()
    assert await said(talk) == replies(1, 2)
    assert sounding_ms(await talk.tab.heard()) == pytest.approx(2 * REPLY_MS, abs=150)


async def test_what_is_said_while_there_is_no_connection_is_answered_when_there_is_one(
    start_scripted: StartScripted, open_tab: OpenTab, speaker: Speaker, tmp_path: Path
) -> None:
    server = await counting(start_scripted)
    questions = [await speaker.say(text) for text in ("When does it open?", "And what about the weekend, please?")]
    talk = Talk(await open_tab(await microphone(tmp_path, 1500, questions[0], REPLY_MS + 5000, questions[1])))
    talk.tab.may_say(UNREACHABLE)
    await talk.open(server.address)
    await talk.begin()
    await talk.until_done()
    await expect(talk.presence).to_have_text("Listening")
    await server.stop()
    await expect(talk.presence).to_have_text("Reconnecting")
    await talk.until_said()
    assert await talk.turns("user").count() == 1
    server.stt.text = "And on Sundays?"
    await server.start()
    await talk.until_done(count=2)
    await talk.until_rest()
    texts = await talk.turns("user").locator(".words").all_inner_texts()
    assert texts == ["When does the museum open again?", "And on Sundays?"]
    assert await said(talk) == replies(1, 2)
    assert sounding_ms(await talk.tab.heard()) == pytest.approx(2 * REPLY_MS, abs=150)


async def test_a_conversation_that_was_not_kept_begins_anew_and_the_page_says_so(
    start_scripted: StartScripted, open_tab: OpenTab
) -> None:
    server = await counting(start_scripted)
    talk = await typing(open_tab, server)
    talk.tab.may_say("Unexpected response code")
    await talk.type("Count for me.")
    await talk.until_done()
    await server.stop()
    server.forget()
    await server.start()
    await talk.notices("The earlier conversation could not be taken up again.")
    await expect(talk.presence).to_have_text("Ready for your message")
    await talk.type("And again?")
    await talk.until_done(count=2)
    assert (await said(talk))[-len(reply_to(1)) :] == replies(1), "the first turn of another conversation"


@pytest.mark.timeout(400)
async def test_a_real_server_is_restarted_and_killed(open_tab: OpenTab, local_server: LocalServer) -> None:
    talk = Talk(await open_tab())
    talk.tab.may_say(UNREACHABLE)
    await talk.open(local_server.address)
    await talk.begin_typing()
    for number, (question, end) in enumerate(
        zip(QUESTIONS, (local_server.stop, local_server.kill, None), strict=True), 1
    ):
        asked = len(await talk.told("server", DONE))
        await talk.type(question)
        await talk.until_done(count=asked + 1, within_ms=60_000)
        await expect(talk.presence).to_have_text("Ready for your message", timeout=30_000)
        if end is not None:
            await end()
            await expect(talk.presence).to_have_text("Reconnecting")
            await local_server.start()
            resumed = await talk.until("server", RESUMED, count=number, within_ms=60_000)
            assert resumed["event"]["items"] == 2 * number
            await expect(talk.presence).to_have_text("Ready for your message", timeout=60_000)
    assert await talk.turns("user").locator(".words").all_inner_texts() == QUESTIONS
    # A server that is killed may say again what it had said a second before.
    assert await talk.turns("agent").count() in (3, 4)
