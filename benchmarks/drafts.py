"""What drafts are worth: the same lines answered with `drafts.enabled` and without, one call each way in turn.

Both ways use one server, and which of them comes first changes from conversation to conversation, so that whatever
else the machine does meanwhile hits both. Lines are compared one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from benchmarks.calls import held, spoken_scripts
from benchmarks.figures import Figure, Findings, median_figure
from benchmarks.lines import CONVERSATIONS, polite
from speakback.caller.client_events import Wishes
from speakback.caller.record import timeline_of
from speakback.caller.script import SpokenLine
from speakback.caller.server_events import DraftsTold
from speakback.caller.server_process import ServerProcess, server_process
from speakback.caller.speech_intervals import find_speech
from speakback.caller.spread import spread
from speakback.caller.timeline import Timeline

STRATEGY = "overlap-aware"
GAIN_MS = 150.0
WASTED_PERCENT = 40.0
RESAMPLES = 5000
SEED = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """How long a line waited for its answer."""

    ttfb_ms: float
    wait_ms: float | None
    """Of it the endpointing's; None: not told."""

    @property
    def work_ms(self) -> float | None:
        """The rest: what was left to be done when the turn was held to be over."""
        return None if self.wait_ms is None else self.ttfb_ms - self.wait_ms


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much drafts lower the median, with the interval that holds 95 % of bootstraps over lines."""

    ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True)
class Call:
    """A conversation held one of the ways."""

    drafts: bool
    answers: tuple[Answer | None, ...]
    """Line by line; None: its end got no answer of its own."""
    book: DraftsTold | None
    """None: nothing was drafted."""
    slipped_ms: int
    errors: tuple[str, ...]


def answers(timeline: Timeline, stretches: Sequence[int]) -> tuple[Answer | None, ...]:
    """For each line the answer to its end; None where none came, or only what is before a pause in it was answered.

    `stretches`: into how many stretches of speech each line falls.
    """
    lasts = {total - 1: line for line, total in enumerate(accumulate(stretches))}
    found: list[Answer | None] = [None] * len(stretches)
    for turn in timeline.turns:
        if turn.user is None or turn.ttfb_ms is None:
            continue
        line = lasts.get(timeline.user_speech.index(turn.user))
        if line is not None:
            found[line] = Answer(turn.ttfb_ms, None if turn.server is None else turn.server.endpointing_wait_ms)
    return tuple(found)


def pairs(calls: Sequence[Call]) -> Iterator[tuple[Answer, Answer]]:
    """Each line that was answered both ways: with drafts, and without. Calls come in twos, one each way."""
    for one, other in zip(calls[::2], calls[1::2], strict=True):
        drafted, undrafted = (one, other) if one.drafts else (other, one)
        for with_draft, without in zip(drafted.answers, undrafted.answers, strict=True):
            if with_draft is not None and without is not None:
                yield with_draft, without


def gain(drafted_ms: Sequence[float], undrafted_ms: Sequence[float]) -> Gain | None:
    """The two belong together line by line; None where there is no line."""
    if not drafted_ms:
        return None
    both = np.stack((undrafted_ms, drafted_ms))
    lines = np.random.default_rng(SEED).integers(0, len(drafted_ms), (RESAMPLES, len(drafted_ms)))
    without, drafted = np.median(both[:, lines], axis=2)
    low, high = np.percentile(without - drafted, (2.5, 97.5))
    return Gain(float(np.median(undrafted_ms) - np.median(drafted_ms)), float(low), float(high))


def percent_wasted(wasted: Sequence[int], useful: Sequence[int]) -> float | None:
    """Of what was of use; None where nothing was."""
    return 100 * sum(wasted) / sum(useful) if sum(useful) else None


async def measure() -> Findings:
    """Hold each conversation both ways."""
    scripts = await spoken_scripts([polite(texts) for texts in CONVERSATIONS])
    async with server_process() as server:
        calls = [
            await _call(server, script, drafts)
            for number, script in enumerate(scripts)
            for drafts in ((True, False) if number % 2 == 0 else (False, True))
        ]
    return findings(calls)


async def _call(server: ServerProcess, script: Sequence[SpokenLine], drafts: bool) -> Call:
    record = await held(server, script, Wishes(("latency", "drafts"), STRATEGY, {"drafts.enabled": drafts}))
    timeline = timeline_of(record)
    stretches = [len(find_speech(line.audio_24k)) for line in script]
    return Call(drafts, answers(timeline, stretches), record.log.drafts, timeline.slipped_ms, timeline.errors)


def findings(calls: Sequence[Call]) -> Findings:
    """The table."""
    drafted, undrafted = [list(way) for way in zip(*pairs(calls), strict=True)] or ([], [])
    books = [call.book for call in calls if call.drafts and call.book is not None]
    slipped_ms = sum(call.slipped_ms for call in calls)
    tokens = percent_wasted([b.wasted_tokens for b in books], [b.useful_tokens for b in books])
    characters = percent_wasted([b.wasted_characters for b in books], [b.useful_characters for b in books])
    figures = (
        *_way_figures("with drafts", drafted),
        *_way_figures("without", undrafted),
        *_gain_figures("TTFB", [a.ttfb_ms for a in drafted], [a.ttfb_ms for a in undrafted], GAIN_MS),
        *_work_gain_figures(drafted, undrafted),
        Figure("drafts started", sum(book.started for book in books), ""),
        Figure("drafts promoted", sum(book.promoted for book in books), ""),
        Figure("tokens wasted, of those of use", tokens, "%", WASTED_PERCENT),
        Figure("characters of speech wasted, of those of use", characters, "%", WASTED_PERCENT),
    )
    notes = (
        "The endpointing wait is the silence that had to pass before the turn was held to be over; a draft lies in it.",
        "The gain is the difference of the medians; its interval holds 95 % of the differences when the lines are "
        f"drawn anew {RESAMPLES} times.",
        *(
            [f"the caller fell {slipped_ms} ms behind real time: the figures are not to be trusted"]
            if slipped_ms
            else []
        ),
        *(f"error from the server: {error}" for call in calls for error in call.errors),
    )
    lines = sum(len(call.answers) for call in calls if call.drafts)
    return Findings("drafts", f"{len(drafted)} of {lines} lines, answered both ways", figures, notes)


def _way_figures(way: str, lines: Sequence[Answer]) -> tuple[Figure, ...]:
    ttfb = spread(answer.ttfb_ms for answer in lines)
    return (
        Figure(f"TTFB {way}, median", None if ttfb is None else ttfb.median, "ms"),
        Figure(f"TTFB {way}, p95", None if ttfb is None else ttfb.p95, "ms"),
        median_figure(f"TTFB less the endpointing wait {way}", (answer.work_ms for answer in lines)),
    )


def _work_gain_figures(drafted: Sequence[Answer], undrafted: Sequence[Answer]) -> tuple[Figure, ...]:
    told = [
        (with_draft.work_ms, without.work_ms)
        for with_draft, without in zip(drafted, undrafted, strict=True)
        if with_draft.work_ms is not None and without.work_ms is not None
    ]
    return _gain_figures("TTFB less the wait", [pair[0] for pair in told], [pair[1] for pair in told], None)


def _gain_figures(
    what: str, drafted_ms: Sequence[float], undrafted_ms: Sequence[float], goal_ms: float | None
) -> tuple[Figure, ...]:
    found = gain(drafted_ms, undrafted_ms)
    return (
        Figure(f"{what} lower by, median", None if found is None else found.ms, "ms", goal_ms, at_least=True),
        Figure("– 95 % interval from", None if found is None else found.low_ms, "ms"),
        Figure("– to", None if found is None else found.high_ms, "ms"),
    )
