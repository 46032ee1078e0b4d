import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, Reference, load_baseline
from speakback.evaluate.distance import jensen_shannon_bits, wasserstein_ln, wasserstein_ms

SMALL = Reference(np.array([0.0, 10.0, 20.0]), np.array([5.0, 15.0]), np.array([0.25, 0.5, 0.25]))


def test_equal_samples_are_no_distance_apart() -> None:
    assert wasserstein_ms(np.array([20, 0, 10]), SMALL) == 0


def test_a_shift_is_its_own_distance() -> None:
    assert wasserstein_ms(np.array([7, 17, 27]), SMALL) == pytest.approx(7)


def test_samples_of_another_size() -> None:
    assert wasserstein_ms(np.array([0, 20]), SMALL) == pytest.approx(10 / 6 + 10 / 6)


def test_against_the_area_between_distribution_functions() -> None:
    reference = load_baseline().distributions[Quantity.FTO_TURN].reference
    assert reference is not None
    sample = np.random.default_rng(2).normal(300, 500, 160).round()
    line = np.arange(-4000.0, 6000.0)
    own = np.searchsorted(np.sort(sample), line, side="right") / sample.size
    human = np.searchsorted(reference.quantiles_ms, line, side="right") / reference.quantiles_ms.size
    assert wasserstein_ms(sample, reference) == pytest.approx(np.abs(own - human).sum(), rel=1e-6)


def test_many_samples_at_once() -> None:
    many = np.array([[0, 10, 20], [7, 17, 27]])
    assert wasserstein_ms(many, SMALL).tolist() == pytest.approx([0, 7])
    assert jensen_shannon_bits(many, SMALL).tolist() == [float(jensen_shannon_bits(row, SMALL)) for row in many]


def test_logarithms_measure_ratios_and_stop_at_10_ms() -> None:
    reference = Reference(np.array([100.0, 1000.0]), SMALL.bin_edges_ms, SMALL.bin_share)
    assert wasserstein_ln(np.array([200, 2000]), reference) == pytest.approx(np.log(2))
    assert wasserstein_ln(np.array([0, 1000]), reference) == pytest.approx(np.log(10) / 2)


def test_jensen_shannon_by_hand() -> None:
    p, q = np.array([3.5, 0.5, 0.5]) / 4.5, SMALL.bin_share
    m = (p + q) / 2
    expected = float(np.sum(p * np.log2(p / m)) + np.sum(q * np.log2(q / m))) / 2
    assert jensen_shannon_bits(np.array([0, 1, 2]), SMALL) == pytest.approx(expected)


def test_a_value_on_an_edge_belongs_to_the_upper_bin() -> None:
    assert jensen_shannon_bits(np.array([5, 5]), SMALL) == jensen_shannon_bits(np.array([6, 7]), SMALL)
