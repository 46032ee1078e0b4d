"""From the records of conversations to the counts that the scores use."""

from collections.abc import Iterable

from speakback.evaluate.conduct import Conduct
from speakback.lab.records import CallRecord, Encounter

YIELDS_WITHIN_MS = 500
STAYS_SILENT_MS = 1000
"""An agent that gave way is silent from `YIELDS_WITHIN_MS` on, to the end of the user's stretch and at least for so
long after its onset."""
STOPPED_WITHIN_MS = 2500
"""What becomes of a reply so soon after a backchannel is laid to it, unless the user spoke in between."""
LONGEST_HOLD_MS = 1000


def conduct_of(call: CallRecord) -> Conduct:
    """The counts of one conversation."""
    replies = [reply for reply in call.replies if reply.audible_ms is not None]
    promoted = [draft for draft in call.drafts if draft.promoted]
    wasted = [draft for draft in call.drafts if draft.promoted is False]
    return Conduct(
        callers=1,
        replies=len(replies),
        replies_truncated=sum(reply.stopped_ms is not None for reply in replies),
        backchannels_heard=len(call.backchannels),
        backchannels_that_stopped=sum(stopped(call, met) for met in call.backchannels),
        interruptions=len(call.interruptions),
        interruptions_yielded=sum(yielded(call, met) for met in call.interruptions),
        yield_times_ms=tuple(_yield_times_ms(call)),
        turns_committed=call.turns_said,
        turns_missed=call.turns_unanswered,
        drafts_started=len(call.drafts),
        drafts_promoted=len(promoted),
        wasted_tokens=sum(draft.tokens for draft in wasted),
        useful_tokens=sum(draft.tokens for draft in promoted),
        wasted_chars=sum(draft.characters for draft in wasted),
        useful_chars=sum(draft.characters for draft in promoted),
    )


def yielded(call: CallRecord, met: Encounter) -> bool:
    """Whether the agent was silent within 500 ms of the onset and stayed so."""
    onset_ms = met.user.start_ms
    until_ms = max(_end_ms(call, met), onset_ms + STAYS_SILENT_MS)
    return not any(
        stretch.start_ms < until_ms and (stretch.end_ms is None or stretch.end_ms > onset_ms + YIELDS_WITHIN_MS)
        for stretch in call.agent_stretches
    )


def stopped(call: CallRecord, met: Encounter) -> bool:
    """Whether a backchannel truncated the reply or silenced it for over 1 s."""
    onset_ms = met.user.start_ms
    until_ms = onset_ms + STOPPED_WITHIN_MS
    for stretch in call.speech:
        if stretch.end_ms is None or stretch.end_ms > onset_ms:
            until_ms = min(until_ms, max(stretch.start_ms, onset_ms))
            break
    if met.reply.stopped_ms is not None and onset_ms < met.reply.stopped_ms <= until_ms:
        return True
    return any(
        onset_ms < held_ms <= until_ms and _held_for_ms(call, held_ms, resumed_ms) > LONGEST_HOLD_MS
        for held_ms, resumed_ms in met.reply.holds
    )


def _held_for_ms(call: CallRecord, held_ms: int, resumed_ms: int | None) -> int:
    return (call.timeline.duration_ms if resumed_ms is None else resumed_ms) - held_ms


def _yield_times_ms(call: CallRecord) -> Iterable[int]:
    """For each interruption that the agent gave way to while the user spoke: until it fell silent."""
    for met in call.interruptions:
        onset_ms, end_ms = met.user.start_ms, _end_ms(call, met)
        stops_ms = [held_ms for held_ms, resumed_ms in met.reply.holds if resumed_ms is None or resumed_ms >= end_ms]
        if met.reply.stopped_ms is not None:
            stops_ms.append(met.reply.stopped_ms)
        given_ms = min((at_ms for at_ms in stops_ms if onset_ms <= at_ms <= end_ms), default=None)
        if given_ms is not None:
            yield max(_silent_from_ms(call, given_ms), onset_ms) - onset_ms


def _silent_from_ms(call: CallRecord, given_ms: int) -> int:
    """When the agent was silent that gave way at this time: what was in flight is played first."""
    for stretch in call.agent_stretches:
        if stretch.start_ms <= given_ms and (stretch.end_ms is None or stretch.end_ms > given_ms):
            return call.timeline.duration_ms if stretch.end_ms is None else stretch.end_ms
    return given_ms


def _end_ms(call: CallRecord, met: Encounter) -> int:
    return call.timeline.duration_ms if met.user.end_ms is None else met.user.end_ms
