"""What is said of a run of contracts, in words: before it, after it, and for the documentation. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from speakback.emulators.contracts.contract import FREE, Contract, Cost, Verdict
from speakback.emulators.contracts.course import Result, Side
from speakback.emulators.contracts.targets import Target


def announced(target: Target, contracts: Sequence[Contract]) -> str:
    """Before anything is sent: where it goes, and what that costs."""
    if target.live is None:
        where = "runs against the emulator; nothing about the real service will be learnt"
        return f"{target.why}: {where}."
    cost: Cost = sum((one.cost for one in contracts if one.service == target.service), FREE)
    return f"{target.label}: runs against {target.live.base_url}; it is billed for about {cost}."


def concluded(target: Target, results: Sequence[Result]) -> str:
    """After everything."""
    own = [one for one in results if one.contract.service == target.service]
    side = Side.EMULATOR if target.live is None else Side.LIVE
    counts = Counter(one.outcomes[side].verdict for one in own)
    summary = ", ".join(f"{counts[verdict]} {_plural(verdict, counts[verdict])}" for verdict in Verdict)
    if target.live is None:
        where = "ran against the emulator; nothing about the real service was learnt"
        return f"{target.why}: {where}. Of the emulator's contracts, {summary}."
    differing = sum(len(one.differences) for one in own)
    return (
        f"{target.label}: ran against {target.live.base_url}: of its contracts, {summary}. "
        f"Differences from the emulator: {differing}."
    )


def _plural(verdict: Verdict, count: int) -> str:
    words = {Verdict.HOLDS: "hold", Verdict.BROKEN: "do not hold", Verdict.NOT_RUN: "were not run"}
    one = {Verdict.HOLDS: "holds", Verdict.BROKEN: "does not hold", Verdict.NOT_RUN: "was not run"}
    return (one if count == 1 else words)[verdict]


def outcome_of(result: Result) -> str:
    """One line; of the emulator, too, where it does not hold there although it was asked for comparison only."""
    emulator, live = result.outcomes[Side.EMULATOR], result.outcomes.get(Side.LIVE)
    if live is None:
        return str(emulator)
    return f"{live}; emulator: {emulator}" if emulator.verdict is Verdict.BROKEN else str(live)


def verified(targets: Sequence[Target], results: Sequence[Result], day: date) -> str:
    """What is verified against the real services, and what is not, as a table of Markdown."""
    labels = {target.service: target.label for target in targets}
    rows = [
        f"| {labels[one.contract.service]} | `{one.contract.name}` | {one.contract.says} | {_standing(one, day)} |"
        for one in results
    ]
    return "\n".join(["| service | contract | it says | verified live |", "| --- | --- | --- | --- |", *rows])


def _standing(result: Result, day: date) -> str:
    outcome = result.outcomes.get(Side.LIVE)
    if outcome is None or outcome.verdict is Verdict.NOT_RUN:
        return "not yet"
    count = len(result.differences)
    return f"{day.isoformat()}: {outcome}; differences from the emulator: {count or 'none'}"
