"""Many conversations, measured: and what was planted shows."""

import json
from dataclasses import replace
from functools import cache

import pytest

from speakback.lab.draws import log_normal
from speakback.lab.figures import StrategyFigures, figures_of
from speakback.lab.latencies import HOSTED
from speakback.lab.simulate import Setting, simulate
from speakback.turn.config import TurnConfig
from speakback.turn.endpointing import FixedEndpointing
from speakback.turn.strategies import strategy

SETTING = Setting(hours=1.5, seed=5, auc=0.88, latencies=HOSTED)


@cache
def figures(name: str) -> StrategyFigures:
    return figures_of(name, simulate(strategy(name), SETTING), 1)


def value(found: StrategyFigures, name: str) -> float:
    figure = found.figures[name]
    assert figure.value is not None, name
    return figure.value


def planted(config: TurnConfig, setting: Setting = SETTING) -> StrategyFigures:
    return figures_of("planted", simulate(config, setting), 1)


def test_figures_are_reproducible() -> None:
    again = figures_of("half-duplex", simulate(strategy("half-duplex"), SETTING), 1)
    assert again.figures == figures("half-duplex").figures
    assert again.counts == figures("half-duplex").counts


def test_figures_have_intervals_around_them() -> None:
    found = figures("overlap-aware").figures
    for name in ("composite", "FTO between turns, p50 ms", "collisions, per min", "interruptions yielded to"):
        figure = found[name]
        assert figure.value is not None
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high


def test_figures_are_json() -> None:
    form = json.loads(json.dumps(figures("half-duplex").to_json()))
    assert form["strategy"] == "half-duplex"
    assert form["figures"]["collisions, per min"]["human"] == pytest.approx(0.951)


def test_the_ladder_of_strategies_stands() -> None:
    assert value(figures("overlap-aware"), "composite") > value(figures("half-duplex"), "composite")
    assert value(figures("overlap-aware"), "composite") > value(figures("rapid-duplex"), "composite")


@pytest.mark.timeout(60)  # some seconds of computing, on a machine that may be busy
def test_overlap_aware_is_near_its_goals() -> None:
    """The goals themselves (98 % yielded, 5 % stopped) take ten hours and many seeds to tell; this is a net below."""
    excess = "collisions beyond people's, per min"
    assert value(figures("overlap-aware"), excess) < value(figures("half-duplex"), excess) / 2
    assert value(figures("overlap-aware"), "composite") > 6
    assert value(figures("overlap-aware"), "interruptions yielded to") > 0.85
    assert value(figures("overlap-aware"), "backchannels that stopped it") < 0.1
    assert value(figures("overlap-aware"), "draft tokens wasted, of useful") < 0.4
    assert value(figures("overlap-aware"), "draft characters wasted, of useful") < 0.4


def test_planted_slow_providers_show_in_the_timing() -> None:
    slow = replace(SETTING, latencies=replace(HOSTED, first_token=log_normal(1250, 1500)))
    found = planted(strategy("half-duplex"), slow)
    late_ms = value(found, "FTO between turns, p75 ms") - value(figures("half-duplex"), "FTO between turns, p75 ms")
    assert late_ms == pytest.approx(1000, abs=250)


def test_a_planted_haste_shows_in_cut_ins_and_collisions() -> None:
    hasty = planted(replace(strategy("half-duplex"), endpointing=FixedEndpointing(150)))
    name = "collisions that the agent began, per min"
    calm = planted(replace(strategy("half-duplex"), endpointing=FixedEndpointing(1500)))
    assert value(hasty, name) > 2 * value(calm, name)


def test_a_planted_deafness_to_meaning_shows_in_stopped_replies() -> None:
    deaf = planted(strategy("overlap-aware", {"barge_in": "immediate"}))
    name = "backchannels that stopped it"
    assert value(deaf, name) > 0.7
    assert value(figures("overlap-aware"), name) < 0.3


def test_a_planted_stubbornness_shows_in_yielding() -> None:
    stubborn = planted(strategy("overlap-aware", {"barge_in": "never"}))
    assert value(stubborn, "interruptions yielded to") == 0
    assert value(stubborn, "T3 interruptions") == 0


def test_planted_waste_shows_in_the_drafts() -> None:
    wasteful = strategy(
        "overlap-aware",
        {"drafts.least_probability": 0.0, "drafts.wasted_share": 1000.0, "drafts.most_per_turn": 1000},
    )
    name = "draft tokens wasted, of useful"
    assert value(planted(wasteful), name) > 1.5 * value(figures("overlap-aware"), name)


def test_worse_ears_make_worse_timing() -> None:
    dull = planted(strategy("overlap-aware"), replace(SETTING, auc=0.6))
    assert value(dull, "FTO between turns, p50 ms") > value(figures("overlap-aware"), "FTO between turns, p50 ms")


def test_it_says_how_fast_it_was() -> None:
    assert figures("half-duplex").times_real_time > 0
