"""What chains of providers decide for a session: told at once, and part of the turn's record."""

from dataclasses import replace

import pytest

from speakback.providers.chain.entry import Entry, Pin, UnknownPin
from speakback.providers.chain.llm_chain import LlmChain
from speakback.providers.decisions import DecisionKind
from speakback.providers.engines import Engines, Pins
from speakback.session import notices as n
from tests.session.line import Line, on_the_line, said
from tests.session.scripted import ANSWER, BRIEF, QUESTION, ScriptedLlm, llm_failure, says, scripted, writes

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])


def with_models(**models: ScriptedLlm) -> Engines:
    return replace(scripted(), llm=LlmChain(tuple(Entry(name, model) for name, model in models.items())))


async def answer_to(line: Line, level: float) -> tuple[str, n.LatencyMeasured]:
    line.say(level, 400)
    line.pause(1500)
    ended = await line.client.until(n.ReplyEnded)
    return said(ended), await line.client.until(n.LatencyMeasured)


async def test_a_failover_is_told_and_stands_in_the_record_of_its_turn_alone() -> None:
    broken, good = ScriptedLlm([writes(llm_failure()), says("Again.")]), ScriptedLlm([says("It is noon.")])
    async with on_the_line(with_models(broken=broken, good=good)) as line:
        text, measured = await answer_to(line, QUESTION)
        told = line.client.all(n.ProviderDecided)
        _, later = await answer_to(line, ANSWER)
    assert text == "It is noon."
    assert [notice.decision for notice in told] == list(measured.latency.decisions)
    (decision,) = measured.latency.decisions
    assert (decision.kind, decision.provider, decision.instead_of) == (DecisionKind.FAILED_OVER, "good", "broken")
    assert later.latency.decisions == ()


async def test_a_pin_holds_from_the_next_reply_on() -> None:
    first, second = ScriptedLlm([says("First.")]), ScriptedLlm([says("Second.")])
    async with on_the_line(with_models(first=first, second=second)) as line:
        before, _ = await answer_to(line, QUESTION)
        line.client.session.configure(replace(BRIEF, pins=Pins(llm=Pin("second"))))
        after, _ = await answer_to(line, ANSWER)
    assert (before, after) == ("First.", "Second.")


async def test_a_pin_of_nobody_changes_nothing() -> None:
    async with on_the_line(with_models(first=ScriptedLlm([says("First.")]))) as line:
        with pytest.raises(UnknownPin, match="there are first"):
            line.client.session.configure(replace(BRIEF, instructions="New.", pins=Pins(llm=Pin("nobody"))))
        assert line.client.session.settings.instructions == BRIEF.instructions
