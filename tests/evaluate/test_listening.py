import pytest

from speakback.evaluate.baseline import load_baseline
from speakback.evaluate.listening import backchannel_placement, human_placed_share, lone_opener_placement, lone_openers
from tests.evaluate.build import B, ipu, talk


def test_backchannels_in_place() -> None:
    agent = [ipu(1000, 1300, B), ipu(2700, 2900, B), ipu(3500, 3700, B), ipu(6300, 6600, B)]
    placed = backchannel_placement(talk([ipu(0, 2000), ipu(4000, 6000)], agent, 10_000))
    assert (placed.total, placed.placed) == (4, 2)


def test_chance_is_the_share_of_time_in_place() -> None:
    placed = backchannel_placement(talk([ipu(0, 2000)], [ipu(5000, 10_000)], 10_000))
    assert placed.window_ms == pytest.approx(700, abs=10)
    assert placed.open_ms == pytest.approx(5000, abs=10)


def test_people_put_half_of_theirs_there() -> None:
    assert human_placed_share(load_baseline()) == pytest.approx(0.487, abs=0.001)


def test_lone_openers() -> None:
    agent = [ipu(0, 500), ipu(1400, 1900), ipu(3000, 3999), ipu(5000, 6000), ipu(8000, 8400, B)]
    assert lone_openers(agent) == [agent[2], agent[4]]


def test_lone_openers_near_the_place_of_a_backchannel() -> None:
    openers = [ipu(500, 800, B), ipu(2100, 2400), ipu(4000, 4200)]
    placed = lone_opener_placement(talk([ipu(0, 2000)], openers, 10_000), load_baseline())
    assert (placed.total, placed.placed) == (3, 1)
    assert placed.window_ms == pytest.approx(1000, abs=20)
    assert placed.open_ms == pytest.approx(10_000, abs=20)
