"""One request under way."""

import asyncio
from collections.abc import AsyncGenerator

from speakback.providers.chain.entry import Entry
from speakback.providers.chain.feed import GRACE_S, LIMIT, Feed, now_ms
from speakback.providers.chain.stt_chain import SttChain
from speakback.providers.decisions import DecisionKind as K
from speakback.providers.stt import Transcript
from tests.providers.chain.scripted import Act, Ear, Record
from tests.providers.chain.test_stt_chain import AUDIO, heard


async def numbers(count: int) -> AsyncGenerator[int, None]:
    for number in range(count):
        yield number


async def test_a_provider_waits_while_nobody_takes() -> None:
    feed = Feed(numbers(2 * LIMIT), lambda: None)
    await asyncio.sleep(1)
    assert (len(feed.items), feed.ended) == (LIMIT, False)
    taken = []
    while feed.items:
        taken.append(feed.take())
        await asyncio.sleep(0)
    assert (taken, feed.ended) == (list(range(2 * LIMIT)), True)


async def test_a_generator_lives_in_one_task() -> None:
    async def timed() -> AsyncGenerator[int, None]:
        async with asyncio.timeout(1), asyncio.TaskGroup():
            yield 1
            await asyncio.sleep(5)

    feed = Feed(timed(), lambda: None)
    await asyncio.wait([feed.task])
    assert isinstance(feed.problem, TimeoutError)


async def test_a_provider_that_cancels_itself_has_failed() -> None:
    class Odd(Ear):
        async def transcribe(self, *_: object, **__: object) -> Transcript:
            raise asyncio.CancelledError

    record = Record()
    assert await heard(SttChain((Entry("a", Odd("a")), Entry("b", Ear("b")))), record) == "heard by b"
    assert record.kinds == [K.FAILED_OVER]


async def test_a_loser_that_does_not_end_is_not_waited_for_but_by_the_chain() -> None:
    class Sluggish(Ear):
        async def transcribe(self, *_: object, **__: object) -> Transcript:
            try:
                await asyncio.sleep(100)
            finally:
                await asyncio.sleep(3)
            raise AssertionError

    chain = SttChain((Entry("a", Sluggish("a")), Entry("b", Ear("b", [Act(first_ms=100)]))))
    began_ms = now_ms()
    transcript = await chain.transcribe(AUDIO, language="en")
    assert transcript.text == "heard by b"
    assert now_ms() - began_ms < 650 + 100 + 1000 * GRACE_S + 1
    await chain.aclose()
    assert now_ms() - began_ms >= 3000
