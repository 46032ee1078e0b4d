"""Simulated people behave as people do: with each other, and one trait at a time against a scripted voice."""

from dataclasses import replace
from functools import cache
from random import Random

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, RateName, load_baseline
from speakback.evaluate.distribution_score import EVENTS, Sampling, score_distribution
from speakback.evaluate.measures import Measures, measure_one, pool
from speakback.evaluate.outcome import Score
from speakback.evaluate.score import score_conversations
from speakback.evaluate.timeline import Timeline
from speakback.lab.clock import Clock
from speakback.lab.people import PATIENCE_MS, Person, Stance
from speakback.lab.personas import EVERYDAY, PERSONAS, Persona
from speakback.lab.two_people import two_people
from speakback.lab.voice import After, Sound, Stretch, Voice

MINUTES = 5
QUIET = Persona("quiet", backchannels=(0, 0), interruptions=(0, 0), corrections=0.0)


@cache
def conversations() -> tuple[Timeline, ...]:
    return tuple(two_people(f"test/{seed}", MINUTES * 60_000) for seed in range(60))


@cache
def measured() -> Measures:
    """Of both sides."""
    sides = [side for timeline in conversations() for side in (timeline, timeline.swapped())]
    return pool([measure_one(side) for side in sides])


# ---- with each other ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quantity",
    [
        Quantity.FTO_TURN,
        Quantity.FTO_YN_QUESTION,
        Quantity.FTO_STATEMENT,
        Quantity.FTO_OPINION,
        Quantity.FTO_OTHER_ACT,
        Quantity.IPU,
        Quantity.TURN,
        Quantity.PAUSE,
        Quantity.OVERLAP,
        Quantity.BACKCHANNEL_DURATION,
    ],
)
def test_their_timing_is_within_the_noise_of_people(quantity: Quantity) -> None:
    distances = score_distribution(measured(), quantity, Sampling(np.random.default_rng(1))).distances
    calibration = load_baseline().distributions[quantity].calibration(EVENTS)
    assert distances is not None
    assert calibration is not None
    assert distances.w1_ms < calibration.w1_ms.p95


@pytest.mark.parametrize(
    ("rate", "count"),
    [
        (RateName.COLLISIONS, "collisions"),
        (RateName.COLLISIONS_BY_SIDE, "collisions_by_agent"),
        (RateName.CUT_INS_BY_SIDE, "cut_ins"),
        (RateName.INTERRUPTIONS_BY_SIDE, "interruptions"),
    ],
)
def test_they_meet_as_often_as_people_do(rate: RateName, count: str) -> None:
    per_minute = measured().per_minute(getattr(measured().counts, count))
    assert per_minute == pytest.approx(load_baseline().rates[rate].pooled, rel=0.5)


def test_an_interruption_takes_the_floor_as_often_as_among_people() -> None:
    counts = measured().counts
    share = counts.user_took_floor / counts.user_interruptions
    assert share == pytest.approx(load_baseline().shares.interruptions_that_took_the_floor, abs=0.1)


def test_backchannels_are_as_frequent_as_among_people() -> None:
    rate = load_baseline().rates[RateName.BACKCHANNELS_OF_SIDE].percentiles
    found = measured().backchannels_per_min_of_user_speech
    assert found is not None
    assert rate[25] < found < rate[75]


def test_two_of_them_score_like_people() -> None:
    card = score_conversations(conversations(), None, np.random.default_rng(1))
    assert isinstance(card.parts.composite, Score)
    assert card.parts.composite.value > 9


# ---- alone --------------------------------------------------------------------------------------


class Monologue:
    """A voice that says long phrases with pauses of `pause_ms` in between, and never gives way."""

    def __init__(self, clock: Clock, phrase_ms: int = 6000, pause_ms: int = 600) -> None:
        self.voice = Voice(clock)
        self._clock = clock
        self._phrase_ms, self._pause_ms = phrase_ms, pause_ms
        self._begin(0)

    def _begin(self, _: int) -> None:
        now_ms = self._clock.now_ms
        self.voice.begin(Stretch(Sound.SPEECH, now_ms, now_ms + self._phrase_ms, after=After.GO_ON))
        self._clock.at(now_ms + self._phrase_ms, self._end)

    def _end(self, _: int) -> None:
        self.voice.end()
        self._clock.at(self._clock.now_ms + self._pause_ms, self._begin)


def hearer(persona: Persona, seed: int, minutes: int = 20) -> Person:
    """Someone who has listened to a monologue for so long."""
    clock = Clock()
    person = Person(clock, persona, Random(seed))
    monologue = Monologue(clock)
    monologue.voice.is_heard_by(person)
    run(clock, minutes * 60_000)
    return person


def run(clock: Clock, until_ms: int) -> None:
    while (next_ms := clock.next_ms) is not None and next_ms < until_ms:
        clock.step()


def said(person: Person, sound: Sound) -> list[Stretch]:
    return [stretch for stretch in person.voice.past if stretch.sound is sound]


def persona_of(name: str) -> Persona:
    return next(persona for persona in PERSONAS if persona.name == name)


def test_a_talkative_listener_says_more_backchannels() -> None:
    talkative = sum(len(said(hearer(persona_of("talkative listener"), seed), Sound.BACKCHANNEL)) for seed in range(4))
    brisk = sum(len(said(hearer(persona_of("brisk"), seed), Sound.BACKCHANNEL)) for seed in range(4))
    assert talkative > 1.5 * brisk


def test_an_interrupter_interrupts_more() -> None:
    interrupter = sum(len(said(hearer(persona_of("interrupter"), seed), Sound.SPEECH)) for seed in range(4))
    hesitant = sum(len(said(hearer(persona_of("hesitant"), seed), Sound.SPEECH)) for seed in range(4))
    assert interrupter > 2 * hesitant


def test_who_is_not_let_in_gives_up_after_a_human_time() -> None:
    gave_up_ms = [
        stretch.end_ms - stretch.start_ms
        for seed in range(6)
        for stretch in said(hearer(persona_of("interrupter"), seed), Sound.SPEECH)
        if stretch.after is After.BREAK_OFF and stretch.end_ms is not None
    ]
    human = load_baseline().distributions[Quantity.YIELD_TIME]
    assert len(gave_up_ms) > 10
    assert human.percentile_ms(25) < np.median(gave_up_ms) < human.percentile_ms(90)


def monologue_of(persona: Persona, seed: int) -> list[Stretch]:
    """What a person says whom nobody answers."""
    clock = Clock()
    person = Person(clock, persona, Random(seed))
    person.open_conversation(100)
    run(clock, 20 * 60_000)
    assert person.turns_unanswered > 0
    return person.voice.past


def pauses_ms(stretches: list[Stretch]) -> list[int]:
    pairs = zip(stretches, stretches[1:], strict=False)
    return [b.start_ms - a.end_ms for a, b in pairs if a.after is After.GO_ON and a.end_ms is not None]


def test_the_hesitant_pause_longer_than_the_brisk() -> None:
    hesitant = np.median([ms for seed in range(4) for ms in pauses_ms(monologue_of(persona_of("hesitant"), seed))])
    brisk = np.median([ms for seed in range(4) for ms in pauses_ms(monologue_of(persona_of("brisk"), seed))])
    assert hesitant / brisk == pytest.approx(1.5 / 0.8, rel=0.15)


def test_who_is_not_answered_waits_and_speaks_again() -> None:
    stretches = monologue_of(QUIET, 1)
    waits = [b.start_ms - (a.end_ms or 0) for a, b in zip(stretches, stretches[1:], strict=False) if a.is_last]
    assert waits
    assert all(PATIENCE_MS[0] <= wait_ms <= PATIENCE_MS[1] for wait_ms in waits)


def test_a_corrector_goes_on_after_a_seeming_end() -> None:
    assert any(stretch.seems_final for stretch in monologue_of(persona_of("corrector"), 3))
    assert not any(stretch.seems_final for stretch in monologue_of(replace(EVERYDAY, corrections=0.0), 3))


def test_a_backchannel_of_the_other_is_no_turn() -> None:
    clock = Clock()
    person = Person(clock, QUIET, Random(1))
    voice = Voice(clock)
    voice.is_heard_by(person)
    voice.begin(Stretch(Sound.BACKCHANNEL, 0, 400))
    clock.at(400, lambda _: voice.end())
    run(clock, 60_000)
    assert person.voice.past == []


def test_an_answer_comes_around_the_end_that_was_heard_coming() -> None:
    answered_ms = []
    for seed in range(300):
        clock = Clock()
        person = Person(clock, QUIET, Random(seed))
        voice = Voice(clock)
        voice.is_heard_by(person)
        voice.begin(Stretch(Sound.SPEECH, 0, 3000))
        clock.at(3000, lambda _, voice=voice: voice.end())  # type: ignore[misc]  # bound now, on purpose
        run(clock, 8000)
        answered_ms.append(person.voice.past[0].start_ms - 3000)
    assert np.median(answered_ms) == pytest.approx(130, abs=60)
    assert 0.25 < np.mean(np.array(answered_ms) < 0) < 0.5


def test_whoever_is_broken_off_is_answered_later() -> None:
    clock = Clock()
    person = Person(clock, QUIET, Random(1))
    voice = Voice(clock)
    voice.is_heard_by(person)
    stretch = Stretch(Sound.SPEECH, 0, 5000, after=After.GO_ON)
    voice.begin(stretch)

    def break_off(_: int) -> None:
        stretch.after = After.BREAK_OFF
        voice.end()

    clock.at(2000, break_off)
    run(clock, 5500)
    assert person.stance in (Stance.SPEAKING, Stance.PAUSING, Stance.WAITING)
    assert person.voice.past[0].start_ms >= 3000


def test_whoever_is_interrupted_leaves_the_floor_as_often_as_people_do() -> None:
    gave_way = []
    for seed in range(600):
        clock = Clock()
        person = Person(clock, QUIET, Random(seed))
        other = Voice(clock)
        other.is_heard_by(person)
        person.open_conversation(100)
        clock.at(600, lambda _, other=other: other.begin(Stretch(Sound.SPEECH, 600, 9000)))  # type: ignore[misc]
        run(clock, 500)
        own = person.voice.past[0]
        if own.due_ms < 4000:
            continue
        run(clock, 4000)
        gave_way.append(own.after is After.BREAK_OFF)
    taken = load_baseline().shares.interruptions_that_took_the_floor
    assert len(gave_way) > 60
    assert np.mean(gave_way) == pytest.approx(taken, abs=0.12)


def test_who_finds_the_other_speaking_after_a_pause_leaves_the_floor_as_often_as_people_do() -> None:
    went_on = []
    for seed in range(900):
        clock = Clock()
        person = Person(clock, QUIET, Random(seed))
        other = Voice(clock)
        other.is_heard_by(person)
        person.open_conversation(100)
        run(clock, 20_000)
        first = person.voice.past[0]
        second = next((later for later in person.voice.past if later is not first), None)
        if first.after is not After.GO_ON or second is None or first.end_ms is None:
            continue
        if second.start_ms - first.end_ms < 500:
            continue
        went_on.append(_goes_on_over(seed, first.end_ms + 100, second.start_ms))
    taken = load_baseline().shares.interruptions_that_took_the_floor
    assert len(went_on) > 100
    assert np.mean(went_on) == pytest.approx(1 - taken, abs=0.12)


def _goes_on_over(seed: int, from_ms: int, resumes_ms: int) -> bool:
    """The same person again; now the other begins in the pause."""
    clock = Clock()
    person = Person(clock, QUIET, Random(seed))
    other = Voice(clock)
    other.is_heard_by(person)
    person.open_conversation(100)
    clock.at(from_ms, lambda _: other.begin(Stretch(Sound.SPEECH, from_ms, from_ms + 9000, after=After.GO_ON)))
    run(clock, resumes_ms + 1)
    return len(person.voice.past) == 2
