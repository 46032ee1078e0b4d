"""How much faster than real time conversations are simulated: core and world, on one core, without scoring."""

from statistics import median

from benchmarks.figures import Figure, Findings
from speakback.lab.latencies import HOSTED
from speakback.lab.simulate import Setting, simulate
from speakback.turn.strategies import STRATEGIES, strategy

HOURS = 3.0
ROUNDS = 5
GOAL = 20_000.0


async def measure() -> Findings:
    """Each strategy, several times. The first hour is not counted: tables are made in it."""
    setting = Setting(hours=HOURS, seed=1, auc=0.88, latencies=HOSTED)
    simulate(strategy("half-duplex"), Setting(hours=1.0, seed=1, auc=0.88, latencies=HOSTED))
    figures = []
    for name in STRATEGIES:
        speeds = [simulate(strategy(name), setting).times_real_time for _ in range(ROUNDS)]
        figures.append(Figure(f"{name}, median", median(speeds), "× real time", GOAL, at_least=True))
        figures.append(Figure(f"{name}, best", max(speeds), "× real time", GOAL, at_least=True))
    return Findings("simulation", f"{ROUNDS} times {HOURS:g} h", tuple(figures), ("Time is that of the processor.",))
