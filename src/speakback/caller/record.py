"""From what a caller noted during a call to the call's timeline. Pure."""

from dataclasses import dataclass, field

import numpy as np

from speakback.audio.pcm import Samples
from speakback.caller.call_log import CallLog, ReplyRecord
from speakback.caller.loudspeaker import Stretch
from speakback.caller.outages import LostLine, outage_of
from speakback.caller.pacing import FRAME_MS
from speakback.caller.speech_intervals import find_speech
from speakback.caller.timeline import AgentReply, Interval, Timeline, Turn, UserSpeech
from speakback.timebase import VOICE_HZ, ms_to_samples

AUDIBLE_DBFS = -50.0
"""A stretch of `_AUDIBLE_WINDOW_MS` at this level or above can be heard."""
_AUDIBLE_WINDOW_MS = 5


@dataclass(frozen=True, slots=True)
class SentFrame:
    """20 ms of the microphone: when its first sample was spoken, and when it was handed to the socket."""

    spoken_ms: float
    handed_ms: float
    audio_24k: Samples = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """All that a caller noted. Its `repr` is short: `asyncio.run` makes one of what its task returns."""

    frames: tuple[SentFrame, ...] = field(repr=False)
    spoken: tuple[Interval, ...]
    """Where the user speaks, by position in `frames`."""
    stretches: tuple[Stretch, ...] = field(repr=False)
    """Agent audio as it was played."""
    log: CallLog = field(repr=False)
    slipped_ms: float
    lost_lines: tuple[LostLine, ...] = ()


def timeline_of(record: CallRecord) -> Timeline:
    """What the call was."""
    user_speech = tuple(_user_speech(interval, record.frames) for interval in record.spoken)
    ends = [frame.spoken_ms + FRAME_MS for frame in record.frames[-1:]]
    ends += [stretch.end_samples * 1000 / VOICE_HZ for stretch in record.stretches[-1:]]
    return Timeline(
        duration_ms=round(max(ends, default=0)),
        user_speech=user_speech,
        user_turns=record.log.user_turns,
        turns=_turns(record, user_speech),
        events=tuple(record.log.events),
        errors=tuple(record.log.errors),
        slipped_ms=round(record.slipped_ms),
        correlation_id=record.log.correlation_id,
        outages=tuple(outage_of(lost, record.stretches) for lost in record.lost_lines),
    )


def handed_ms(position_ms: float, frames: tuple[SentFrame, ...]) -> float:
    """When the sample at that position of the microphone was handed to the socket."""
    return frames[min(int(position_ms // FRAME_MS), len(frames) - 1)].handed_ms


def _user_speech(interval: Interval, frames: tuple[SentFrame, ...]) -> UserSpeech:
    last_ms = interval.end_ms - 1
    return UserSpeech(
        spoken=Interval(_spoken_ms(interval.start_ms, frames), _spoken_ms(last_ms, frames) + 1),
        first_handed_ms=handed_ms(interval.start_ms, frames),
        last_handed_ms=handed_ms(last_ms, frames),
    )


def _spoken_ms(position_ms: int, frames: tuple[SentFrame, ...]) -> int:
    frame = min(position_ms // FRAME_MS, len(frames) - 1)
    return round(frames[frame].spoken_ms) + position_ms - frame * FRAME_MS


def _turns(record: CallRecord, user_speech: tuple[UserSpeech, ...]) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    answered = 0
    heard = {turn.item_id: turn for turn in record.log.user_turns}
    for reply in record.log.replies.values():
        over = 0 if reply.first_byte_ms is None else _count_over(user_speech, reply.first_byte_ms)
        # Speech that an earlier reply answered is not answered again: that would be no latency.
        user = user_speech[over - 1] if over > answered else None
        answered = max(answered, over)
        agent = _agent_reply(reply, record.stretches)
        item_id = None if reply.latency is None else reply.latency.item_id
        turns.append(
            Turn(
                reply=agent,
                heard=None if item_id is None else heard.get(item_id),
                user=user,
                ttfb_ms=_since(user, agent.first_byte_ms),
                ttfa_ms=_since(user, agent.first_audible_ms),
                server=reply.latency,
            )
        )
    return tuple(turns)


def _count_over(user_speech: tuple[UserSpeech, ...], at_ms: float) -> int:
    return sum(speech.last_handed_ms <= at_ms for speech in user_speech)


def _since(user: UserSpeech | None, at_ms: float | None) -> float | None:
    return None if user is None or at_ms is None else at_ms - user.last_handed_ms


def _agent_reply(reply: ReplyRecord, stretches: tuple[Stretch, ...]) -> AgentReply:
    own = [stretch for stretch in stretches if stretch.item_id == reply.item_id]
    audio = np.concatenate([stretch.audio_24k for stretch in own]) if own else np.zeros(0, np.float32)
    audible = _first_audible(audio)
    return AgentReply(
        response_id=reply.response_id,
        item_id=reply.item_id,
        text=reply.text,
        status=reply.status,
        reason=reply.reason,
        first_byte_ms=reply.first_byte_ms,
        last_byte_ms=reply.last_byte_ms,
        first_audible_ms=None if audible is None else _played_at_ms(audible, own),
        played_ms=len(audio) * 1000 // VOICE_HZ,
        speech=tuple(
            Interval(
                round(_played_at_ms(ms_to_samples(interval.start_ms, VOICE_HZ), own)),
                round(_played_at_ms(ms_to_samples(interval.end_ms, VOICE_HZ) - 1, own)),
            )
            for interval in find_speech(audio)
        ),
    )


def _first_audible(audio: Samples) -> int | None:
    window = ms_to_samples(_AUDIBLE_WINDOW_MS, VOICE_HZ)
    whole = audio[: len(audio) // window * window].reshape(-1, window).astype(np.float64)
    audible = np.flatnonzero(np.mean(whole**2, axis=1) >= 10 ** (AUDIBLE_DBFS / 10))
    return int(audible[0]) * window if len(audible) else None


def _played_at_ms(sample: int, stretches: list[Stretch]) -> float:
    """When sample `sample` of an item was played."""
    for stretch in stretches:
        if sample < len(stretch.audio_24k):
            return (stretch.start_samples + sample) * 1000 / VOICE_HZ
        sample -= len(stretch.audio_24k)
    return stretches[-1].end_samples * 1000 / VOICE_HZ
