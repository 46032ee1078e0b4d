"""From the trace of a session to the conversation's timeline: who spoke when, as its server saw it. Pure.

The user's IPUs are the edges of the server's own VAD, dated back to the first and last voiced sample. The agent sounds
from a reply's first audio to its end, its stop or its hold, and again from where it is resumed.

What a trace cannot tell, and is therefore not in the timeline:

- Pauses of the agent within a reply: each stretch of a reply is one IPU, and `agent_pauses_known` is False, by which
  nothing that depends on them is measured. A user who speaks in such a pause is seen to speak over the agent.
- What the user said while the server did not hear, and whether it heard aright. What it dropped as noise, as its own
  echo or as without words is taken to be no speech; what it dropped as a backchannel is one. Short words into silence
  ("mm-hm" while nobody speaks) it held to be turns, and so they are speech here.
- What was meant as an interruption: only what the server took for one, and that it always gives way to. There is no
  `Conduct` for it.
- Dialogue acts; when the client played what it was sent (the network, and at most 80 ms that are sent ahead); how the
  voice went on to the end of a word when it was held, or faded out; how long the line stayed open after the last event.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speakback.evaluate.timeline import Ipu, Kind, Timeline, TimelineError, joined
from speakback.timebase import ReplyId, TurnId
from speakback.turn import actions as act
from speakback.turn.events import ReplyAudible, ReplyFinished, SpeechStarted
from speakback.turn.trace_format import Step

_NO_SPEECH = frozenset({act.DropReason.NOISE, act.DropReason.ECHO, act.DropReason.NO_WORDS})


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Sound of one side; of the user's, in which turn."""

    start_ms: int
    end_ms: int
    turn_id: TurnId | None = None


def timeline_of(steps: Sequence[Step]) -> Timeline:
    """The conversation from the session's start to its last step. Raises `TimelineError` where nothing happened."""
    duration_ms = max((step.now_ms for step in steps), default=0)
    if duration_ms <= 0:
        raise TimelineError("nothing happened in this session")
    dropped = {action.turn_id: action.reason for action in _actions(steps) if isinstance(action, act.DropTurn)}
    user = [
        Ipu(start_ms, end_ms, _kind(dropped.get(turn_id) if turn_id else None))
        for start_ms, end_ms, turn_id in _within(_user_stretches(steps, duration_ms), duration_ms)
        if turn_id is None or dropped.get(turn_id) not in _NO_SPEECH
    ]
    agent = [
        Ipu(start_ms, end_ms) for start_ms, end_ms, _ in _within(_agent_stretches(steps, duration_ms), duration_ms)
    ]
    return Timeline(duration_ms, user=joined(user), agent=joined(agent), agent_pauses_known=False)


def turns_not_heard(steps: Sequence[Step]) -> int:
    """User turns that a client ended itself, without the server's VAD: when they were spoken is not in the trace."""
    opened = {action.turn_id for action in _actions(steps) if isinstance(action, act.OpenTurn)}
    committed = {action.turn_id for action in _actions(steps) if isinstance(action, act.CommitTurn)}
    return len(committed - opened)


def _actions(steps: Sequence[Step]) -> Iterator[act.Action]:
    return (action for step in steps for action in step.actions)


def _kind(dropped: act.DropReason | None) -> Kind:
    return Kind.BACKCHANNEL if dropped is act.DropReason.BACKCHANNEL else Kind.SPEECH


def _within(stretches: Iterator[_Stretch], duration_ms: int) -> Iterator[tuple[int, int, TurnId | None]]:
    """Speech may have begun before the session's clock did; what does not last is no sound."""
    for stretch in stretches:
        start_ms, end_ms = max(stretch.start_ms, 0), min(stretch.end_ms, duration_ms)
        if start_ms < end_ms:
            yield start_ms, end_ms, stretch.turn_id


def _user_stretches(steps: Sequence[Step], until_ms: int) -> Iterator[_Stretch]:
    """Read from the actions: what the core refused, such as an edge out of order, is no edge."""
    since: tuple[int, TurnId] | None = None
    for step in steps:
        for action in step.actions:
            ended_ms: int | None = None
            match action:
                case act.OpenTurn(turn_id, onset_ms):
                    since = onset_ms, turn_id
                case act.ContinueTurn(turn_id) if isinstance(step.event, SpeechStarted):
                    since = step.event.onset_ms, turn_id
                case act.ExaminePause(end_ms=end_ms) | act.CommitTurn(end_ms=end_ms):
                    ended_ms = end_ms
                case act.DropTurn(turn_id) if since is not None and since[1] == turn_id:
                    ended_ms = step.now_ms
            if ended_ms is not None and since is not None:
                yield _Stretch(since[0], ended_ms, since[1])
                since = None
    if since is not None:
        yield _Stretch(since[0], until_ms, since[1])


def _agent_stretches(steps: Sequence[Step], until_ms: int) -> Iterator[_Stretch]:
    """Late events of a reply that is over are passed over, as the core does."""
    reply_id: ReplyId | None = None
    since_ms: int | None = None
    for step in steps:
        ends = isinstance(step.event, ReplyFinished) and step.event.reply_id == reply_id
        if isinstance(step.event, ReplyAudible) and step.event.reply_id == reply_id:
            since_ms = step.now_ms
        for action in step.actions:
            if isinstance(action, act.HoldReply | act.StopReply):
                ends = True
            elif isinstance(action, act.ResumeReply):
                since_ms = step.now_ms
        if ends and since_ms is not None:
            yield _Stretch(since_ms, step.now_ms)
            since_ms = None
        for action in step.actions:
            if isinstance(action, act.StartReply | act.Apologise | act.Reprompt | act.SayGoodbye):
                reply_id = action.reply_id
    if since_ms is not None:
        yield _Stretch(since_ms, until_ms)
