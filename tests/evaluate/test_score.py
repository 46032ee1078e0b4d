"""The scorer as a whole, above all on people: what it says of them, and of what is done to their timing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, load_baseline
from speakback.evaluate.composite import Parts, score_parts
from speakback.evaluate.conduct import Conduct
from speakback.evaluate.distribution_score import Sampling
from speakback.evaluate.measures import Measures, measure_one, pool
from speakback.evaluate.outcome import Outcome, Score, TooFewEvents
from speakback.evaluate.parts import Basis
from speakback.evaluate.score import Scorecard, score_conversations
from speakback.evaluate.timeline import Timeline
from tests.evaluate.build import GOOD, ipu, talk
from tests.evaluate.human import human_timelines
from tests.evaluate.perturb import answer_at, answer_later, chatter, enter_earlier, take_pauses
from tests.evaluate.robots import silence_robot

POOLS = 40


def value(outcome: Outcome) -> float:
    assert isinstance(outcome, Score)
    return outcome.value


def scored(measures: Measures, conduct: Conduct | None = None) -> Parts:
    return score_parts(measures, conduct, Sampling(np.random.default_rng(1), 50))


def parts_of(timelines: Sequence[Timeline], conduct: Conduct | None = None) -> Parts:
    return scored(pool([measure_one(timeline) for timeline in timelines]), conduct)


@cache
def singles(people: tuple[Timeline, ...]) -> tuple[Measures, ...]:
    return tuple(measure_one(timeline) for timeline in people)


def draw_pools(people: Sequence[Measures], transitions: int) -> list[list[int]]:
    """Random sides, until each pool has so many transitions between turns."""
    rng, pools = np.random.default_rng(8), []
    for _ in range(POOLS):
        chosen: list[int] = []
        events = 0
        for index in rng.permutation(len(people)).tolist():
            chosen.append(index)
            events += people[index].samples[Quantity.FTO_TURN].size
            if events >= transitions:
                break
        pools.append(chosen)
    return pools


def test_people_score_nine_and_more_in_pools_of_160_transitions(shared_data: Path) -> None:
    people = singles(human_timelines(shared_data))
    found = [scored(pool([people[index] for index in chosen])) for chosen in draw_pools(people, 160)]
    assert all(parts.response_timing.basis is Basis.POOLED for parts in found)
    timing = [value(parts.response_timing.outcome) for parts in found]
    floor = [parts.floor_respect.outcome.value for parts in found]
    listening = [value(parts.backchannelling.outcome) for parts in found]
    rhythm = [value(parts.rhythm.outcome) for parts in found]
    composite = [value(parts.composite) for parts in found]
    for scores in (timing, floor, listening, rhythm, composite):
        assert np.median(scores) >= 9
    assert np.percentile(composite, 5) >= 8.5
    yielding = [parts.interruption_handling.outcome for parts in found]
    assert np.median([outcome.value for outcome in yielding if isinstance(outcome, Score)]) >= 8.5


@pytest.fixture(scope="module")
def people_card(shared_data: Path) -> Scorecard:
    return score_conversations(human_timelines(shared_data), None, np.random.default_rng(1))


def test_all_the_people_together(people_card: Scorecard) -> None:
    card = people_card
    assert card.parts.response_timing.basis is Basis.CONDITIONAL
    assert value(card.parts.composite) > 9.5
    assert card.parts.gates == ()
    parts = card.parts
    t1, t2, t5 = parts.response_timing.outcome, parts.floor_respect.outcome, parts.rhythm.outcome
    without_t3 = (2.5 * value(t1) + 2.0 * value(t2) + 1.0 * value(t5)) / 5.5
    assert value(parts.composite) == pytest.approx(without_t3)
    interval = card.intervals.composite
    assert interval is not None
    assert 9 < interval.low < value(card.parts.composite) <= interval.high <= 10
    assert card.overlap_onsets is not None
    assert card.overlap_onsets.jsd_bits < 0.01
    openers = card.lone_openers
    assert openers.placed_share is not None
    assert openers.chance_share is not None
    assert openers.placed_share > 2 * openers.chance_share


def test_people_at_shuffled_times_collapse(people_card: Scorecard) -> None:
    assert value(people_card.control.response_timing) < 6
    assert people_card.control.above is not None
    assert people_card.control.above > 1.5


@pytest.mark.parametrize(("silence_ms", "speech_ms"), [(200, 2000), (200, 600), (300, 500), (700, 2000), (700, 4000)])
def test_an_agent_that_answers_each_silence_is_no_person(shared_data: Path, silence_ms: int, speech_ms: int) -> None:
    """The second and third are the canned "mm-hm, yeah"."""
    robots = [silence_robot(timeline, silence_ms, speech_ms) for timeline in human_timelines(shared_data)]
    parts = parts_of(robots)
    assert value(parts.ungated) < 5
    assert value(parts.composite) <= 4


def test_a_canned_agent_that_takes_no_turn_has_no_score(shared_data: Path) -> None:
    people = human_timelines(shared_data)
    parts = parts_of([chatter(replace(timeline, agent=()), 3000) for timeline in people])
    assert parts.composite == TooFewEvents(0, 160)


def test_a_constant_answer_that_never_gives_way_is_no_person(shared_data: Path) -> None:
    """It knows each turn's end and has human rhythm: only T1 and T3 see what is wrong with it."""
    robot = [answer_at(timeline, 200) for timeline in human_timelines(shared_data)]
    parts = parts_of(robot, replace(GOOD, interruptions_yielded=0, yield_times_ms=()))
    assert value(parts.response_timing.outcome) < 3
    assert value(parts.ungated) < 5


def test_every_delay_costs(shared_data: Path) -> None:
    people = human_timelines(shared_data)[:80]
    found = [parts_of([answer_later(timeline, ms) for timeline in people]) for ms in range(0, 1001, 200)]
    for scores in ([value(p.composite) for p in found], [value(p.response_timing.outcome) for p in found]):
        assert scores == sorted(scores, reverse=True)
        assert scores[0] - scores[-1] > 3


def composite(parts: Parts) -> float:
    return value(parts.composite)


def listening(parts: Parts) -> float:
    return value(parts.backchannelling.outcome)


def _take_pauses(timeline: Timeline) -> Timeline:
    return take_pauses(timeline, np.random.default_rng(timeline.duration_ms), 0.25)


@pytest.mark.parametrize(
    ("perturbed", "judged"),
    [
        (lambda timeline: answer_later(timeline, 300), composite),
        (lambda timeline: enter_earlier(timeline, 500), composite),
        (_take_pauses, composite),
        (lambda timeline: chatter(timeline, 3000), listening),
    ],
    ids=["late response", "early entry", "holds become shifts", "excess backchannels"],
)
def test_bad_timing_scores_lower_in_95_of_100_pairs(
    shared_data: Path, perturbed: Callable[[Timeline], Timeline], judged: Callable[[Parts], float]
) -> None:
    """Pools of 320 transitions, since early entry leaves fewer."""
    people = human_timelines(shared_data)
    right, wrong = singles(people), [measure_one(perturbed(timeline)) for timeline in people]
    fallen = [
        judged(scored(pool([wrong[index] for index in chosen])))
        < judged(scored(pool([right[index] for index in chosen])))
        for chosen in draw_pools(right, 320)
    ]
    assert np.mean(fallen) >= 0.95


def small_talk(turns: int) -> Timeline:
    """Turns of 2 s on both sides, the agent after a human delay."""
    rng = np.random.default_rng(turns)
    gaps = np.abs(load_baseline().distributions[Quantity.GAP].at(rng.random(2 * turns))).astype(int).tolist()
    user, agent, now_ms = [], [], 0
    for number in range(turns):
        user.append(ipu(now_ms, now_ms + 2000))
        now_ms += 2000 + gaps[2 * number]
        agent.append(ipu(now_ms, now_ms + 2000))
        now_ms += 2000 + gaps[2 * number + 1]
    return talk(user, agent, now_ms)


def card_of(conduct: Conduct | None, seed: int = 1) -> Scorecard:
    talks = [small_talk(turns) for turns in (60, 70, 80, 90)]
    return score_conversations(talks, conduct, np.random.default_rng(seed))


def test_interruptions_count_where_the_conduct_is_known() -> None:
    good, bad = card_of(GOOD), card_of(replace(GOOD, interruptions_yielded=0, yield_times_ms=()))
    difference = value(good.parts.composite) - value(bad.parts.composite)
    assert difference == pytest.approx(value(good.parts.interruption_handling.outcome) * 1.5 / 7, abs=0.05)
    assert value(card_of(None).parts.composite) > value(bad.parts.composite)


def test_gates_cap_the_composite_and_nothing_else() -> None:
    card = card_of(replace(GOOD, turns_missed=100))
    assert value(card.parts.composite) == 4
    assert value(card.parts.ungated) > 4
    assert card.intervals.composite is not None
    assert card.intervals.composite.high == 4


def test_what_is_not_scored_is_said() -> None:
    notes = " ".join(card_of(None).notes)
    for said in ("strangers", "fto_turn", "T3 is from intervals", "overlap, too few events: 0 of 160"):
        assert said in notes


def test_too_few_transitions_have_no_composite_and_no_interval() -> None:
    card = score_conversations([small_talk(50), small_talk(50)], GOOD, np.random.default_rng(1))
    assert card.parts.composite == TooFewEvents(100, 160)
    assert card.intervals.composite is None
    assert card.intervals.floor_respect is not None
    assert card.control.above is None


def test_one_conversation_has_no_interval() -> None:
    card = score_conversations([small_talk(200)], GOOD, np.random.default_rng(1))
    assert value(card.parts.composite) > 0
    assert card.intervals.composite is None


def test_the_seed_decides_everything() -> None:
    first, again, other = card_of(GOOD, 1), card_of(GOOD, 1), card_of(GOOD, 2)
    assert (first.parts, first.intervals, first.control) == (again.parts, again.intervals, again.control)
    assert first.intervals != other.intervals
    assert value(first.parts.composite) == pytest.approx(value(other.parts.composite), abs=0.3)


def test_no_conversation_is_refused() -> None:
    with pytest.raises(ValueError, match="no conversation"):
        score_conversations([], None, np.random.default_rng(1))
