"""benchmarks/rolling.py: what counts as lost and as said twice."""

from benchmarks.rolling import Call, findings
from benchmarks.scripted_workers import CountingLlm, reply_to, sentences
from speakback.caller.timeline import Outage, Timeline
from speakback.providers.llm import Message, Prompt, TextDelta

OUTAGE = Outage(1000.0, 1200.0, 1012, 1, unheard_ms=0.0)


def call(said: int, *replies: str, outages: tuple[Outage, ...] = (OUTAGE,)) -> Call:
    """A conversation of so many turns, in which these words were heard."""
    return Call(said, Timeline(10_000, (), (), (), (), (), 0, None, outages), replies)


def counted(*calls: Call) -> dict[str, float | None]:
    return {figure.what.removeprefix("drain_s 1: "): figure.value for figure in findings([(1.0, calls)]).figures}


def answer(turn: int) -> str:
    return sentences(reply_to(turn))


def test_what_is_whole_is_neither_lost_nor_twice() -> None:
    found = counted(call(2, answer(1), answer(2)))
    assert (found["turns lost"], found["turns said twice"], found["words said twice"]) == (0, 0, 0)
    assert (found["sessions resumed"], found["times resumed"], found["longest without a line"]) == (1, 1, 200)


def test_a_word_that_is_missing_loses_the_turn() -> None:
    assert counted(call(2, answer(1), answer(2).rsplit(" ", 1)[0]))["turns lost"] == 1


def test_a_turn_without_an_answer_is_lost() -> None:
    assert counted(call(2, answer(1)))["turns lost"] == 1


def test_a_turn_that_was_answered_twice() -> None:
    assert counted(call(1, answer(1), answer(1)))["turns said twice"] == 1


def test_a_turn_that_became_two() -> None:
    assert counted(call(1, answer(1), answer(2)))["turns said twice"] == 1


def test_the_word_that_a_cut_falls_into_is_no_turn_said_twice() -> None:
    words = answer(1).split()
    found = counted(call(1, " ".join(words[:8]), " ".join(words[7:])))
    assert (found["turns said twice"], found["words said twice"], found["turns lost"]) == (0, 1, 0)
    assert counted(call(1, " ".join(words[:8]), " ".join(words[6:])))["turns said twice"] == 1


def test_an_answer_that_never_went_on_is_told() -> None:
    outage = Outage(1000.0, 1200.0, None, 1, unheard_ms=None)
    assert counted(call(1, answer(1), outages=(outage,)))["answers that never went on"] == 1


def test_a_call_that_did_not_last_is_told() -> None:
    assert counted(Call(3, None, failure="gone"))["calls that did not last"] == 1


def test_no_two_answers_share_a_word() -> None:
    words = [word for turn in range(1, 200) for word in reply_to(turn)]
    assert len(set(words)) == len(words)


async def test_the_rest_of_an_answer_begins_behind_what_was_heard() -> None:
    heard = " ".join(answer(2).split()[:6])
    messages = (
        Message("system", "Be brief."),
        Message("user", "One?"),
        Message("assistant", answer(1)),
        Message("user", "Two?"),
        Message("assistant", heard),
        Message("system", "Go on."),
    )
    deltas = [delta.text async for delta in CountingLlm().stream(Prompt(messages)) if isinstance(delta, TextDelta)]
    assert f"{heard} {''.join(deltas)}" == answer(2)
