"""A reply that is ducked, held and resumed: what goes out, and that the books stay true."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from speakback.audio.artifacts import find_artifacts
from speakback.audio.fade import rising
from speakback.audio.line import MOST
from speakback.audio.pcm import Samples
from speakback.audio.playout import (
    DUCK_RAMP_SAMPLES,
    DUCKED_GAIN,
    RESUME_FADE_SAMPLES,
    Outgoing,
    PlayoutLedger,
)
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.timebase import VOICE_HZ

MS = VOICE_HZ // 1000
FADE_MS = 20
SCALE = np.float32(2**20)
"""The sample at made position n is (n + 1) / SCALE: so each tells where it was made."""


@dataclass
class Line:
    """A session and a client that plays at once. `made_at` is the made position of every sample that went out."""

    ledger: PlayoutLedger = field(default_factory=PlayoutLedger)
    now_ms: int = 1000
    made: int = 0
    words: list[SpokenWord] = field(default_factory=list)
    messages: list[Outgoing] = field(default_factory=list)
    made_at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, word_ms: list[int], gap_ms: int = 0) -> None:
        """A chunk of words of these lengths, each after a gap."""
        start, words = self.made, []
        for length_ms in word_ms:
            begin = self.made + gap_ms * MS
            self.made = begin + length_ms * MS + len(self.words) % 5
            words.append(SpokenWord(f"w{len(self.words)}", begin, self.made))
            self.words.append(words[-1])
        audio = (np.arange(start, self.made) + 1).astype(np.float32) / SCALE
        self.ledger.add(SpeechChunk(audio, tuple(words), clause_end=True))

    def play_until(self, until_ms: int) -> None:
        while (due_ms := self.ledger.next_due_ms(self.now_ms)) is not None and due_ms <= until_ms:
            self.now_ms = due_ms
            outgoing = self.ledger.take(due_ms)
            assert outgoing is not None
            self.keep(outgoing)
        self.now_ms = until_ms

    def play_to_the_end(self) -> None:
        while not self.ledger.all_sent:
            self.play_until(self.now_ms + 1000)
        self.now_ms = max(self.now_ms, self.ledger.played_out_ms())

    def hold(self, fade_ms: int = FADE_MS, within_ms: int = 0) -> None:
        outgoing = self.ledger.hold(fade_ms, within_ms, self.now_ms)
        if outgoing is not None:
            self.keep(outgoing)

    @property
    def next_made(self) -> int:
        return int(self.made_at[-1]) + 1 if len(self.made_at) else 0

    def keep(self, outgoing: Outgoing) -> None:
        """Read from the audio where it was made."""
        self.messages.append(outgoing)
        audio = outgoing.audio_24k
        if self.ledger.sent[-1].after_hold:
            gain = rising(RESUME_FADE_SAMPLES)[len(audio) - 1] if len(audio) < RESUME_FADE_SAMPLES else 1.0
            start = round(float(audio[-1] / gain * SCALE)) - len(audio)
        else:
            start = self.next_made
        self.made_at = np.concatenate((self.made_at, np.arange(start, start + len(audio))))

    @property
    def announced(self) -> list[str]:
        return [word.text for message in self.messages for word in message.words]

    def text(self, words: int) -> str:
        return " ".join(word.text for word in self.words[:words])

    def heard_by_hand(self) -> str:
        """The words of which half was played, found from what went out, sample by sample."""
        reached = int(np.max(self.made_at[: self.ledger.played_samples(self.now_ms)], initial=-1)) + 1
        return " ".join(w.text for w in self.words if round((w.start_samples + w.end_samples) / 2) <= reached)


def line(*word_ms: int, until_ms: int = 1000) -> Line:
    """A complete reply of such words, played from 1000 on."""
    made = Line()
    made.add(list(word_ms))
    made.ledger.complete()
    made.play_until(until_ms)
    return made


# ---- ducked ---------------------------------------------------------------------------------------


def gains(reply: Line) -> Samples:
    audio = reply.ledger.sent_audio()
    whole = (np.arange(len(audio)) + 1).astype(np.float32) / SCALE
    return audio / whole


def test_a_ducked_voice_goes_down_along_a_ramp_and_comes_back() -> None:
    reply = line(1000, until_ms=1200)
    at = reply.ledger.sent_samples
    reply.ledger.duck()
    reply.play_until(1400)
    back_at = reply.ledger.sent_samples
    reply.ledger.restore()
    reply.play_to_the_end()
    level = gains(reply)
    assert np.allclose(level[:at], 1)
    assert np.allclose(level[at + DUCK_RAMP_SAMPLES : back_at], DUCKED_GAIN)
    assert np.allclose(level[back_at + DUCK_RAMP_SAMPLES :], 1)
    assert np.max(np.abs(np.diff(level))) < 2 / DUCK_RAMP_SAMPLES
    assert reply.ledger.heard_text(reply.now_ms) == "w0"


def test_a_held_reply_goes_on_at_full_level() -> None:
    reply = line(500, 500, until_ms=1100)
    reply.ledger.duck()
    reply.play_until(1200)
    reply.hold()
    reply.ledger.resume()
    reply.play_to_the_end()
    assert reply.ledger.sent_audio()[-1] == np.float32(reply.made) / SCALE


# ---- held -----------------------------------------------------------------------------------------


def test_while_held_nothing_is_due_or_played() -> None:
    reply = line(500, 500, until_ms=1100)
    reply.hold()
    sent = reply.ledger.sent_samples
    assert reply.ledger.next_due_ms(1100) is None
    assert reply.ledger.take(1500) is None
    assert not reply.ledger.all_sent
    assert reply.ledger.played_samples(1150) < reply.ledger.played_samples(1500) == sent
    assert reply.ledger.hold(FADE_MS, 0, 1500) is None


def test_a_hold_in_a_word_fades_and_the_word_is_said_again_but_not_announced_again() -> None:
    reply = line(100, 500, 100, until_ms=1200)
    reply.hold()
    assert len(reply.messages[-1].audio_24k) == FADE_MS * MS
    assert abs(float(reply.messages[-1].audio_24k[-1])) < 1e-4
    joint = reply.ledger.sent_samples
    reply.now_ms = 3000
    reply.ledger.resume()
    reply.play_to_the_end()
    assert reply.made_at[joint] == reply.words[1].start_samples
    assert reply.announced == ["w0", "w1", "w2"]
    assert reply.ledger.heard_text(reply.now_ms) == "w0 w1 w2"
    assert joint in reply.ledger.border_samples
    assert reply.ledger.sent_samples > reply.ledger.generated_samples


def test_a_hold_near_a_words_end_lets_it_be_said() -> None:
    reply = line(300, 500, until_ms=1200)
    left = reply.words[0].end_samples - reply.ledger.sent_samples
    reply.hold(within_ms=60)
    assert len(reply.messages[-1].audio_24k) == left
    reply.ledger.resume()
    reply.play_to_the_end()
    assert np.array_equal(reply.made_at, np.arange(reply.made))


def test_a_hold_before_the_first_sound_sends_nothing() -> None:
    reply = Line()
    reply.add([500])
    reply.hold()
    reply.play_until(1500)
    assert reply.messages == []
    reply.ledger.resume()
    reply.play_until(1500)
    assert reply.messages


def test_audio_may_come_while_held() -> None:
    reply = Line()
    reply.add([500])
    reply.play_until(1200)
    reply.hold()
    reply.add([300])
    reply.ledger.complete()
    reply.ledger.resume()
    reply.play_to_the_end()
    assert reply.ledger.heard_text(reply.now_ms) == "w0 w1"


def test_a_reply_all_of_which_went_out_cannot_be_held_back() -> None:
    reply = line(100, until_ms=1050)
    reply.hold()
    assert reply.ledger.all_sent
    assert np.array_equal(reply.made_at, np.arange(reply.made))


def test_a_cut_of_a_held_reply_sends_nothing_and_ends_it() -> None:
    reply = line(500, 500, until_ms=1100)
    reply.hold()
    assert reply.ledger.cut(FADE_MS, 0, 1500) is None
    reply.ledger.resume()
    assert reply.ledger.all_sent
    assert reply.ledger.next_due_ms(1500) is None


def test_a_cut_prefers_the_words_end() -> None:
    reply = line(300, 500, until_ms=1200)
    outgoing = reply.ledger.cut(FADE_MS, 60, 1200)
    assert outgoing is not None
    assert reply.ledger.sent_samples == reply.words[0].end_samples
    assert reply.ledger.heard_text(9999) == "w0"


def test_a_hold_right_after_a_resume_makes_no_sound() -> None:
    reply = line(500, 500, until_ms=1100)
    reply.hold()
    sent = reply.ledger.sent_samples
    reply.ledger.resume()
    reply.hold()
    assert reply.ledger.sent_samples == sent
    reply.ledger.resume()
    reply.play_to_the_end()
    assert reply.ledger.heard_text(reply.now_ms) == "w0 w1"


def test_resuming_what_is_not_held_changes_nothing() -> None:
    reply = line(500, until_ms=1100)
    reply.ledger.resume()
    reply.play_to_the_end()
    assert not any(message.after_hold for message in reply.ledger.sent)
    assert np.allclose(gains(reply), 1)


def test_what_was_cut_off_is_not_heard() -> None:
    reply = line(100, 100, 100, 100, until_ms=1160)
    reply.ledger.cut(FADE_MS, 0, 1160)
    assert reply.ledger.heard_text(1160) == "w0 w1"


def test_after_a_limit_what_is_sent_later_is_heard_and_what_the_client_dropped_is_not() -> None:
    reply = line(100, 100, 100, 100, 100, until_ms=1320)
    reply.hold()
    reply.ledger.limit_heard(100)
    assert reply.ledger.heard_text(1320) == reply.ledger.heard_text(9999) == "w0"
    reply.now_ms = 2000
    reply.ledger.resume()
    reply.play_to_the_end()
    heard = reply.ledger.heard_text(reply.now_ms).split()
    assert (heard[0], heard[-1]) == ("w0", "w4")
    assert "w1" not in heard
    assert reply.ledger.played_samples(reply.now_ms) == reply.ledger.sent_samples


def test_the_last_of_several_limits_counts() -> None:
    reply = line(100, 100, 100, 100, until_ms=1320)
    reply.ledger.cut(FADE_MS, 0, 1320)
    heard = []
    for limit_ms in (100, 300, 200):
        reply.ledger.limit_heard(limit_ms)
        heard.append(reply.ledger.heard_text(9999))
    assert heard == ["w0", "w0 w1 w2", "w0 w1"]


@pytest.mark.parametrize("acknowledged_ms", [150, 240, 260, 900])
def test_an_acknowledgement_counts_what_was_sent_twice(acknowledged_ms: int) -> None:
    reply = line(100, 500, 100, until_ms=1120)
    reply.hold()
    reply.now_ms = 3000
    reply.ledger.resume()
    reply.play_to_the_end()
    reply.ledger.acknowledge(acknowledged_ms, 0, reply.now_ms)
    assert reply.ledger.heard_text(reply.now_ms) == reply.heard_by_hand()


# ---- properties -----------------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(5, 400), min_size=1, max_size=4), st.sampled_from((0, 0, 30))),
        st.tuples(st.just("play"), st.integers(0, 900)),
        st.tuples(st.just("hold"), st.integers(0, 60), st.sampled_from((0, 50, 200))),
        st.tuples(st.just("resume")),
        st.tuples(st.just("acknowledge"), st.integers(-10, 4000)),
    ),
    min_size=4,
    max_size=40,
)


@settings(max_examples=60)
@given(steps)
def test_no_word_is_lost_or_repeated_in_the_books_however_often_it_is_held(plan: list[tuple[object, ...]]) -> None:
    reply = Line()
    ledger = reply.ledger
    for step in plan:
        match step:
            case ("add", list() as word_ms, int() as gap_ms):
                reply.add(word_ms, gap_ms)
            case ("play", int() as ms):
                reply.play_until(reply.now_ms + ms)
            case ("hold", int() as fade_ms, int() as within_ms):
                reply.hold(fade_ms, within_ms)
            case ("resume",):
                ledger.resume()
            case ("acknowledge", int() as played_ms):
                ledger.acknowledge(played_ms, played_ms % 100, reply.now_ms)
        assert len(reply.made_at) == ledger.sent_samples == len(ledger.sent_audio())
        assert ledger.played_out_ms() - reply.now_ms <= MOST.lead_ms + 60 + 200
        heard = ledger.heard_text(reply.now_ms)
        assert heard == reply.heard_by_hand()
        assert reply.announced == ledger.text_sent().split()
    ledger.complete()
    ledger.resume()
    reply.play_to_the_end()
    ledger.finish()
    assert ledger.heard_text(reply.now_ms) == reply.text(len(reply.words)) == " ".join(reply.announced)
    assert_said_in_full(reply)


def assert_said_in_full(reply: Line) -> None:
    """It goes back only to a word's beginning, never forward; and the last time a word is said, it is said whole."""
    made_at = reply.made_at
    jumps = np.flatnonzero(np.diff(made_at) != 1) + 1
    starts = {word.start_samples for word in reply.words}
    assert all(int(made_at[jump]) in starts and made_at[jump] <= made_at[jump - 1] for jump in jumps)
    for word in reply.words:
        begins = np.flatnonzero(made_at == word.start_samples)
        assert len(begins)
        said = made_at[begins[-1] : begins[-1] + word.end_samples - word.start_samples]
        assert np.array_equal(said, np.arange(word.start_samples, word.end_samples))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 2000)), max_size=5))
def test_a_hold_is_no_artifact(holds: list[tuple[int, int]]) -> None:
    reply = Line()
    reply.add([200] * 8)
    reply.ledger.complete()
    for playing_ms, held_ms in holds:
        reply.play_until(reply.now_ms + playing_ms)
        reply.hold(within_ms=80)
        reply.now_ms += held_ms
        reply.ledger.resume()
    reply.play_to_the_end()
    ledger = reply.ledger
    report = find_artifacts(ledger.sent_audio(), ledger.sent, ledger.border_samples, ledger.text_sent())
    assert (report.late_frames, report.missing_frames, report.unexpected_silence_ms) == (0, 0, 0)
