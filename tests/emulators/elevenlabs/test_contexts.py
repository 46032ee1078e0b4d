"""The books of the contexts, against a simpler kind of book-keeping."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from speakback.emulators.elevenlabs.contexts import MOST_CONTEXTS, ContextTable, TooManyContextsError

IDS = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", None])


class Books(RuleBasedStateMachine):
    """The model is the list of all contexts that there ever were, each with its id and what became of it."""

    def __init__(self) -> None:
        super().__init__()
        self.table = ContextTable[str | None]()
        self.ever: list[tuple[str | None, str]] = []

    def with_state(self, state: str) -> list[int]:
        return [index for index, (_, now) in enumerate(self.ever) if now == state]

    @rule(context_id=IDS)
    def begin(self, context_id: str | None) -> None:
        if (context_id, "open") in self.ever:
            return
        if len(self.with_state("open")) + len(self.with_state("closing")) == MOST_CONTEXTS:
            with pytest.raises(TooManyContextsError):
                self.table.begin(context_id)
        else:
            assert self.table.begin(context_id) == len(self.ever) + 1
            self.ever.append((context_id, "open"))

    @precondition(lambda self: self.with_state("open"))
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from(self.with_state("open")))
        self.table.close(self.ever[index][0])
        self.ever[index] = (self.ever[index][0], "closing")

    @precondition(lambda self: self.with_state("closing"))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from(self.with_state("closing")))
        self.table.finish(index + 1)
        self.ever[index] = (self.ever[index][0], "over")

    @invariant()
    def the_books_agree(self) -> None:
        assert self.table.in_use == len(self.with_state("open")) + len(self.with_state("closing"))
        assert self.table.in_use <= MOST_CONTEXTS
        for context_id in ["a", "b", "c", "d", "e", "f", "g", None]:
            open_ones = [index + 1 for index in self.with_state("open") if self.ever[index][0] == context_id]
            assert self.table.number_of(context_id) == (open_ones[0] if open_ones else None)
            closing = any(self.ever[index][0] == context_id for index in self.with_state("closing"))
            assert self.table.is_closing(context_id) == closing


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=30, stateful_step_count=30)
