"""The drawer, while a conversation goes on: what is chosen holds for it, and what is wrong is said in place."""

from pathlib import Path

import pytest
import pytest_asyncio

from speakback.turn.strategies import strategy
from tests.web.answering import answering
from tests.web.browser import NO_CHROMIUM
from tests.web.conftest import OpenTab, StartScripted
from tests.web.servers import REPLY, ScriptedServer
from tests.web.sounds import Speaker

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import Locator, expect  # noqa: E402

from tests.web.talking import Talk, microphone, over  # noqa: E402

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

UPDATED = over("session.updated")
BEFORE_SPEECH_MS = 8000
LONG = " ".join(f"{REPLY} Ask me" for _ in range(2))
"""It is still being said when the user says something else."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recording(speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Time to change the settings; a question, and something else while it is answered."""
    question = await speaker.say("Could you count for me, please?")
    objection = await speaker.say("No, wait a moment.")
    return await microphone(tmp_path_factory.mktemp("microphone"), BEFORE_SPEECH_MS, question, 4500, objection)


def drawer(talk: Talk) -> Locator:
    return talk.page.get_by_role("dialog", name="Settings")


async def applied(talk: Talk, *, count: int) -> None:
    """Wait until the server has taken so many changes; the first update is the session's own."""
    await talk.until("server", UPDATED, count=1 + count)
    await expect(drawer(talk).locator("p[role=status]")).to_contain_text("Applied: turn-taking from your next turn on.")


@pytest.mark.slow
async def test_a_choice_holds_for_the_conversation_under_way(
    start_scripted: StartScripted, open_tab: OpenTab, recording: Path
) -> None:
    server = await start_scripted()
    server.llm = answering(LONG)
    await server.restart()
    talk = Talk(await open_tab(recording))
    await talk.open(server.address)
    await talk.begin()
    await talk.button("Settings").click()
    await drawer(talk).get_by_label("Strategy", exact=True).select_option("half-duplex")
    await applied(talk, count=1)
    wait = drawer(talk).get_by_label("Silence that ends your turn")
    await wait.focus()
    await talk.page.keyboard.press("End")
    await applied(talk, count=2)
    assert server.sessions[-1].settings.turn == strategy("half-duplex", {"endpointing.wait_ms": 2000})
    await talk.page.keyboard.press("Escape")
    await expect(drawer(talk)).to_be_hidden()
    assert not await talk.told("server", over("input_audio_buffer.speech_started")), "in time for the first turn"

    latency = await talk.until("server", over("speakback.latency"), within_ms=45_000)
    assert latency["event"]["endpointing_wait_ms"] == pytest.approx(2000, abs=400), "700 where nobody chose"
    assert not await talk.told("silenced"), "half-duplex: the agent cannot be interrupted"
    assert await talk.words(talk.turns("agent").first) == (LONG.split(), [])


async def test_what_is_wrong_is_said_in_place_and_the_conversation_goes_on(
    open_tab: OpenTab, scripted_server: ScriptedServer
) -> None:
    talk = Talk(await open_tab())
    await talk.open(scripted_server.address)
    await talk.begin_typing()
    await talk.button("Settings").click()
    longest, shortest = (drawer(talk).get_by_label(name) for name in ("Longest wait", "Shortest wait"))
    await longest.focus()
    await talk.page.keyboard.press("Home")
    await applied(talk, count=1)
    await shortest.focus()
    await talk.page.keyboard.press("End")
    await expect(shortest).to_have_attribute("aria-invalid", "true")
    await expect(drawer(talk).get_by_text("must not be above")).to_be_visible()
    session = scripted_server.sessions[-1]
    assert session.settings.turn == strategy("overlap-aware", {"endpointing.most_ms": 500})
    await talk.page.keyboard.press("Home")
    await expect(shortest).not_to_have_attribute("aria-invalid", "true")
    await applied(talk, count=2)
    chosen = {"endpointing.most_ms": 500, "endpointing.least_ms": 100}
    assert session.settings.turn == strategy("overlap-aware", chosen)
    await talk.page.keyboard.press("Escape")
    await talk.type("When does it open?")
    await talk.until_done()
    assert await talk.words(talk.turns("agent").first) == (REPLY.split(), [])


async def test_a_choice_is_kept_for_the_next_visit(open_tab: OpenTab, scripted_server: ScriptedServer) -> None:
    talk = Talk(await open_tab())
    await talk.open(scripted_server.address)
    await talk.button("Settings").click()
    await drawer(talk).get_by_label("Strategy", exact=True).select_option("rapid-duplex")
    await expect(drawer(talk).locator("p[role=status]")).to_have_text("It counts from the next conversation on.")
    await talk.page.reload()
    await talk.button("Settings").click()
    await expect(drawer(talk).get_by_label("Strategy", exact=True)).to_have_value("rapid-duplex")
    await talk.page.keyboard.press("Escape")
    await talk.begin_typing()
    assert scripted_server.sessions[-1].settings.turn == strategy("rapid-duplex")
