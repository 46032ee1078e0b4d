"""Speech to text in a chain."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from speakback.providers.chain.entry import ANY, Entry, Pin, UnknownPin
from speakback.providers.chain.options import STT_OPTIONS
from speakback.providers.chain.stt_chain import SttChain
from speakback.providers.decisions import DecisionKind as K
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.stt import Passes
from speakback.providers.urgency import Purpose, Urgency, urgent
from tests.providers.chain.scripted import Act, Ear, Record, failure

AUDIO = np.zeros(16_000, np.float32)


async def heard(chain: SttChain, record: Record, pin: Pin = ANY, seconds: float = 1) -> str:
    audio = np.zeros(int(16_000 * seconds), np.float32)
    return (await chain.bound(pin, record).transcribe(audio, language="en")).text


async def test_failure_and_lateness() -> None:
    record = Record()
    dying = Act(dies_at=0, death=failure(Failure.UNREACHABLE, role="stt"))
    a, b, c = Ear("a", [dying]), Ear("b", [Act(first_ms=9000)]), Ear("c")
    chain = SttChain((Entry("a", a), Entry("b", b), Entry("c", c)))
    assert await heard(chain, record) == "heard by c"
    assert record.kinds == [K.FAILED_OVER, K.HEDGED, K.HEDGE_WON]
    assert (b.requests.under_way, chain.standings.budget.spent.wasted.audio_ms) == (0, 1000)


async def test_longer_audio_may_take_longer() -> None:
    record = Record()
    chain = SttChain((Entry("a", Ear("a", [Act(first_ms=1000)])), Entry("b", Ear("b"))))
    assert await heard(chain, record, seconds=20) == "heard by a"
    assert record.kinds == []


async def test_a_local_model_as_the_last_is_waited_for() -> None:
    record = Record()
    chain = SttChain(
        (
            Entry("a", Ear("a", [Act(dies_at=0, death=failure(Failure.QUOTA, role="stt"))])),
            Entry("whisper", Ear("whisper", [Act(first_ms=5000)]), is_local=True),
        )
    )
    assert await heard(chain, record) == "heard by whisper"
    assert record.kinds == [K.CIRCUIT_OPENED, K.FAILED_OVER]
    await chain.aclose()


async def test_the_second_request_goes_to_whom_it_is_said() -> None:
    record = Record()
    options = replace(STT_OPTIONS, hedge_with="c")
    ears = [Ear("a", [Act(first_ms=9000)]), Ear("b"), Ear("c")]
    chain = SttChain(tuple(Entry(ear.name, ear) for ear in ears), options)
    assert await heard(chain, record) == "heard by c"


async def test_it_learns_what_is_late() -> None:
    ears = [Ear("a", [Act(first_ms=200)] * 30 + [Act(first_ms=400)]), Ear("b")]
    chain = SttChain(tuple(Entry(ear.name, ear) for ear in ears))
    record = Record()
    for _ in range(30):
        await heard(chain, record)
    assert record.kinds == []
    assert await heard(chain, record) == "heard by b"  # 220 ms allowed by then, not the 630 ms of the prior


async def test_the_passes_are_those_of_the_provider_asked_first() -> None:
    dying = Act(dies_at=0, death=failure(Failure.QUOTA, role="stt"))
    few, many = Ear("few", [dying], passes=Passes.FINAL), Ear("many", passes=Passes.WHILE_SPEAKING)
    chain = SttChain((Entry("few", few), Entry("many", many)))
    bound = chain.bound(ANY, Record())
    assert (chain.passes, bound.passes) == (Passes.FINAL, Passes.FINAL)
    await bound.transcribe(AUDIO, language="en")
    assert (chain.passes, bound.passes) == (Passes.WHILE_SPEAKING, Passes.WHILE_SPEAKING)
    await chain.aclose()


async def test_cancelling_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    ears = [Ear("a", [Act(first_ms=9000)]), Ear("b", [Act(first_ms=9000)])]
    chain = SttChain(tuple(Entry(ear.name, ear) for ear in ears))
    task = asyncio.create_task(heard(chain, Record()))
    await asyncio.sleep(1)
    assert [ear.requests.under_way for ear in ears] == [1, 1]
    task.cancel()
    await asyncio.wait([task])
    assert (asyncio.all_tasks(), [ear.requests.under_way for ear in ears]) == (before, [0, 0])


def test_a_chain_of_nobody_or_of_namesakes_is_refused() -> None:
    with pytest.raises(ValueError, match="different names"):
        SttChain(())
    with pytest.raises(ValueError, match="different names"):
        SttChain((Entry("a", Ear("a")), Entry("a", Ear("a"))))
    with pytest.raises(ValueError, match="hedge_with"):
        SttChain((Entry("a", Ear("a")),), replace(STT_OPTIONS, hedge_with="whom"))


def test_an_unknown_pin_is_refused() -> None:
    with pytest.raises(UnknownPin, match="there are a"):
        SttChain((Entry("a", Ear("a")),)).bound(Pin("b"), Record())


async def test_what_was_outrun_counts_as_slow() -> None:
    ears = [Ear("a", [Act(first_ms=200)] * 30 + [Act(first_ms=5000)]), Ear("b")]
    chain = SttChain(tuple(Entry(ear.name, ear) for ear in ears))
    for _ in range(40):
        await heard(chain, Record())
    assert chain.standings.late_after_ms("a") > 300


# ---- what a pool of ours shed -----------------------------------------------------------------------

SHED = Act(dies_at=0, death=failure(Failure.SHED, role="stt"))


@pytest.mark.parametrize("urgency", [Urgency.PARTIAL, Urgency.DRAFT, Urgency.WARMING])
async def test_what_may_be_in_vain_and_was_shed_is_asked_of_nobody_again(urgency: Urgency) -> None:
    local, other = Ear("local", [SHED]), Ear("other")
    chain = SttChain((Entry("local", local, is_local=True), Entry("other", other)))
    record = Record()
    for number in range(1, 11):
        with urgent(urgency), pytest.raises(ProviderError) as caught:
            await heard(chain, record)
        assert caught.value.failure is Failure.SHED
        assert (local.requests.begun, other.requests.begun) == (number, 0)
    assert not chain.standings.is_open("local"), "it is as well as before"
    assert record.kinds == []


async def test_a_committed_turn_that_was_shed_goes_to_the_next_and_not_to_the_same() -> None:
    local, other = Ear("local", [SHED]), Ear("other")
    chain = SttChain((Entry("local", local, is_local=True), Entry("other", other)))
    record = Record()
    with urgent(Urgency.COMMITTED):
        assert await heard(chain, record) == "heard by other"
    assert record.kinds == [K.FAILED_OVER]
    alone = SttChain((Entry("local", local, is_local=True),))
    with urgent(Urgency.COMMITTED), pytest.raises(ProviderError):
        await heard(alone, record)
    assert local.requests.begun == 2, "one request each"


async def test_what_was_for_a_partial_and_is_the_last_pass_by_now_goes_to_the_next() -> None:
    purpose = Purpose(Urgency.PARTIAL)
    chain = SttChain((Entry("local", Ear("local", [SHED]), is_local=True), Entry("other", Ear("other"))))
    with urgent(purpose):
        task = asyncio.create_task(heard(chain, Record()))
    await asyncio.sleep(0.01)
    purpose.hasten(Urgency.COMMITTED)
    assert await task == "heard by other"
