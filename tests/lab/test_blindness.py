"""A policy sees no intention: what the core is told depends on what was audible, not on what a speaker means to do."""

import ast
from pathlib import Path
from random import Random

import numpy as np

import speakback.lab
from speakback.lab.evidence import Evidence
from speakback.lab.latencies import HOSTED
from speakback.lab.personas import EVERYDAY
from speakback.lab.voice import After, Sound, Stretch
from speakback.lab.world import World
from speakback.turn.events import EndOfTurnScored, Event
from speakback.turn.strategies import strategy

LAB = Path(speakback.lab.__file__).parent
TELLERS = {"hearing.py", "agent.py"}
"""The only modules whose events reach the core."""


def test_only_the_hearing_and_the_agent_make_events() -> None:
    makers = set()
    for path in LAB.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "speakback.turn.events":
                names = {alias.name for alias in node.names} - {"Event"}
                makers |= {path.name} if names else set()
    assert makers == TELLERS


def test_people_know_nothing_of_the_core() -> None:
    for name in ("people.py", "impulses.py", "turn_plans.py", "personas.py"):
        for node in ast.walk(ast.parse((LAB / name).read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and node.module is not None
                and node.module.startswith("speakback.turn")
            ):
                assert node.module == "speakback.turn.words"


def test_with_blind_models_an_end_and_a_hold_look_alike() -> None:
    evidence = Evidence(0.5, Random(1))
    found = {
        after: {evidence.end_of_turn(Stretch(Sound.SPEECH, 0, 1000, after=after), 0.0).probability for _ in range(50)}
        for after in After
    }
    assert len({tuple(sorted(values)) for values in found.values()}) == 1


def test_better_models_are_all_that_tells_them_apart() -> None:
    def spread(auc: float) -> float:
        scores: list[float] = []

        def note(_: int, event: Event | None, __: object) -> None:
            if isinstance(event, EndOfTurnScored):
                scores.append(event.probability)

        World(strategy("half-duplex"), EVERYDAY, HOSTED, auc=auc, seed="blind", watcher=note).run(300_000)
        return float(np.std(scores))

    assert spread(0.5) < 0.001
    assert spread(0.7) < spread(0.95)
