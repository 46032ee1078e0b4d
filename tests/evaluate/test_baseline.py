import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, RateName, load_baseline

BASELINE = load_baseline()


@pytest.mark.parametrize("quantity", Quantity)
def test_every_distribution_ascends(quantity: Quantity) -> None:
    distribution = BASELINE.distributions[quantity]
    assert distribution.percentiles_ms.size == 99
    assert np.all(np.diff(distribution.percentiles_ms) >= 0)
    if distribution.reference:
        assert np.all(np.diff(distribution.reference.quantiles_ms) >= 0)
        assert distribution.reference.bin_share.size == distribution.reference.bin_edges_ms.size + 1
        assert distribution.reference.bin_share.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", RateName)
def test_every_rate_has_its_percentiles(name: RateName) -> None:
    percentiles = BASELINE.rates[name].percentiles
    assert list(percentiles) == [1, 5, 10, 25, 50, 75, 90, 95, 99]
    assert list(percentiles.values()) == sorted(percentiles.values())


def test_known_figures() -> None:
    turn = BASELINE.distributions[Quantity.FTO_TURN]
    assert [turn.percentile_ms(p) for p in (5, 50, 95)] == [-720, 130, 1080]
    calibration = turn.calibration(160)
    assert calibration is not None
    assert (calibration.w1_ms.p50, calibration.jsd_bits.p95) == (84.86, 0.03298)
    assert turn.calibration(161) is None
    assert BASELINE.shares.interruptions_that_took_the_floor == 0.4713
    assert "1992" in BASELINE.citation


def test_silences_end_in_shifts_as_they_do() -> None:
    shares = {row.silence_ms: row.shift_share for row in BASELINE.hold_shift}
    assert shares[700] == pytest.approx(0.1705, abs=1e-4)


def test_drawing_from_a_distribution() -> None:
    pause = BASELINE.distributions[Quantity.PAUSE]
    assert pause.at(np.array([0.5])).tolist() == [pause.percentile_ms(50)]
    assert pause.at(np.array([0.0, 1.0])).tolist() == [pause.percentile_ms(1), pause.percentile_ms(99)]


@pytest.mark.parametrize("percent", [0, 100])
def test_there_is_no_such_percentile(percent: int) -> None:
    with pytest.raises(ValueError, match=str(percent)):
        BASELINE.distributions[Quantity.FTO].percentile_ms(percent)


def test_it_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        BASELINE.distributions[Quantity.FTO].percentiles_ms[0] = 1
