"""Language models in a chain."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from speakback.providers.chain.budget import BudgetOptions
from speakback.providers.chain.entry import ANY, Entry
from speakback.providers.chain.llm_chain import LlmChain
from speakback.providers.chain.options import LLM_OPTIONS, ChainOptions
from speakback.providers.chain.seam import GO_ON
from speakback.providers.decisions import DecisionKind as K
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import LanguageModel, LlmDelta, Message, Prompt, TextDelta, ToolCall, Usage
from tests.providers.chain.scripted import CALL, Act, Model, Record, failure, text

PROMPT = Prompt((Message("user", "Count."),))
USAGE = Usage(1, 1, None, stopped_at_limit=False)


def chain_of(*models: Model, options: ChainOptions = LLM_OPTIONS) -> LlmChain:
    entries: list[Entry[LanguageModel]] = [Entry(model.name, model) for model in models]
    return LlmChain(tuple(entries), options)


async def read(chain: LlmChain, record: Record) -> list[LlmDelta]:
    async with aclosing(chain.bound(ANY, record).stream(PROMPT)) as deltas:
        return [delta async for delta in deltas]


def written(deltas: list[LlmDelta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_one_model_is_passed_through() -> None:
    record = Record()
    deltas = await read(chain_of(Model("a")), record)
    assert written(deltas) == text(8)
    assert isinstance(deltas[-1], Usage)
    assert record.kinds == []


@pytest.mark.parametrize("death", [failure(Failure.BUSY, role="llm"), ValueError("content of a caller")])
async def test_an_error_before_the_first_text_is_unheard(death: ProviderError | ValueError) -> None:
    record = Record()

    class Broken(Model):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
            for delta in self.deltas:
                yield delta
            raise death

    deltas = await read(chain_of(Broken("a"), Model("b")), record)
    assert written(deltas) == text(8)
    assert record.told(K.FAILED_OVER) == [("b", "a")]
    assert "caller" not in record.decisions[0].reason


async def test_a_failure_that_the_listener_did_not_wait_for_is_told() -> None:
    record = Record()
    chain = chain_of(Model("a", [Act(dies_at=4, death=failure(Failure.BUSY, role="llm"))]), Model("b"))
    async with aclosing(chain.bound(ANY, record).stream(PROMPT)) as deltas:
        await anext(deltas)
        await asyncio.sleep(10)
    assert record.told(K.FAILED_OVER) == [("a", None)]
    assert Failure.BUSY.value in record.decisions[0].reason


async def test_a_model_that_ends_without_a_word_has_failed() -> None:
    record = Record()
    deltas = await read(chain_of(Model("a", deltas=(TextDelta(" "), USAGE)), Model("b")), record)
    assert written(deltas) == text(8)
    assert record.kinds == [K.FAILED_OVER]


async def test_a_late_model_is_doubled_and_the_first_answer_wins() -> None:
    record, a, b = Record(), Model("a", [Act(first_ms=5000)]), Model("b")
    assert written(await read(chain_of(a, b), record)) == text(8)
    assert record.kinds == [K.HEDGED, K.HEDGE_WON]
    assert a.requests.under_way == 0
    assert b.requests.at_ms[0] - a.requests.at_ms[0] == pytest.approx(250, abs=1)


async def test_a_first_request_that_comes_before_the_second_wins() -> None:
    record, b = Record(), Model("b", [Act(first_ms=5000)])
    assert written(await read(chain_of(Model("a", [Act(first_ms=400)]), b), record)) == text(8)
    assert record.kinds == [K.HEDGED]
    assert b.requests.under_way == 0


async def test_a_spent_budget_refuses_and_patience_ends() -> None:
    options = replace(LLM_OPTIONS, budget=BudgetOptions(share=0))
    record = Record()
    chain = chain_of(Model("a", [Act(first_ms=100_000)]), Model("b"), options=options)
    assert written(await read(chain, record)) == text(8)
    assert record.kinds == [K.HEDGE_REFUSED, K.FAILED_OVER]
    assert chain.standings.budget.spent.refused == 1


async def test_every_request_can_be_doubled_at_once() -> None:
    options = replace(LLM_OPTIONS, hedge="always", budget=BudgetOptions(share=1.0))
    chain = chain_of(Model("a", [Act(first_ms=500), Act()]), Model("b"), options=options)
    for _ in range(20):
        assert written(await read(chain, Record())) == text(8)
    spent = chain.standings.budget.spent
    assert (spent.requests, spent.second_requests, spent.refused) == (20, 20, 0)
    assert spent.wasted.tokens > 0


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("at", [1, 4, 7.0])
@pytest.mark.parametrize("death", [failure(Failure.BROKE_OFF, role="llm"), None])
async def test_another_model_writes_on(at: float, repeats: bool, death: ProviderError | None) -> None:
    record = Record()
    a = Model("a", [Act(dies_at=at, death=death)], words=40)
    b = Model("b", words=40, repeats=repeats)
    assert written(await read(chain_of(a, b), record)) == text(40)
    assert record.told(K.FAILED_OVER) == [("b", "a")]
    last = b.prompts[-1].messages
    assert (last[-1].content == GO_ON) == (record.told(K.WENT_ON) == [("b", "a")])


async def test_after_a_tool_call_nobody_is_asked_again() -> None:
    record = Record()
    dying = Act(dies_at=1, death=failure(Failure.BROKE_OFF, role="llm"))
    b = Model("b")
    deltas: list[LlmDelta] = []
    chain = chain_of(Model("a", [dying], deltas=(CALL, USAGE)), b)
    async with aclosing(chain.bound(ANY, record).stream(PROMPT)) as stream:
        deltas.append(await anext(stream))
        with pytest.raises(ProviderError):
            await anext(stream)
    assert (deltas, b.requests.begun, record.kinds) == ([CALL], 0, [K.EXHAUSTED])


async def test_only_the_winners_tool_call_is_made() -> None:
    calls = [Model(name, [Act(first_ms=400)], deltas=(CALL, USAGE)) for name in "ab"]
    deltas = await read(chain_of(*calls), Record())
    assert sum(isinstance(delta, ToolCall) for delta in deltas) == 1


async def test_one_model_is_asked_once_more() -> None:
    record = Record()
    model = Model("a", [Act(dies_at=0, death=failure(Failure.BUSY, role="llm")), Act()])
    assert written(await read(chain_of(model), record)) == text(8)
    assert record.told(K.FAILED_OVER) == [("a", "a")]


async def test_a_circuit_opens_and_a_probe_closes_it() -> None:
    told, record = Record(), Record()
    busy = Act(dies_at=0, death=failure(Failure.BUSY, role="llm"))
    a = Model("a", [busy] * 4 + [Act()])
    chain = LlmChain((Entry("a", a), Entry("b", Model("b"))), report=told)
    for _ in range(3):
        await read(chain, record)
    assert record.kinds[-2:] == [K.CIRCUIT_OPENED, K.FAILED_OVER]
    await asyncio.sleep(60)
    assert told.kinds == [K.CIRCUIT_CLOSED]
    assert a.requests.begun == 5  # three turns, and two probes of which the second was answered
    last = Record()
    await read(chain, last)
    assert last.kinds == []
    await chain.aclose()


async def test_closing_ends_the_probes() -> None:
    before = asyncio.all_tasks()
    chain = chain_of(Model("a", [Act(dies_at=0, death=failure(Failure.QUOTA, role="llm"))]), Model("b"))
    await read(chain, Record())
    assert asyncio.all_tasks() > before
    await chain.aclose()
    assert asyncio.all_tasks() == before
