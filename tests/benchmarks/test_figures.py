"""Figures and their goals."""

from io import StringIO

import pytest
from rich.console import Console

from benchmarks.conditions import conditions
from benchmarks.figures import Figure, Findings, median_figure, show, spread_figures
from benchmarks.word_errors import plain_words, word_errors


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("x", 899.9, "ms", 900.0), True),
        (Figure("x", 900.0, "ms", 900.0), False),
        (Figure("x", 95.0, "%", 95.0, at_least=True), True),
        (Figure("x", 94.9, "%", 95.0, at_least=True), False),
        (Figure("x", None, "ms", 900.0), None),
        (Figure("x", 1.0, "ms"), None),
    ],
)
def test_whether_a_goal_is_met(figure: Figure, met: bool | None) -> None:
    assert figure.met is met


def test_spreads() -> None:
    mean, median, p95 = spread_figures("TTFB", [100.0, None, 300.0], mean_goal=150.0, p95_goal=400.0)
    assert (mean.value, mean.met) == (200.0, False)
    assert (median.value, median.met) == (200.0, None)
    assert (p95.value, p95.met) == (290.0, True)
    assert median_figure("own", [None], 10.0).value is None


def test_the_table_says_under_what_conditions() -> None:
    console = Console(file=StringIO(), record=True, width=200)
    findings = Findings(
        "latency", "3 turns", (Figure("TTFB", 612.34, "ms", 900.0), Figure("WER", None, "%")), ("a note",)
    )
    show(console, findings, conditions())
    text = console.export_text()
    for part in (
        "latency: n = 3 turns",
        "612.3 ms",
        "below 900 ms",
        "not measured",
        "a note",
        "cores",
        "load",
        "python -m",
    ):
        assert part in text
    assert findings.to_json()["met"] == {"TTFB": True}


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("Hello, there!", "hello there", 0),
        ("one two three", "one three", 1),
        ("one two", "one two three", 1),
        ("one two", "one too", 1),
        ("", "one", 1),
    ],
)
def test_word_errors(said: str, heard: str, errors: int) -> None:
    assert word_errors(plain_words(said), plain_words(heard)) == errors
