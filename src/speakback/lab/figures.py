"""Everything that is told of a strategy: the figures of its simulated conversations, and how fast they were held."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from speakback.evaluate.figures import Figure, findings
from speakback.lab.simulate import Simulated


@dataclass(frozen=True, slots=True)
class StrategyFigures:
    """One strategy, measured. Keys are in the order in which they are to be read."""

    strategy: str
    figures: Mapping[str, Figure]
    counts: Mapping[str, int]
    """How many events of each kind there were."""
    times_real_time: float
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """As JSON values."""
        return asdict(self)


def figures_of(strategy: str, simulated: Simulated, seed: int) -> StrategyFigures:
    """Score and measure them."""
    personas = {call.persona for call in simulated.calls}
    found = findings([call.timeline for call in simulated.calls], simulated.conducts, len(personas), seed)
    return StrategyFigures(strategy, found.figures, found.counts, simulated.times_real_time, found.notes)
