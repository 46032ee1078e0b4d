from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.audio.resample import DELAY_MS
from speakback.session.ears import (
    MAX_UNCOMMITTED_MS,
    MAX_WAITING_MS,
    QUIET_FRAMES_TOGETHER,
    QUIET_MESSAGE_RMS,
    QUIET_RMS,
    Ears,
    HeardEdge,
    InputOverrun,
    Wanted,
)
from speakback.session.echo import EchoGuard
from speakback.session.settings import Hearing
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms
from speakback.vad.hysteresis import FRAME_SAMPLES, VadConfig, VoiceStarted, VoiceStopped

FRAME_MS = samples_to_ms(FRAME_SAMPLES, EAR_HZ)
HEARING = Hearing(vad=VadConfig(min_speech_ms=2 * FRAME_MS, min_silence_ms=3 * FRAME_MS), preroll_ms=100)


@dataclass
class HeldStream:
    """Keeps its frames until the test gives their scores."""

    on_score: Callable[[float], None]
    frames: list[Samples] = field(default_factory=list)
    closed: bool = False

    def push(self, frame_16k: Samples) -> None:
        self.frames.append(frame_16k)

    def close(self) -> None:
        self.closed = True

    def give(self, *scores: float) -> None:
        for score in scores:
            if not self.closed:
                self.on_score(score)


@dataclass
class HeldVad:
    """A `VadScorer` of `HeldStream`s."""

    streams: list[HeldStream] = field(default_factory=list)

    def open_stream(self, on_score: Callable[[float], None]) -> HeldStream:
        self.streams.append(HeldStream(on_score))
        return self.streams[-1]

    async def aclose(self) -> None:
        pass


class Heard:
    """Ears, and what they told."""

    def __init__(self) -> None:
        self.vad = HeldVad()
        self.edges: list[HeardEdge] = []
        self.silences: list[int] = []
        self.ears = Ears(self.vad, HEARING, EchoGuard(), on_edge=self.edges.append, on_frame=self.silences.append)

    @property
    def stream(self) -> HeldStream:
        return self.vad.streams[-1]

    def hear(self, frames: float, now_ms: int, level: float = 0.3) -> None:
        self.ears.hear(np.full(round(frames * FRAME_SAMPLES), level, np.float32), now_ms)

    def hear_in_real_time(self, scores: list[float], first_ms: int) -> None:
        """Frame by frame, each scored as it comes in; `first_ms` is when the first one is whole."""
        for number, score in enumerate(scores):
            self.hear(1, first_ms + number * FRAME_MS)
            self.stream.give(score)


def test_edges_are_dated_back_to_when_their_samples_came_in() -> None:
    heard = Heard()
    heard.hear_in_real_time([0.1, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1], first_ms=1000)
    assert heard.edges == [
        HeardEdge(VoiceStarted(FRAME_SAMPLES), 1000),
        HeardEdge(VoiceStopped(4 * FRAME_SAMPLES), 1000 + 3 * FRAME_MS),
    ]


def test_a_score_that_comes_late_does_not_change_the_date() -> None:
    heard = Heard()
    for number in range(3):
        heard.hear(1, 1000 + number * FRAME_MS)
    heard.stream.give(0.1, 0.9, 0.9)
    assert heard.edges == [HeardEdge(VoiceStarted(FRAME_SAMPLES), 1000)]


def test_messages_need_not_be_frames() -> None:
    heard = Heard()
    for number in range(10):
        heard.hear(0.4, 1000 + number)
    assert [len(frame) for frame in heard.stream.frames] == [FRAME_SAMPLES] * 4
    assert len(np.concatenate(heard.stream.frames)) == 4 * FRAME_SAMPLES
    assert heard.ears.audio.end == 10 * round(0.4 * FRAME_SAMPLES)


# ---- the quiet gate -------------------------------------------------------------------------------


def test_a_quiet_line_does_not_take_the_models_time() -> None:
    heard = Heard()
    heard.hear(50, 1000, level=QUIET_RMS * 0.9)
    assert heard.stream.frames == []
    assert len(heard.silences) == 50


def test_only_while_nobody_speaks_may_quiet_frames_wait_to_be_heard_together() -> None:
    heard = Heard()
    ears = heard.ears

    def wanted(level: float) -> Wanted:
        heard.hear(1, 0, level)
        return ears.samples_wanted()

    together = QUIET_FRAMES_TOGETHER * FRAME_SAMPLES
    assert wanted(QUIET_RMS / 2) == (FRAME_SAMPLES, together)
    assert wanted(0.3) == (FRAME_SAMPLES, FRAME_SAMPLES), "one is being scored"
    heard.stream.give(0.9)
    assert wanted(0.3) == (FRAME_SAMPLES, FRAME_SAMPLES), "it may have begun speech"
    heard.stream.give(0.9)
    assert ears.samples_wanted().if_quiet == FRAME_SAMPLES, "there is voice"
    heard.hear_in_real_time([0.0] * 3, 0)
    assert isinstance(heard.edges[-1].edge, VoiceStopped)
    assert ears.samples_wanted().if_quiet == FRAME_SAMPLES, "the turn may be over, or go on"
    ears.forget()
    assert ears.samples_wanted().if_quiet == together
    ears.set_listening(False)
    assert ears.samples_wanted().if_quiet == FRAME_SAMPLES, "what is kept is the client's to commit"


@pytest.mark.parametrize("message_samples", [1, 160, 320, FRAME_SAMPLES])
def test_in_messages_that_are_quiet_no_speech_can_begin(message_samples: int) -> None:
    """The worst that may be: all of a message's power lies in the three frames, or next to them."""
    least_frames = VadConfig().min_speech_ms // FRAME_MS
    span = least_frames * FRAME_SAMPLES + 2 * ms_to_samples(DELAY_MS, EAR_HZ)
    overlapping = -(-(span - 1) // message_samples) + 1
    power = overlapping * message_samples * QUIET_MESSAGE_RMS**2 / (least_frames * FRAME_SAMPLES)
    assert power < QUIET_RMS**2


def test_sound_above_the_gate_is_scored() -> None:
    heard = Heard()
    heard.hear(1, 1000, level=QUIET_RMS * 1.1)
    assert len(heard.stream.frames) == 1


def test_quiet_frames_behind_one_that_is_being_scored_keep_their_place() -> None:
    heard = Heard()
    heard.hear(1, 1000)
    heard.hear(3, 1000 + 3 * FRAME_MS, level=0.0)
    assert len(heard.stream.frames) == 4
    heard.stream.give(0.9, 0.9, 0.1, 0.1)
    assert [edge.edge for edge in heard.edges] == [VoiceStarted(0)]


def test_while_there_is_voice_silence_is_the_models_to_judge() -> None:
    heard = Heard()
    heard.hear_in_real_time([0.9, 0.9], first_ms=1000)
    heard.hear(1, 1000 + 2 * FRAME_MS, level=0.0)
    assert len(heard.stream.frames) == 3


# ---- silence by the samples -----------------------------------------------------------------------


def test_audio_in_real_time_leaves_silence_to_the_clock() -> None:
    heard = Heard()
    heard.hear_in_real_time([0.9] * 4 + [0.1] * 20, first_ms=1000)
    assert set(heard.silences) == {0}


def test_audio_that_comes_at_once_tells_how_long_the_silence_is() -> None:
    heard = Heard()
    heard.hear(4 + 20, 1000)
    heard.stream.give(*[0.9] * 4, *[0.1] * 20)
    assert [edge.edge for edge in heard.edges] == [VoiceStarted(0), VoiceStopped(4 * FRAME_SAMPLES)]
    assert heard.silences[-1] == 20 * FRAME_MS
    assert heard.silences[:7] == [0] * 7
    assert heard.silences[8:] == [count * FRAME_MS for count in range(5, 21)]


def test_voice_ends_the_silence() -> None:
    heard = Heard()
    heard.hear(12, 1000)
    heard.stream.give(*[0.9] * 2, *[0.1] * 8, *[0.9] * 2)
    assert heard.silences[-1] == 0


# ---- what is kept ---------------------------------------------------------------------------------


def test_only_the_moment_before_speech_is_kept() -> None:
    heard = Heard()
    for number in range(100):
        heard.hear(1, 1000 + number * FRAME_MS, level=0.0)
    kept_ms = samples_to_ms(heard.ears.audio.end - heard.ears.audio.start, EAR_HZ)
    needed_ms = HEARING.preroll_ms + 2 * HEARING.vad.min_speech_ms
    assert needed_ms <= kept_ms <= needed_ms + FRAME_MS


def test_an_open_turn_is_kept_from_where_it_began() -> None:
    heard = Heard()
    heard.ears.kept_from = 0
    heard.hear_in_real_time([0.9] * 100, first_ms=1000)
    assert heard.ears.audio.start == 0
    heard.ears.forget()
    heard.hear_in_real_time([0.9], first_ms=9000)
    assert heard.ears.audio.start > 0


def test_after_forgetting_voice_that_goes_on_is_new() -> None:
    heard = Heard()
    heard.hear_in_real_time([0.9] * 3, first_ms=1000)
    heard.ears.forget()
    assert not heard.ears.voiced
    heard.hear_in_real_time([0.9] * 2, first_ms=1000 + 3 * FRAME_MS)
    assert heard.edges[-1].edge == VoiceStarted(3 * FRAME_SAMPLES)


# ---- limits ---------------------------------------------------------------------------------------


def test_audio_that_waits_too_long_to_be_heard_is_refused_and_not_taken() -> None:
    heard = Heard()
    heard.hear(MAX_WAITING_MS // FRAME_MS + 1, 1000)
    end = heard.ears.audio.end
    with pytest.raises(InputOverrun, match="real time"):
        heard.hear(1, 1000)
    assert heard.ears.audio.end == end
    heard.stream.give(*[0.1] * 10)
    heard.hear(1, 1000)


def test_audio_that_is_never_committed_is_refused() -> None:
    heard = Heard()
    heard.ears.set_listening(False)
    heard.ears.hear(np.zeros(ms_to_samples(MAX_UNCOMMITTED_MS, EAR_HZ) + 1, np.float32), 1000)
    with pytest.raises(InputOverrun, match="commit"):
        heard.hear(1, 1000)
    heard.ears.forget()
    heard.hear(1, 1000)


# ---- the client ends turns itself -----------------------------------------------------------------


def test_without_listening_all_is_kept_and_nothing_scored() -> None:
    heard = Heard()
    heard.ears.set_listening(False)
    heard.hear(200, 1000)
    assert heard.stream.frames == []
    assert (heard.ears.audio.start, heard.ears.audio.end) == (0, 200 * FRAME_SAMPLES)
    heard.ears.forget()
    assert heard.ears.audio.start == heard.ears.audio.end


def test_going_over_to_it_keeps_nothing_from_before() -> None:
    heard = Heard()
    heard.hear_in_real_time([0.9] * 3, first_ms=1000)
    heard.ears.set_listening(False)
    assert heard.ears.audio.start == heard.ears.audio.end
    assert not heard.ears.voiced


@pytest.mark.parametrize("there_and_back", [True, False])
def test_frames_that_were_being_scored_then_say_nothing(there_and_back: bool) -> None:
    heard = Heard()
    heard.hear(5, 1000)
    before = heard.stream
    heard.ears.set_listening(False)
    if there_and_back:
        heard.ears.set_listening(True)
    before.give(*[0.9] * 5)
    assert heard.edges == []
    if there_and_back:
        heard.hear_in_real_time([0.9, 0.9], first_ms=2000)
        assert heard.edges == [HeardEdge(VoiceStarted(5 * FRAME_SAMPLES), 2000 - FRAME_MS)]


def test_setting_what_is_set_changes_nothing() -> None:
    heard = Heard()
    heard.hear_in_real_time([0.9] * 3, first_ms=1000)
    heard.ears.set_listening(True)
    assert heard.ears.voiced


def test_clearing_drops_what_was_not_scored() -> None:
    heard = Heard()
    heard.hear(5.5, 1000)
    before = heard.stream
    heard.ears.clear()
    before.give(*[0.9] * 5)
    heard.hear_in_real_time([0.9, 0.9], first_ms=2000)
    assert [edge.edge for edge in heard.edges] == [VoiceStarted(round(5.5 * FRAME_SAMPLES))]
    assert heard.ears.audio.start == round(5.5 * FRAME_SAMPLES)


def test_closed_ears_hear_nothing_more() -> None:
    heard = Heard()
    heard.hear(5, 1000)
    heard.ears.close()
    heard.stream.give(*[0.9] * 5)
    assert heard.edges == []
