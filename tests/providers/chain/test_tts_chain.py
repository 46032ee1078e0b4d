"""Voices in a chain: failover before and within an utterance."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from random import Random

import pytest
from structlog.testing import capture_logs

from speakback.emulators.profiles import TYPICAL
from speakback.providers.chain.budget import BudgetOptions
from speakback.providers.chain.entry import ANY, Entry
from speakback.providers.chain.options import TTS_OPTIONS, ChainOptions
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.decisions import DecisionKind as K
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.tts import TextToSpeech
from tests.providers.chain.scripted import Act, Listener, Record, Voice, clauses, failure, text

GAP_MS = 600


def chain_of(*voices: Voice, options: ChainOptions = TTS_OPTIONS) -> TtsChain:
    entries: list[Entry[TextToSpeech]] = [Entry(v.name, v, voice=f"voice of {v.name}") for v in voices]
    return TtsChain(tuple(entries), options)


async def listen(chain: TtsChain, source: AsyncIterator[str], record: Record) -> Listener:
    listener = Listener()
    async with aclosing(chain.bound(ANY, record).speak(source)) as chunks:
        async for chunk in chunks:
            listener.hear(chunk)
    return listener


async def test_one_voice_is_passed_through() -> None:
    record = Record()
    listener = await listen(chain_of(Voice("a")), clauses(text(5), text(7, 6)), record)
    listener.check(text(12))
    assert (record.kinds, listener.clause_ends) == ([], 2)


async def test_a_voice_that_refuses_is_replaced_unheard() -> None:
    record, b = Record(), Voice("b")
    a = Voice("a", [Act(dies_at=0, death=failure(Failure.QUOTA))])
    listener = await listen(chain_of(a, b), clauses(text(5)), record)
    listener.check(text(5))
    assert record.kinds == [K.CIRCUIT_OPENED, K.FAILED_OVER]
    assert record.told(K.FAILED_OVER) == [("b", "a")]


async def test_its_circuit_is_open_for_the_next_session() -> None:
    record, a = Record(), Voice("a", [Act(dies_at=0, death=failure(Failure.QUOTA))])
    chain = chain_of(a, Voice("b"))
    await listen(chain, clauses(text(2)), Record())
    await listen(chain, clauses(text(2)), record)
    assert record.kinds == [K.SKIPPED]
    assert record.decisions[0].reason.startswith("its circuit is open: quota"), "a session is told why, not only that"
    assert a.requests.begun == 1
    await chain.aclose()


async def test_a_voice_that_cannot_be_reached_at_start_is_named_though_another_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a = Voice("a")

    async def unreachable() -> None:
        raise failure(Failure.UNREACHABLE)

    monkeypatch.setattr(a, "warm", unreachable)
    with capture_logs() as logged:
        await chain_of(a, Voice("b")).warm()
    assert [(entry["log_level"], entry["problem"]) for entry in logged] == [
        ("warning", "tts provider 'scripted': unreachable")
    ]


async def test_a_late_voice_is_asked_a_second_time() -> None:
    record, a = Record(), Voice("a", [Act(first_ms=5000), Act()])
    listener = await listen(chain_of(a, Voice("b")), clauses(text(5)), record)
    listener.check(text(5))
    assert record.kinds == [K.HEDGED, K.HEDGE_WON]
    assert a.requests.under_way == 0


@pytest.mark.parametrize("death", [failure(Failure.BROKE_OFF), None])
@pytest.mark.parametrize("at", [0.5, 1.5, 3.0, 4.7, 6.2, 8.9, 9.5])
async def test_the_next_voice_goes_on_at_the_next_word(at: float, death: ProviderError | None) -> None:
    record = Record()
    a = Voice("a", [Act(first_ms=200, dies_at=at, death=death)])
    b = Voice("b", [Act(first_ms=200)])
    options = replace(TTS_OPTIONS, hedge_with="next")
    listener = await listen(chain_of(a, b, options=options), clauses(text(3), text(7, 4)), record)
    listener.check(text(10))
    assert listener.gap_ms < GAP_MS
    assert listener.clause_ends in (2, 3)
    if at >= 1:
        assert record.told(K.WENT_ON) == [("b", "a")]
        assert "voice of b" in next(one.reason for one in record.decisions if one.kind is K.WENT_ON)


async def test_the_same_voice_goes_on_where_it_can() -> None:
    record = Record()
    a = Voice("a", [Act(dies_at=4.5), Act()])
    listener = await listen(chain_of(a, Voice("b")), clauses(text(10)), record)
    listener.check(text(10))
    assert record.told(K.WENT_ON) == [("a", "a")]


async def test_a_voice_that_ends_too_soon_has_failed() -> None:
    record = Record()
    a = Voice("a", [Act(dies_at=4.5, swallows=True)])
    listener = await listen(chain_of(a, Voice("b")), clauses(text(10)), record)
    listener.check(text(10))
    assert record.told(K.WENT_ON) == [("b", "a")]


async def test_two_voices_fail_in_one_utterance() -> None:
    record = Record()
    dying = Act(dies_at=3.5, death=failure(Failure.BROKE_OFF))
    voices = [Voice("a", [dying]), Voice("b", [dying]), Voice("c")]
    listener = await listen(chain_of(*voices), clauses(text(6), text(6, 7)), record)
    listener.check(text(12))
    assert record.told(K.WENT_ON) == [("b", "a"), ("c", "b")]


async def test_waiting_for_text_is_not_lateness() -> None:
    record, a = Record(), Voice("a")
    listener = await listen(chain_of(a, Voice("b")), clauses(text(3), text(3, 4), every_ms=30_000), record)
    listener.check(text(6))
    assert (record.kinds, a.requests.begun) == ([], 1)


async def test_an_end_that_does_not_come_is_not_waited_for() -> None:
    record = Record()
    listener = await listen(chain_of(Voice("a", [Act(ends=False)])), clauses(text(3)), record)
    listener.check(text(3))
    assert record.kinds == []


async def test_without_word_times_the_clause_is_said_again() -> None:
    record = Record()
    a = Voice("a", [Act(dies_at=5.5, death=failure(), word_times=False)])
    b = Voice("b")
    await listen(chain_of(a, b), clauses(text(4), text(4, 5)), record)
    assert b.heard == [text(4, 5)]


async def test_a_word_whose_end_was_guessed_is_let_go() -> None:
    record, a = Record(), Voice("a", [Act(guesses_ms=40)])
    listener = await listen(chain_of(a, Voice("b")), clauses(text(3), text(3, 4), every_ms=5000), record)
    assert [word.text for word in listener.words] == text(6).split()
    assert record.kinds == []


async def test_nobody_is_left() -> None:
    record = Record()
    refused = Act(dies_at=0, death=failure(Failure.REFUSED_KEY))
    chain = chain_of(Voice("a", [refused]), Voice("b", [refused]))
    with pytest.raises(ProviderError, match="refused key"):
        await listen(chain, clauses(text(3)), record)
    assert record.kinds.count(K.EXHAUSTED) == 1
    with pytest.raises(ProviderError, match="mended"):
        await listen(chain, clauses(text(3)), record)
    await chain.aclose()


async def test_a_reply_without_words_is_no_failure() -> None:
    record = Record()
    listener = await listen(chain_of(Voice("a")), clauses(), record)
    assert (listener.audio, record.kinds) == ([], [])


async def test_a_fault_of_the_session_is_not_the_voices() -> None:
    async def broken() -> AsyncIterator[str]:
        yield text(2)
        raise KeyError("ours")

    record = Record()
    with pytest.raises(KeyError):
        await listen(chain_of(Voice("a"), Voice("b")), broken(), record)
    assert record.kinds == []


async def test_a_gap_is_not_left_to_the_budget() -> None:
    options = replace(TTS_OPTIONS, budget=BudgetOptions(share=0), hedge_with="next")
    record = Record()
    chain = chain_of(Voice("a", [Act(dies_at=4.5)]), Voice("b"), options=options)
    listener = await listen(chain, clauses(text(10)), record)
    listener.check(text(10))
    assert listener.gap_ms < GAP_MS
    assert chain.standings.budget.spent.second_requests == 2


async def test_the_cost_of_second_requests_is_counted() -> None:
    chain = chain_of(Voice("a", [Act(first_ms=700), Act(first_ms=100)]))
    await listen(chain, clauses(text(5)), Record())
    spent = chain.standings.budget.spent
    assert (spent.requests, spent.second_requests, spent.wasted.characters) == (1, 1, len(text(5)))


async def test_nothing_is_left_when_the_listener_goes() -> None:
    before = asyncio.all_tasks()
    a = Voice("a")
    async with aclosing(chain_of(a).bound(ANY, Record()).speak(clauses(text(50)))) as chunks:
        await anext(chunks)
    assert (asyncio.all_tasks(), a.requests.under_way) == (before, 0)


@pytest.mark.parametrize("death", [failure(Failure.BROKE_OFF), None])
async def test_the_gap_is_short_at_the_latencies_of_a_typical_day(death: ProviderError | None) -> None:
    rng, first_audio = Random(1), TYPICAL.flash_first_audio
    for half_words in range(1, 48):
        a = Voice("a", [Act(first_ms=first_audio.draw_ms(rng), dies_at=half_words / 2, death=death)])
        b = Voice("b", [Act(first_ms=first_audio.draw_ms(rng)) for _ in range(9)])
        chain = chain_of(a, b, options=replace(TTS_OPTIONS, hedge_with="next"))
        listener = await listen(chain, clauses(text(4), text(8, 5), text(12, 13)), Record())
        listener.check(text(24))
        assert listener.gap_ms < GAP_MS


async def test_a_voice_that_stalls_again_and_again_loses_its_turn() -> None:
    record, a = Record(), Voice("a", [Act(dies_at=2.5)])
    chain = chain_of(a, Voice("b"), options=replace(TTS_OPTIONS, hedge_with="b"))
    for _ in range(4):
        (await listen(chain, clauses(text(8)), record)).check(text(8))
    assert record.told(K.CIRCUIT_OPENED) == [("a", None)]
    assert record.kinds[-1] is K.SKIPPED
    await chain.aclose()
