"""Tokens that lead nowhere take no strangers' places: they are no joins."""

from time import monotonic

from speakback.gateway.admission import LoadLimits
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.seats import Seats
from tests.gateway.resume.house import house


async def test_made_up_tokens_count_as_no_joins() -> None:
    async with house(MemoryStore(monotonic)) as (at, service):
        service.seats = Seats(8, LoadLimits(joins=2))
        async with at.call():
            for _ in range(5):
                assert await at.refusal("made-up") == (410, "resume_token_invalid")
            assert sum(service.seats._given) == 1
            async with at.call():
                assert service.seats.taken == 2
