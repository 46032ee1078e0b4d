"""The books of a socket's contexts, by example and against any order of events."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from speakback.providers.adapters.elevenlabs.contexts import MOST_CONTEXTS, ContextMisused, Contexts, ContextState
from speakback.providers.adapters.elevenlabs.wire import KEEPER, Dialect, Dialogue, Multi, Single

MULTI = Multi({})
CLOSE = '{"context_id": "t1", "close_context": true}'


def flushed(dialect: Dialect = MULTI) -> tuple[Contexts, str]:
    contexts = Contexts(dialect)
    context_id = contexts.new(0.0)
    contexts.say(context_id, "Hello. ", 0.0)
    return contexts, context_id


def test_the_first_words_initialise_and_the_next_do_not() -> None:
    contexts = Contexts(MULTI)
    context_id = contexts.new(0.0)
    assert contexts.state(context_id) is ContextState.NEW
    assert len(contexts.say(context_id, "Hello. ", 0.0)) == 2
    assert contexts.say(context_id, "Again. ", 0.0) == ('{"text": "Again. ", "context_id": "t1", "flush": true}',)


def test_gotcha_04_a_context_is_not_closed_before_its_last_words_are_audible() -> None:
    contexts, context_id = flushed()
    assert contexts.finish(context_id) == ()
    assert contexts.audio(context_id, of_last_words=False) == ()
    assert contexts.audio(context_id) == (CLOSE,)
    assert contexts.state(context_id) is ContextState.CLOSING
    assert contexts.audio(context_id) == ()


def test_where_all_is_audible_already_it_is_closed_at_once() -> None:
    contexts, context_id = flushed()
    contexts.audio(context_id)
    assert contexts.finish(context_id) == (CLOSE,)
    assert contexts.finish(context_id) == ()


def test_gotcha_05_a_stale_end_does_not_end_another() -> None:
    contexts, first = flushed()
    contexts.drop(first)
    second = contexts.new(0.0)
    contexts.final(first)
    assert contexts.state(second) is ContextState.NEW
    contexts.final("never was")
    assert contexts.in_use == 1


def test_gotcha_06_who_was_dropped_is_not_heard() -> None:
    contexts, context_id = flushed()
    assert contexts.is_heard(context_id)
    assert contexts.drop(context_id) == (CLOSE,)
    assert not contexts.is_heard(context_id)
    assert not contexts.is_heard("never was")


def test_gotcha_07_closing_contexts_count_until_their_end() -> None:
    contexts = Contexts(MULTI)
    ids = [contexts.new(0.0) for _ in range(4)]
    for context_id in ids:
        contexts.say(context_id, "Hello. ", 0.0)
        contexts.drop(context_id)
    assert contexts.in_use == 4
    assert not contexts.has_room
    with pytest.raises(ContextMisused, match="no room"):
        contexts.new(0.0)
    contexts.final(ids[0])
    assert contexts.new(0.0) not in ids


def test_gotcha_08_only_contexts_that_the_service_knows_are_kept_alive() -> None:
    contexts = Contexts(MULTI)
    contexts.new(0.0)
    assert contexts.keep_alive(100.0, 10.0) == ()


def test_gotcha_09_a_context_that_said_nothing_is_not_closed_on_the_wire() -> None:
    contexts = Contexts(MULTI)
    first, second = contexts.new(0.0), contexts.new(0.0)
    assert contexts.drop(first) == ()
    assert contexts.finish(second) == ()
    assert contexts.in_use == 0


def test_gotcha_10_an_open_context_is_kept_alive_each_ten_seconds() -> None:
    contexts, context_id = flushed()
    assert contexts.keep_alive(9.0, 10.0) == ()
    assert contexts.keep_alive(10.0, 10.0) == ('{"text": "", "context_id": "t1"}',)
    assert contexts.keep_alive(19.0, 10.0) == ()
    contexts.drop(context_id)
    assert contexts.keep_alive(99.0, 10.0) == ()


def test_gotcha_19_nothing_is_written_behind_a_close() -> None:
    contexts, context_id = flushed(Dialogue("v", {}))
    contexts.drop(context_id)
    with pytest.raises(ContextMisused):
        contexts.say(context_id, "More. ", 0.0)
    assert contexts.drop(context_id) == contexts.finish(context_id) == contexts.close_now(context_id) == ()


def test_a_single_socket_serves_once() -> None:
    contexts, context_id = flushed(Single({}))
    assert not contexts.has_room
    contexts.drop(context_id)
    contexts.final(context_id)
    assert contexts.is_spent
    assert not contexts.has_room


class Service:
    """The other end: dies of what the real one dies of."""

    def __init__(self, dialect: Dialect) -> None:
        self.open: set[str] = {KEEPER} if isinstance(dialect, Dialogue) else set()
        self.closing: set[str] = set()
        self.ended: set[str] = set()

    def take(self, message: str) -> None:
        fields = json.loads(message)
        context_id = fields["context_id"]
        assert context_id not in self.closing, "a message to a closing context"
        assert context_id not in self.ended, "a message to a dead context"
        if context_id not in self.open:
            assert fields.get("text") == " " or "voices" in fields, "a phantom: no initialise message"
            self.open.add(context_id)
        elif fields.get("close_context"):
            self.open.remove(context_id)
            self.closing.add(context_id)
        assert len(self.open) + len(self.closing) <= MOST_CONTEXTS, "a sixth context"

    def end(self, context_id: str) -> None:
        self.closing.remove(context_id)
        self.ended.add(context_id)


class AnyOrder(RuleBasedStateMachine):
    """Utterances begin, speak, finish, are dropped and end, in any order."""

    ids: Bundle[str] = Bundle("ids")

    @initialize(dialect=st.sampled_from((MULTI, Dialogue("v", {}))))
    def begin_socket(self, dialect: Dialect) -> None:
        self.contexts = Contexts(dialect)
        self.service = Service(dialect)
        self.keeper = len(self.service.open)
        self.now_s = 0.0
        self.over: set[str] = set()

    def write(self, messages: tuple[str, ...]) -> None:
        for message in messages:
            self.service.take(message)

    @rule(target=ids)
    def begin(self) -> MultipleResults[str] | str:
        if not self.contexts.has_room:
            with pytest.raises(ContextMisused):
                self.contexts.new(self.now_s)
            return multiple()
        return self.contexts.new(self.now_s)

    @rule(context_id=ids)
    def speak(self, context_id: str) -> None:
        if context_id in self.over:
            with pytest.raises(ContextMisused):
                self.contexts.say(context_id, "Words. ", self.now_s)
        else:
            self.write(self.contexts.say(context_id, "Words. ", self.now_s))

    @rule(context_id=ids, of_last=st.booleans())
    def audio(self, context_id: str, of_last: bool) -> None:
        self.write(self.contexts.audio(context_id, of_last_words=of_last))

    @rule(context_id=ids)
    def finish(self, context_id: str) -> None:
        self.over.add(context_id)
        self.write(self.contexts.finish(context_id))

    @rule(context_id=consumes(ids))
    def drop(self, context_id: str) -> None:
        self.over.add(context_id)
        self.write(self.contexts.drop(context_id))
        assert not self.contexts.is_heard(context_id)

    @rule(seconds=st.floats(0, 30))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.write(self.contexts.keep_alive(self.now_s, 10.0))

    @rule(chance=st.randoms(use_true_random=False))
    def service_ends_one(self, chance: object) -> None:
        for context_id in sorted(self.service.closing)[:1]:
            self.service.end(context_id)
            self.contexts.final(context_id)
            self.over.add(context_id)

    @invariant()
    def the_books_agree(self) -> None:
        if hasattr(self, "contexts"):
            known = len(self.service.open) + len(self.service.closing) - self.keeper
            assert known <= self.contexts.in_use <= MOST_CONTEXTS - self.keeper

    def teardown(self) -> None:
        """Once all are dropped and have ended, no slot is left in use."""
        if not hasattr(self, "contexts"):
            return
        for number in range(1, self.contexts.made + 1):
            self.write(self.contexts.drop(f"t{number}"))
        for context_id in sorted(self.service.closing):
            self.service.end(context_id)
            self.contexts.final(context_id)
        assert self.contexts.in_use == 0
        assert len(self.service.open) == self.keeper


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
