"""The clauses of one reply, kept as they come, so that several voices can read them, each from where it is to speak."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from speakback.observe.population import task_name

_TOKEN = re.compile(r"\S+")
_TAG = re.compile(r"\[[^\[\]]{1,40}\]")
"""A direction to the voice, such as [laughs]: it is not spoken, and none of it a word."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A word of a reply: of which clause, and which of its words. Words have a letter or a digit."""

    clause: int
    word: int


START = Place(0, 0)


class Reader(Protocol):
    """A voice that reads the tape, told how it fares."""

    def waits(self) -> None:
        """It asked for the next clause, which is not there."""
        ...

    def took(self, clause: int, text: str) -> None:
        """It was given a clause (its number), or the rest of one."""
        ...

    def came_to_the_end(self) -> None:
        """No clause follows."""
        ...


def words_in(text: str) -> int:
    """How many words `text` has."""
    return sum(1 for _ in _words(text))


def is_word(token: str) -> bool:
    """Whether a token is more than punctuation."""
    return any(map(str.isalnum, token))


def rest_of(clause: str, word: int) -> str:
    """The clause from that word on, or all of it from word 0 on; "" behind its last."""
    starts = list(_words(clause))
    if word >= len(starts):
        return ""
    return clause[starts[word] :] if word else clause


def _words(text: str) -> Iterator[int]:
    """Where each word begins."""
    for token in _TOKEN.finditer(_TAG.sub(_blank, text)):
        if is_word(token.group()):
            yield token.start()


def _blank(tag: re.Match[str]) -> str:
    return " " * len(tag.group())


class ClauseTape:
    """Takes clauses from a session when a voice asks for the next one, never ahead of that.

    One task reads the session's iterator, so that a voice that is cancelled does not end it.
    """

    def __init__(self, source: AsyncIterator[str], on_change: Callable[[], None]) -> None:
        self.clauses: list[str] = []
        self.ended = False
        self.problem: Exception | None = None
        """What the session's own iterator raised: no voice's fault."""
        self._source = source
        self._on_change = on_change
        self._wanted = asyncio.Event()
        self._wanted_to = 0
        self._grown = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def read(self, place: Place, reader: Reader) -> AsyncGenerator[str, None]:
        """The clauses from this place on, but for those without a word."""
        number = place.clause
        while True:
            if number >= len(self.clauses):
                reader.waits()
            if not await self._has(number):
                break
            text = rest_of(self.clauses[number], place.word if number == place.clause else 0)
            if text:
                reader.took(number, text)
                self._on_change()
                yield text
            number += 1
        reader.came_to_the_end()
        self._on_change()

    def cancel(self) -> "asyncio.Task[None] | None":
        """No voice reads any more; returns the task that ends, if there is one.

        A voice that is told to stop may ask once more before it hears of it: it comes to the end.
        """
        self.ended = True
        if self._task is not None:
            self._task.cancel()
        return self._task

    async def _has(self, number: int) -> bool:
        self._wanted_to = max(self._wanted_to, number + 1)
        self._wanted.set()
        if self._task is None and not self.ended:
            self._task = asyncio.create_task(self._pull(), name=task_name("clause-tape"))
        while number >= len(self.clauses) and not self.ended:
            grown = self._grown
            await grown.wait()
        return number < len(self.clauses)

    async def _pull(self) -> None:
        try:
            while True:
                while len(self.clauses) < self._wanted_to:
                    self.clauses.append(await anext(self._source))
                    self._tell()
                self._wanted.clear()
                await self._wanted.wait()
        except StopAsyncIteration:
            pass
        except Exception as problem:
            self.problem = problem
        finally:
            self.ended = True
            self._tell()
            if isinstance(self._source, AsyncGenerator):
                await self._source.aclose()

    def _tell(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()
        self._on_change()
