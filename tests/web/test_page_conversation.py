"""A conversation of five turns with the default models, one of which interrupts: said, heard, shown and measured.

The microphone is a recording that waits for nobody, so there is ample room between the turns.
"""

from difflib import SequenceMatcher
from pathlib import Path

import pytest

from speakback.audio.pcm import Samples
from tests.web.browser import NO_CHROMIUM
from tests.web.conftest import OpenTab
from tests.web.servers import LocalServer
from tests.web.sounds import Listener, Speaker, closed_up, likeness, words_of

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import expect  # noqa: E402

from tests.web.talking import Talk, between, last_audible_ms, microphone, over  # noqa: E402

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow, pytest.mark.timeout(600)]

PATIENCE_MS = 60_000
TRANSCRIBED = over("conversation.item.input_audio_transcription.completed")
LINES = (
    "Hello there, who am I talking to?",
    "What is the capital city of France?",
    "Please tell me a long story about a fisherman and the sea.",
    "Stop there please and tell me how many days are in a week.",
    "Thank you, that was very helpful, goodbye.",
)
"""What the user says. The fourth interrupts the answer to the third."""
STORY = 2
ENDPOINTING_MS = 1500
"""From the end of what is said to its transcript; the rest of the wait is measured."""
REPLY_MS, LISTENS_MS = 12_000, 3_000
MOST_WRONG = 0.2
ALIKE = 0.75
SILENT_WITHIN_MS = 60
HEARD_AT_ONCE_MS = 28_000
"""So much of a turn the listener can take; longer ones would be cut here, and on the screen they are not."""


def wrong_share(heard: str, said: str) -> float:
    """The word error rate by difflib's alignment, which is the true one or more."""
    alignment = SequenceMatcher(None, words_of(heard), words_of(said), autojunk=False)
    wrong = sum(
        max(to_heard - heard_at, to_said - said_at)
        for what, heard_at, to_heard, said_at, to_said in alignment.get_opcodes()
        if what != "equal"
    )
    return wrong / len(words_of(said))


async def answer_ms(talk: Talk) -> float:
    """How long this machine takes at the moment from a text to the voice that answers it."""
    await talk.begin_typing()
    await talk.type("How are you?")
    created = await talk.until("server", over("response.created"), within_ms=PATIENCE_MS)
    audible = await talk.until("audible", within_ms=PATIENCE_MS)
    await talk.button("Hang up").click()
    return float(audible["atMs"] - created["atMs"])


async def recorded(speaker: Speaker, answer: float, folder: Path) -> Path:
    """All that the user says, with time for the answers."""
    parts: list[Samples | int] = [2000]
    for number, text in enumerate(LINES):
        after_ms = LISTENS_MS if number == STORY else REPLY_MS
        parts += [await speaker.say(text), ENDPOINTING_MS + round(2 * answer) + after_ms]
    return await microphone(folder, *parts)


async def held(talk: Talk) -> Talk:
    """The conversation, from the first line to the answer to the last."""
    await talk.begin()
    await talk.until("server", f"{TRANSCRIBED} && /goodbye/i.test(it.event.transcript)", within_ms=10 * PATIENCE_MS)
    transcribed = await talk.told("server", TRANSCRIBED)
    answered = f"{over('speakback.latency')} && it.event.item_id === '{transcribed[-1]['event']['item_id']}'"
    await talk.until("server", answered, within_ms=PATIENCE_MS)
    await talk.until_rest()
    return talk


async def conversation(
    open_tab: OpenTab, local_server: LocalServer, speaker: Speaker, folder: Path, takes: int = 3
) -> Talk:
    """One in which both voices met: where a machine's speed changes, the story may be over by the fourth line."""
    for _ in range(takes):
        rehearsal = Talk(await open_tab())
        await rehearsal.open(local_server.address)
        talk = Talk(await open_tab(await recorded(speaker, await answer_ms(rehearsal), folder)))
        await talk.open(local_server.address)
        if await (await held(talk)).told("server", over("speakback.overlap")):
            return talk
        await talk.button("Hang up").click()
    pytest.fail(f"in {takes} conversations the user never spoke while the agent did")


async def test_five_turns_with_a_barge_in(
    open_tab: OpenTab, local_server: LocalServer, speaker: Speaker, listener: Listener, tmp_path: Path
) -> None:
    talk = await conversation(open_tab, local_server, speaker, tmp_path)
    shown = " ".join(await talk.turns("user").locator(".words").all_inner_texts())
    assert wrong_share(shown, " ".join(LINES)) < MOST_WRONG, shown
    assert await talk.turns("agent").count() >= len(LINES)
    await what_is_shown_was_played(talk, listener)
    await the_story_was_interrupted(talk)
    seen = await talk.presences()
    assert {"You are speaking", "Thinking", "Speaking", "Listening"} <= set(seen), seen


async def what_is_shown_was_played(talk: Talk, listener: Listener) -> None:
    """Each turn of the agent, as the page played it, is what stands on the screen."""
    [played] = await talk.tab.played()
    begun_ms = [told["atMs"] for told in await talk.told("audible")]
    turns = await talk.turns("agent").all()
    assert len(turns) == len(begun_ms)
    for turn, from_ms, to_ms in zip(turns, begun_ms, [*begun_ms[1:], begun_ms[-1] + PATIENCE_MS], strict=True):
        end_ms = min(last_audible_ms(played, to_ms), from_ms + HEARD_AT_ONCE_MS)
        audio = between(played, from_ms - 100, end_ms + 200)
        heard = await listener.words(closed_up(audio))
        said, _ = await talk.words(turn)
        assert likeness(heard, words_of(" ".join(said))) > ALIKE, (heard, said)


async def the_story_was_interrupted(talk: Talk) -> None:
    story = talk.transcript.locator(".turn.user").filter(has_text="fisherman").locator("xpath=following-sibling::*[1]")
    await expect(story.locator(".note")).to_have_text("interrupted")
    said, unheard = await talk.words(story)
    assert said
    assert unheard
    [silenced] = await talk.told("silenced")
    assert silenced["atMs"] - silenced["askedMs"] < SILENT_WITHIN_MS
