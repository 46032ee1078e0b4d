"""From what the core remembers of an open turn to the verdicts of its policies; a policy that fails is answered for.

A policy may be anyone's code, and the conversation must go on: where it raises, or gives an answer that is none,
`report` is told so and a fallback that is safe stands in.
"""

from collections.abc import Callable
from operator import index
from typing import NamedTuple, TypeAlias

from speakback.turn.barge_in import LET_BE, Overlap, OverlapEvidence, Verdict
from speakback.turn.drafts import DraftBook, Drafts
from speakback.turn.endpointing import Endpointing, PauseEvidence
from speakback.turn.records import OpenTurnRecord, OverlapRecord

Report: TypeAlias = Callable[[str], None]
FALLBACK_SILENCE_MS = 700
"""The silence that ends a turn when the endpointing policy itself fails."""
FALLBACK_FINAL_MS = 900
"""When speech over the agent counts as an interruption, if the policy itself fails."""


class Judgement(NamedTuple):
    """What is to be done about speech over the agent, until more is known."""

    verdict: Verdict
    ducks: bool
    is_conclusive: bool
    """Whether nothing more is to be learnt of it: a turn that is let be may be forgotten."""
    next_look_ms: int | None
    """When time alone may change it, in the clock of `now_ms`."""


def silence_needed_ms(policy: Endpointing, turn: OpenTurnRecord, own_pauses_ms: tuple[int, ...], report: Report) -> int:
    """The silence that ends this turn, as things stand."""
    evidence = PauseEvidence(
        turn.probability, turn.end_ms - turn.onset_ms, turn.unfinished, turn.is_read, own_pauses_ms
    )
    try:
        wait_ms = index(policy.silence_ms(evidence))
        if wait_ms < 0:
            raise ValueError(f"a silence of {wait_ms} ms")
        return wait_ms
    except Exception as problem:
        report(_failure(policy, problem))
        return FALLBACK_SILENCE_MS


def draft_allowed(policy: Drafts, book: DraftBook, probability: float, drafted: int, report: Report) -> bool:
    """Whether another draft may be begun."""
    try:
        return bool(policy.allows(book, probability, drafted))
    except Exception as problem:
        report(_failure(policy, problem))
        return False


def judge_overlap(
    policy: Overlap, turn: OpenTurnRecord, overlap: OverlapRecord, *, is_voiced: bool, now_ms: int, report: Report
) -> Judgement:
    """What the speech over the agent is, as things stand."""
    evidence = OverlapEvidence(
        since_onset_ms=now_ms - overlap.onset_ms,
        voiced_ms=(now_ms if is_voiced else turn.end_ms) - overlap.onset_ms,
        is_voiced=is_voiced,
        words=overlap.words,
        is_read=turn.is_read,
        end_of_turn=turn.probability,
        echo=overlap.echo,
        reply_age_ms=overlap.reply_age_ms,
    )
    try:
        return _judged(policy, evidence, overlap.onset_ms)
    except Exception as problem:
        report(_failure(policy, problem))
        is_final = evidence.since_onset_ms >= FALLBACK_FINAL_MS
        verdict = Verdict.INTERRUPTION if is_final else Verdict.OPEN
        return Judgement(verdict, False, is_final, None if is_final else overlap.onset_ms + FALLBACK_FINAL_MS)


def _judged(policy: Overlap, evidence: OverlapEvidence, onset_ms: int) -> Judgement:
    verdict = policy.verdict(evidence)
    if not isinstance(verdict, Verdict):
        raise TypeError(f"a verdict of {verdict!r}")
    is_final = evidence.since_onset_ms >= policy.last_ms
    if is_final and verdict in (Verdict.OPEN, Verdict.HOLD):
        verdict = Verdict.INTERRUPTION  # nobody is kept waiting: what is undecided by now is a bid for the floor
    looks = [policy.next_look_ms(evidence), policy.last_ms]
    if evidence.is_voiced:
        looks.append(policy.duck_ms)
    ahead = [look for look in looks if look is not None and look > evidence.since_onset_ms]
    next_look_ms = onset_ms + index(min(ahead)) if ahead else None
    ducks = verdict not in LET_BE and policy.ducks(evidence)
    return Judgement(verdict, ducks, policy.is_conclusive(evidence), next_look_ms)


def _failure(policy: object, problem: Exception) -> str:
    return f"{type(policy).__name__} failed ({type(problem).__name__}: {problem})"
