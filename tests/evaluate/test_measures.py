from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, RateName, load_baseline
from speakback.evaluate.control import shuffled_control
from speakback.evaluate.measures import WITH_AGENT_PAUSES, agent_turns_ms, measure, measure_one, pool
from tests.evaluate.build import B, ipu, talk
from tests.evaluate.human import human_timelines

TALK = talk(
    [ipu(0, 2000), ipu(6000, 9000), ipu(20_000, 20_400, B)],
    [ipu(1000, 1300, B), ipu(1800, 4000), ipu(8000, 8900), ipu(10_000, 12_000), ipu(19_000, 22_000)],
)


def test_turns_last_until_the_other_side_begins_one() -> None:
    assert agent_turns_ms(TALK).tolist() == [2200, 14_000]


def test_counts_of_a_conversation() -> None:
    counts = measure_one(TALK).counts
    assert (counts.terminal_overlaps, counts.interruptions, counts.simultaneous_starts) == (1, 1, 0)
    assert (counts.collisions, counts.collisions_by_agent) == (1, 1)
    assert (counts.user_speech_ms, counts.agent_speech_ms) == (5400, 8400)
    assert (counts.backchannels, counts.backchannels_placed) == (1, 0)


def test_rates_and_shares() -> None:
    measures = measure_one(TALK)
    assert measures.per_minute(3) == 3
    assert measures.talk_share_pct == pytest.approx(100 * 8400 / 13_800)
    assert measures.backchannels_per_min_of_user_speech == pytest.approx(60_000 / 5400)


def test_silence_has_no_shares() -> None:
    silent = measure_one(talk([], []))
    assert silent.talk_share_pct is None
    assert silent.backchannels_per_min_of_user_speech is None


def test_pooling_adds_up() -> None:
    once, twice = measure_one(TALK), measure([TALK, TALK])
    assert twice.conversations == 2
    assert twice.counts.duration_ms == 120_000
    assert twice.counts.lone_openers == 2 * once.counts.lone_openers
    assert twice.samples.keys() == once.samples.keys()
    assert twice.samples[Quantity.TURN].tolist() == once.samples[Quantity.TURN].tolist() * 2


def test_nothing_cannot_be_pooled() -> None:
    with pytest.raises(ValueError, match="no conversation"):
        pool([])


def test_people_measure_as_the_baseline_says(shared_data: Path) -> None:
    """The same definitions on conversations that are not in the reference: figures within their spread."""
    baseline, measures = load_baseline(), measure(human_timelines(shared_data))
    counts = measures.counts
    for count, name in (
        (counts.cut_ins, RateName.CUT_INS_BY_SIDE),
        (counts.collisions_by_agent, RateName.COLLISIONS_BY_SIDE),
        (counts.collisions, RateName.COLLISIONS),
        (counts.interruptions, RateName.INTERRUPTIONS_BY_SIDE),
        (2 * counts.terminal_overlaps, RateName.TERMINAL_OVERLAPS),
        (2 * counts.simultaneous_starts, RateName.SIMULTANEOUS_STARTS),
    ):
        assert measures.per_minute(count) == pytest.approx(baseline.rates[name].pooled, rel=0.2), name
    for quantity, values in measures.samples.items():
        human = baseline.distributions[quantity]
        if values.size > 500:
            assert np.mean(values) == pytest.approx(human.mean_ms, rel=0.1, abs=60), quantity
            per_hour = values.size / counts.duration_ms * 3_600_000
            if quantity in (Quantity.FTO, Quantity.FTO_TURN, Quantity.PAUSE, Quantity.IPU, Quantity.TURN):
                assert per_hour == pytest.approx(human.n / 259.12 / 2, rel=0.1), quantity


def test_of_an_agent_whose_pauses_are_not_known_nothing_that_depends_on_them_is_measured() -> None:
    known = talk([ipu(0, 1000), ipu(2000, 6000)], [ipu(1200, 3000), ipu(3500, 5000), ipu(5900, 7000)])
    unknown = replace(known, agent_pauses_known=False)
    assert [measure_one(known).samples[quantity].size for quantity in WITH_AGENT_PAUSES] == [0, 3, 1, 1, 1, 3]
    assert [measure_one(unknown).samples[quantity].size for quantity in WITH_AGENT_PAUSES] == [0] * 6
    assert measure_one(unknown).samples[Quantity.TURN].tolist() == measure_one(known).samples[Quantity.TURN].tolist()
    assert (measure_one(known).counts.user_interruptions, measure_one(unknown).counts.user_interruptions) == (1, 0)
    assert all(not control.agent_pauses_known for control in shuffled_control([unknown], np.random.default_rng(1)))
