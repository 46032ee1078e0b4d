"""The figures of conversations of which more or less is known; of simulated ones see `tests/lab/test_simulate.py`."""

from collections.abc import Sequence

import numpy as np
import pytest

from speakback.evaluate.conduct import Service
from speakback.evaluate.figures import Findings, findings
from speakback.evaluate.timeline import Ipu, Timeline
from tests.evaluate.build import GOOD, TRACED, ipu, talk

MEANT = ("interruptions yielded to", "yield time, median ms", "backchannels that stopped it")
SERVED = ("turns missed", "draft tokens wasted, of useful", "draft characters wasted, of useful")


def small_talk(turns: int) -> Timeline:
    """Each side says something in turn, and each of them now and then speaks over the other."""
    rng = np.random.default_rng(turns)
    user: list[Ipu] = []
    agent: list[Ipu] = []
    now_ms = 0
    for _ in range(turns):
        for side in (user, agent):
            start_ms = max(now_ms + int(rng.integers(-300, 800)), side[-1].end_ms + 200 if side else 0)
            side.append(ipu(start_ms, start_ms + int(rng.integers(1000, 3000))))
            now_ms = side[-1].end_ms
    return talk(user, agent, now_ms)


TALKS = tuple(small_talk(turns) for turns in (60, 70, 80))


def of(*conducts: Service | None) -> Findings:
    return findings(TALKS, conducts, callers=5, seed=1)


def has(found: Findings, names: Sequence[str]) -> list[bool]:
    return [found.figures[name].value is not None for name in names]


def test_intervals_alone_have_no_figures_of_what_was_meant_or_served() -> None:
    found = of(None, None, None)
    assert not any(has(found, MEANT + SERVED))
    assert found.counts.keys() >= {"interruptions", "interruptions that took the floor"}
    assert "drafts" not in found.counts
    assert found.figures["composite"].value is not None
    assert any("T3 is from intervals" in note for note in found.notes)


def test_what_servers_recorded_is_pooled_over_those_that_did() -> None:
    found = of(TRACED, None, TRACED)
    assert has(found, MEANT) == [False] * 3
    assert found.figures["turns missed"].value == 0.25
    assert (found.counts["turns committed"], found.counts["drafts"]) == (24, 16)
    assert any("capped: 25% of the user's turns" in note for note in found.notes)


def test_what_was_meant_counts_only_where_it_is_known_of_all() -> None:
    assert all(has(of(GOOD, GOOD, GOOD), MEANT + SERVED))
    assert has(of(GOOD, GOOD, None), MEANT + SERVED) == [False] * 3 + [True] * 3


def test_the_figures_of_all_sources_have_the_same_names_in_the_same_order() -> None:
    assert [*of(None, None, None).figures] == [*of(GOOD, GOOD, GOOD).figures]


def test_no_conversation_is_refused() -> None:
    with pytest.raises(ValueError, match="no conversation"):
        findings([], [], callers=0, seed=1)
