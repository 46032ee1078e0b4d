"""A script as the caller follows it, against a server that answers every utterance with the same reply."""

from speakback.caller.caller import calling
from speakback.caller.demo_script import DEMO_SCRIPT
from speakback.caller.record import timeline_of
from speakback.caller.script import POLITE_GAP_MS, ScriptLine, SpokenLine, follow
from tests.caller.sounds import tone
from tests.caller.stub import Line, stub_server


async def answer_twice(line: Line) -> None:
    """A long reply once the first utterance is over, and a short one after the second."""
    await line.until("input_audio_buffer.append", 20)
    await line.reply(tone(1500), response_id="r1")
    await line.until("input_audio_buffer.append", 20 + 75 + 60)
    await line.reply(tone(200), response_id="r2")


async def starts(cut_in_after_ms: int | None) -> tuple[int, int, int]:
    """When the first reply began and ended, and when the caller went on."""
    lines = [
        SpokenLine(ScriptLine("one"), tone(200)),
        SpokenLine(ScriptLine("two", cut_in_after_ms), tone(200)),
    ]
    async with stub_server(answer_twice) as url, calling(url) as caller:
        await follow(caller, lines)
        timeline = timeline_of(caller.record())
    first = timeline.turns[0].reply.speech
    return first[0].start_ms, first[-1].end_ms, timeline.user_speech[1].spoken.start_ms


async def test_a_polite_line_comes_after_the_replys_end() -> None:
    _, ended_ms, went_on_ms = await starts(None)
    assert went_on_ms >= ended_ms + POLITE_GAP_MS - 20


async def test_a_line_that_cuts_in_comes_while_the_agent_speaks() -> None:
    began_ms, ended_ms, went_on_ms = await starts(500)
    assert began_ms + 500 - 20 <= went_on_ms < ended_ms


def test_the_demo_has_six_turns_and_one_interruption() -> None:
    assert len(DEMO_SCRIPT) == 6
    assert sum(line.cut_in_after_ms is not None for line in DEMO_SCRIPT) == 1
    assert DEMO_SCRIPT[0].cut_in_after_ms is None
