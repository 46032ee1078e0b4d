"""The user interrupts: the page is silent at once, and the conversation holds what was heard."""

from pathlib import Path

import pytest
import pytest_asyncio

from tests.web.answering import answering, history
from tests.web.browser import NO_CHROMIUM
from tests.web.conftest import OpenTab, StartScripted
from tests.web.servers import REPLY
from tests.web.sounds import Speaker

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import expect  # noqa: E402

from tests.web.talking import Talk, first_audible_ms, last_audible_ms, microphone  # noqa: E402

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

WORD_MS = 250
COUNT = [
    f"{tens}{ones}" for tens in ("", "twenty", "thirty", "forty") for ones in ("one", "two", "three", "four", "five")
]
LONG = " ".join(COUNT) + "."
SILENT_WITHIN_MS = 60
STEP_MS = 30
"""What the recorder may lose when the machine is busy; else it agrees to the millisecond."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recording(speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A question, and something else while it is answered."""
    question = await speaker.say("Could you count for me, please?")
    objection = await speaker.say("No, wait a moment, I have another question.")
    return await microphone(tmp_path_factory.mktemp("microphone"), 1500, question, 4500, objection)


@pytest.mark.parametrize("strategy", ["overlap-aware", pytest.param("rapid-duplex", marks=pytest.mark.slow)])
async def test_the_page_is_silent_at_once_and_the_conversation_holds_what_was_heard(
    start_scripted: StartScripted, open_tab: OpenTab, recording: Path, strategy: str
) -> None:
    server = await start_scripted(turn={"strategy": strategy})
    server.llm = llm = answering(LONG, REPLY)
    await server.restart()
    talk = Talk(await open_tab(recording))
    await talk.open(server.address)
    await talk.begin()

    audible = await talk.until("audible")
    silenced = await talk.until("silenced")
    assert silenced["atMs"] - silenced["askedMs"] < SILENT_WITHIN_MS
    [played] = await talk.tab.played()
    heard_ms = last_audible_ms(played, silenced["atMs"] + 200) - first_audible_ms(played)
    assert heard_ms == pytest.approx(silenced["atMs"] - audible["atMs"], abs=STEP_MS)

    await talk.until("audible", count=2)
    cut = talk.turns("agent").first
    await expect(cut.locator(".note")).to_have_text("interrupted")
    said, unheard = await talk.words(cut)
    assert [*said, *unheard] == LONG.split()
    assert len(said) == pytest.approx(silenced["playedMs"] / WORD_MS, abs=1)
    assert history(llm)[1] == ("assistant", " ".join(said))
