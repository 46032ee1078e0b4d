"""The numbers of a strategy's endpointing that a person would move, and how far. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from speakback.turn.strategies import Value, strategy


@dataclass(frozen=True, slots=True)
class Slider:
    """One number. `session.update` takes it from a wider range than this one, which is what can be told apart."""

    path: str
    """The dotted name by which it is overridden."""
    label: str
    least: float
    most: float
    step: float
    value: float
    """Where it stands if nobody moves it."""
    unit: str
    """Empty for a share."""


@dataclass(frozen=True, slots=True)
class _Span:
    label: str
    least: float
    most: float
    step: float
    finest: float
    """The step where the configured value lies between two of the others."""
    unit: str = "ms"


_SPANS: Mapping[str, _Span] = {
    "endpointing.wait_ms": _Span("Silence that ends your turn", 200, 2000, 50, 1),
    "endpointing.sure_ms": _Span("Silence after what sounds finished", 100, 1500, 20, 1),
    "endpointing.doubtful_ms": _Span("Silence after what sounds unfinished", 200, 4000, 50, 1),
    "endpointing.confidence": _Span("How sure it must be that you are done", 0.5, 0.95, 0.01, 0.001, unit=""),
    "endpointing.least_ms": _Span("Shortest wait", 100, 1000, 20, 1),
    "endpointing.most_ms": _Span("Longest wait", 500, 8000, 100, 1),
}


def sliders(name: str, overrides: Mapping[str, Value]) -> tuple[Slider, ...]:
    """Those of the strategy of that name under these overrides. Raises `UnknownStrategy`."""
    config = strategy(name, overrides)
    paths = [path for path in _SPANS if hasattr(config.endpointing, path.partition(".")[2])]
    return tuple(_slider(path, float(attrgetter(path)(config))) for path in paths)


def written(value: float) -> str:
    """As a form has it: a whole number without a point."""
    return str(int(value)) if value == int(value) else repr(value)


def _slider(path: str, value: float) -> Slider:
    span = _SPANS[path]
    least, most = min(span.least, value), max(span.most, value)
    steps = (value - least) / span.step
    # A browser moves a value between two steps to one of them, and would change what nobody touched.
    step = span.step if abs(steps - round(steps)) < 1e-6 else span.finest
    return Slider(path, span.label, least, most, step, value, span.unit)
