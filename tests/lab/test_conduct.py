"""What counts as giving way, and as being stopped."""

import pytest

from speakback.evaluate.conduct import pooled
from speakback.evaluate.timeline import Timeline
from speakback.lab.conduct import conduct_of, stopped, yielded
from speakback.lab.records import CallRecord, Encounter, ReplyRecord
from speakback.lab.voice import After, Sound, Stretch
from speakback.timebase import ReplyId

ONSET_MS = 10_000


def stretch(start_ms: int, end_ms: int, sound: Sound = Sound.SPEECH, after: After = After.END) -> Stretch:
    return Stretch(sound, start_ms, end_ms, after=after, end_ms=end_ms)


def call(
    *,
    user_ms: tuple[int, int],
    agent_ms: list[tuple[int, int]],
    sound: Sound = Sound.SPEECH,
    reply: ReplyRecord | None = None,
    speech_ms: list[tuple[int, int]] | None = None,
) -> CallRecord:
    """A call with one encounter."""
    reply = reply or ReplyRecord(ReplyId(1), 8_000)
    agent = tuple(stretch(start_ms, end_ms) for start_ms, end_ms in agent_ms)
    met = Encounter(stretch(*user_ms, sound), agent[0], reply)
    is_backchannel = sound is Sound.BACKCHANNEL
    said = [met.user] if not is_backchannel else []
    return CallRecord(
        persona="someone",
        timeline=Timeline(60_000, user=(), agent=()),
        agent_stretches=agent,
        interruptions=() if is_backchannel else (met,),
        backchannels=(met,) if is_backchannel else (),
        speech=(*said, *(stretch(start_ms, end_ms) for start_ms, end_ms in speech_ms or [])),
        replies=(reply,),
        drafts=(),
        turns_said=1,
        turns_unanswered=0,
        committed=1,
        dropped=0,
        faults={},
    )


@pytest.mark.parametrize(
    ("agent_ms", "user_ms", "expected"),
    [
        ([(8_000, 10_400)], (10_000, 12_000), True),
        ([(8_000, 10_500)], (10_000, 12_000), True),
        ([(8_000, 10_501)], (10_000, 12_000), False),
        ([(8_000, 10_300), (11_500, 13_000)], (10_000, 12_000), False),
        ([(8_000, 10_300), (12_000, 13_000)], (10_000, 12_000), True),
        ([(8_000, 10_300), (10_900, 13_000)], (10_000, 10_400), False),
        ([(8_000, 10_300), (11_000, 13_000)], (10_000, 10_400), True),
    ],
)
def test_giving_way_is_silence_within_half_a_second_that_lasts(
    agent_ms: list[tuple[int, int]], user_ms: tuple[int, int], expected: bool
) -> None:
    record = call(user_ms=user_ms, agent_ms=agent_ms)
    assert yielded(record, record.interruptions[0]) is expected


@pytest.mark.parametrize(
    ("reply", "speech_ms", "expected"),
    [
        (ReplyRecord(ReplyId(1), 8_000, finished=True), [], False),
        (ReplyRecord(ReplyId(1), 8_000, stopped_ms=10_600), [], True),
        (ReplyRecord(ReplyId(1), 8_000, stopped_ms=13_000), [], False),
        (ReplyRecord(ReplyId(1), 8_000, stopped_ms=11_500), [(11_000, 12_000)], False),
        (ReplyRecord(ReplyId(1), 8_000, holds=[(10_350, 11_000)]), [], False),
        (ReplyRecord(ReplyId(1), 8_000, holds=[(10_350, 11_400)]), [], True),
        (ReplyRecord(ReplyId(1), 8_000, holds=[(10_350, None)]), [], True),
        (ReplyRecord(ReplyId(1), 8_000, holds=[(9_000, 11_000)]), [], False),
    ],
)
def test_a_backchannel_stops_a_reply_that_is_cut_or_silent_for_a_second(
    reply: ReplyRecord, speech_ms: list[tuple[int, int]], expected: bool
) -> None:
    record = call(
        user_ms=(ONSET_MS, ONSET_MS + 400),
        agent_ms=[(8_000, 20_000)],
        sound=Sound.BACKCHANNEL,
        reply=reply,
        speech_ms=speech_ms,
    )
    assert stopped(record, record.backchannels[0]) is expected


def test_yield_times_are_of_those_it_gave_way_to() -> None:
    gave_way = call(
        user_ms=(10_000, 12_000), agent_ms=[(8_000, 10_420)], reply=ReplyRecord(ReplyId(1), 8_000, stopped_ms=10_380)
    )
    late = call(
        user_ms=(10_000, 12_000), agent_ms=[(8_000, 11_040)], reply=ReplyRecord(ReplyId(1), 8_000, stopped_ms=11_000)
    )
    ended = call(
        user_ms=(10_000, 12_000), agent_ms=[(8_000, 10_700)], reply=ReplyRecord(ReplyId(1), 8_000, finished=True)
    )
    assert [conduct_of(record).yield_times_ms for record in (gave_way, late, ended)] == [(420,), (1040,), ()]


def test_counts_of_several_calls_add_up() -> None:
    record = call(user_ms=(10_000, 12_000), agent_ms=[(8_000, 10_400)])
    conduct = pooled([conduct_of(record), conduct_of(record)], callers=2)
    assert (conduct.callers, conduct.interruptions, conduct.interruptions_yielded) == (2, 2, 2)
    assert conduct.wasted_tokens == 0
