from pathlib import Path

import numpy as np

from speakback.evaluate.baseline import Quantity
from speakback.evaluate.control import shuffled_control, user_floors_ms
from speakback.evaluate.measures import measure
from tests.evaluate.build import ipu, talk
from tests.evaluate.human import human_timelines

RNG_SEED = 6


def test_delays_change_places_and_the_rest_moves_with_them() -> None:
    user = [ipu(0, 1000), ipu(4000, 5000), ipu(9000, 10_000)]
    timeline = talk(user, [ipu(1100, 2500), ipu(5400, 7500), ipu(10_900, 12_000)])
    shuffled = [shuffled_control([timeline], np.random.default_rng(seed))[0] for seed in range(20)]
    delays = {tuple(a.start_ms - u.end_ms for u, a in zip(new.user, new.agent, strict=True)) for new in shuffled}
    assert len(delays) > 3
    assert {tuple(sorted(found)) for found in delays} == {(100, 400, 900)}
    for new in shuffled:
        assert [u.start_ms - a.end_ms for u, a in zip(new.user[1:], new.agent, strict=False)] == [1500, 1500]
        assert [found.duration_ms for found in new.agent] == [1400, 2100, 1100]


def test_an_onset_within_the_users_turn_goes_anywhere_within_one() -> None:
    timeline = talk([ipu(0, 10_000), ipu(20_000, 30_000)], [ipu(9800, 10_200), ipu(12_000, 15_000)])
    shuffled = [shuffled_control([timeline], np.random.default_rng(seed))[0] for seed in range(60)]
    starts = [found.start_ms for new in shuffled for found in new.agent if found.duration_ms == 400]
    assert len(set(starts)) > 50
    assert all(0 <= start < 10_000 or 20_000 <= start < 30_000 for start in starts)
    assert 15 < sum(start < 10_000 for start in starts) < 45


def test_a_users_turn_ends_only_at_a_long_ipu_of_the_agent() -> None:
    timeline = talk(
        [ipu(0, 1000), ipu(2000, 3000), ipu(6000, 7000)], [ipu(1200, 1600), ipu(3500, 5000), ipu(8000, 9000)]
    )
    assert user_floors_ms(timeline) == [(0, 3000), (6000, 7000)]


def test_an_agent_that_is_never_early_times_its_answers_like_its_control() -> None:
    turns = range(0, 50_000, 5000)
    late = talk([ipu(start, start + 2000) for start in turns], [ipu(start + 2500, start + 4000) for start in turns])
    assert shuffled_control([late], np.random.default_rng(RNG_SEED)) == (late,)


def test_people_lose_their_timing(shared_data: Path) -> None:
    """The gaps stay; early starts are no longer at the end of the other's speech."""
    people = human_timelines(shared_data)
    before, after = measure(people), measure(shuffled_control(people, np.random.default_rng(RNG_SEED)))
    assert after.counts.interruptions > 2 * before.counts.interruptions
    assert after.samples[Quantity.IPU].size == before.samples[Quantity.IPU].size
    assert after.counts.user_speech_ms == before.counts.user_speech_ms
