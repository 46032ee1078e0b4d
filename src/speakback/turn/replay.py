"""A recorded session's turn-taking, run again: by the same strategy to check it, or by another to compare. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from speakback.turn.actions import Action, ReportVerdict
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.events import Event
from speakback.turn.trace_format import FIRST_STEP_LINE, RecordedTrace, Step


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay left the record."""

    line: int
    """Of the step in the trace."""
    expected: Step
    got: Step


@dataclass(frozen=True, slots=True)
class Moment:
    """What two strategies did at the same time."""

    line: int
    """Of the recorded step that came at this time or next."""
    now_ms: int
    event: Event | TurnConfig | None
    """What happened; None: a deadline of either passed."""
    recorded: tuple[Action, ...]
    other: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two strategies made of the same events."""

    first: Moment | None
    """The first at which they did not do the same."""
    recorded: Counter[str]
    """How often each did what, in the words of `what`."""
    other: Counter[str]


def what(action: Action) -> str:
    """The kind of an action, as it is counted: its name, and of a verdict which one it is."""
    name = type(action).__name__
    return f"{name} {action.verdict.value}" if isinstance(action, ReportVerdict) else name


def first_difference(trace: RecordedTrace) -> Difference | None:
    """Call a fresh core exactly as the recorded one was called; where its actions or its deadline first differ."""
    core = TurnCore(trace.header.strategy, learned_pauses_ms=trace.header.learned_pauses_ms)
    for line, step in enumerate(trace.steps, start=FIRST_STEP_LINE):
        actions = _call(core, step)
        got = Step(step.now_ms, step.event, actions, core.next_deadline())
        if got != step:
            return Difference(line, step, got)
    return None


def compare(trace: RecordedTrace, config: TurnConfig) -> Comparison:
    """Give the recorded events to a core under `config`, which is ticked at its own deadlines.

    A configuration that the client set meanwhile is passed over: `config` holds throughout. What follows the first
    difference is no longer what would have happened: the user heard the recorded agent, not this one.
    """
    first: Moment | None = None
    recorded: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for moment in _moments(trace, TurnCore(config, learned_pauses_ms=trace.header.learned_pauses_ms)):
        recorded.update(map(what, moment.recorded))
        other.update(map(what, moment.other))
        if first is None and moment.recorded != moment.other:
            first = moment
    return Comparison(first, recorded, other)


def _moments(trace: RecordedTrace, core: TurnCore) -> Iterator[Moment]:
    """All that either core did, side by side, in order of time.

    In life a timer is a little late. So a deadline that both cores wait for passes for both when it did in life;
    one of this core alone passes on the millisecond.
    """
    now_ms, recorded_due_ms = 0, None
    for line, step in enumerate(trace.steps, start=FIRST_STEP_LINE):
        while (due_ms := core.next_deadline()) is not None and due_ms <= step.now_ms and due_ms != recorded_due_ms:
            now_ms = max(now_ms, due_ms)
            yield Moment(line, now_ms, None, (), tuple(core.tick(now_ms)))
        now_ms = step.now_ms
        if isinstance(step.event, TurnConfig) or (step.event is None and core.next_deadline() != recorded_due_ms):
            actions: tuple[Action, ...] = ()
        else:
            actions = _call(core, step)
        yield Moment(line, now_ms, step.event, step.actions, actions)
        recorded_due_ms = step.due_ms


def _call(core: TurnCore, step: Step) -> tuple[Action, ...]:
    if step.event is None:
        return tuple(core.tick(step.now_ms))
    if isinstance(step.event, TurnConfig):
        return tuple(core.configure(step.event, step.now_ms))
    return tuple(core.handle(step.event, step.now_ms))
