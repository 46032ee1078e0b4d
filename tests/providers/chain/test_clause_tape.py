"""Clauses that several voices read."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.providers.chain.clause_tape import START, ClauseTape, Place, rest_of, words_in
from tests.providers.chain.scripted import clauses


@dataclass
class Watch:
    taken: list[tuple[int, str]] = field(default_factory=list)
    waited: int = 0
    ended: bool = False

    def waits(self) -> None:
        self.waited += 1

    def took(self, clause: int, text: str) -> None:
        self.taken.append((clause, text))

    def came_to_the_end(self) -> None:
        self.ended = True


async def read(tape: ClauseTape, place: Place) -> list[str]:
    watch = Watch()
    texts = [text async for text in tape.read(place, watch)]
    assert [text for _, text in watch.taken] == texts
    assert watch.ended
    return texts


async def test_two_readers_read_the_same_each_from_its_place() -> None:
    tape = ClauseTape(clauses("One, two.", "—", "Three [laughs] four five."), lambda: None)
    assert await read(tape, START) == ["One, two.", "Three [laughs] four five."]
    assert await read(tape, Place(0, 1)) == ["two.", "Three [laughs] four five."]
    assert await read(tape, Place(2, 1)) == ["four five."]
    assert await read(tape, Place(3, 0)) == []


async def test_a_voice_that_asks_when_the_utterance_is_over_gets_nothing_and_begins_nothing() -> None:
    tape, before = ClauseTape(clauses("One."), lambda: None), asyncio.all_tasks()
    assert tape.cancel() is None
    assert await read(tape, START) == []
    assert asyncio.all_tasks() == before


async def test_nothing_is_taken_before_it_is_asked_for() -> None:
    taken: list[str] = []

    async def source() -> AsyncGenerator[str, None]:
        for clause in ("a", "b", "c"):
            taken.append(clause)
            yield clause

    tape = ClauseTape(source(), lambda: None)
    readers = [tape.read(START, Watch()) for _ in range(2)]
    for reader in readers:
        await anext(reader)
    await asyncio.sleep(1)
    assert taken == ["a"]
    for reader in readers:
        await reader.aclose()
    task = tape.cancel()
    assert task is not None
    await asyncio.wait([task])


async def test_a_reader_that_goes_does_not_end_the_source() -> None:
    tape = ClauseTape(clauses("a", "b", every_ms=100), lambda: None)

    async def leave() -> None:
        async with aclosing(tape.read(START, Watch())) as reader:
            async for _ in reader:
                pass

    task = asyncio.create_task(leave())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    assert await read(tape, START) == ["a", "b"]


async def test_what_the_source_raises_is_kept() -> None:
    async def broken() -> AsyncGenerator[str, None]:
        yield "a"
        raise KeyError

    tape = ClauseTape(broken(), lambda: None)
    assert await read(tape, START) == ["a"]
    assert isinstance(tape.problem, KeyError)


@pytest.mark.parametrize(
    ("clause", "words"), [("Well — yes, I do.", 4), ("[laughs harder] No.", 1), ("…", 0), ("£5 [x] y", 2)]
)
def test_words(clause: str, words: int) -> None:
    assert words_in(clause) == words


@given(st.text(alphabet="ab1 —,.[]", max_size=40), st.integers(0, 10))
def test_the_rest_of_a_clause_has_the_rest_of_its_words(clause: str, word: int) -> None:
    rest = rest_of(clause, word)
    assert words_in(rest) == max(words_in(clause) - word, 0)
    assert clause.endswith(rest)
