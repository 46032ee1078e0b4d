from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.line import MOST, USUAL, Acknowledged, Line, Pace
from speakback.audio.pcm import Samples
from speakback.audio.playout import ENOUGH_SAMPLES, FRAME_SAMPLES, Outgoing, PlayoutLedger
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.timebase import LEDGER_FRAME_MS, VOICE_HZ, ms_to_samples, samples_to_ms

MS = VOICE_HZ // 1000
"""Samples in a millisecond."""
MESSAGE_MS = USUAL.message_ms
MESSAGE_SAMPLES = MESSAGE_MS * MS


def chunk(ms: int, *words: SpokenWord) -> SpeechChunk:
    return SpeechChunk(np.full(ms * MS, 0.5, np.float32), words, clause_end=True)


def word(text: str, start_ms: int, end_ms: int) -> SpokenWord:
    return SpokenWord(text, start_ms * MS, end_ms * MS)


def four_words() -> SpeechChunk:
    """One two three four, 100 ms each."""
    return chunk(400, *(word(text, 100 * i, 100 * (i + 1)) for i, text in enumerate(("One", "two", "three", "four."))))


@dataclass
class Player:
    """A session and a client that plays at once: takes each message when it is due."""

    ledger: PlayoutLedger = field(default_factory=PlayoutLedger)
    now_ms: int = 1000
    messages: list[Outgoing] = field(default_factory=list)

    def play_until(self, until_ms: int) -> None:
        """Send all that is due by then."""
        while (due_ms := self.ledger.next_due_ms(self.now_ms)) is not None and due_ms <= until_ms:
            self.now_ms = due_ms
            outgoing = self.ledger.take(due_ms)
            assert outgoing is not None, "what is due can be taken"
            self.messages.append(outgoing)
        self.now_ms = until_ms

    @property
    def audio(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(message.audio_24k for message in self.messages)])


def playing(made: SpeechChunk | None = None, *, until_ms: int = 1000) -> Player:
    """A reply that is complete, played from 1000 on."""
    player = Player()
    player.ledger.add(made or four_words())
    player.ledger.complete()
    player.play_until(until_ms)
    return player


# ---- what goes out, and when ----------------------------------------------------------------------


def test_a_message_is_usually_two_frames_of_20_ms() -> None:
    assert samples_to_ms(FRAME_SAMPLES, VOICE_HZ) == LEDGER_FRAME_MS == 20
    assert MESSAGE_SAMPLES == ENOUGH_SAMPLES == 2 * FRAME_SAMPLES


def test_two_messages_go_out_at_once_and_then_one_every_40_ms() -> None:
    player = playing(until_ms=2000)
    assert [message.at_ms for message in player.ledger.sent] == [1000, 1000, *range(1040, 1360, 40)]
    assert [len(message.audio_24k) for message in player.messages] == [MESSAGE_SAMPLES] * 10
    assert player.ledger.all_sent


def test_nothing_is_due_before_there_is_a_whole_message() -> None:
    player = Player()
    assert player.ledger.next_due_ms(1000) is None
    player.ledger.add(chunk(39))
    assert player.ledger.next_due_ms(1000) is None
    assert player.ledger.take(1000) is None
    player.ledger.add(chunk(1))
    assert player.ledger.next_due_ms(1000) == 1000


def test_a_message_is_not_handed_out_before_it_is_due() -> None:
    player = playing(until_ms=1000)
    assert player.ledger.next_due_ms(1000) == 1040
    assert player.ledger.take(1039) is None
    assert player.ledger.take(1040) is not None


def test_a_complete_reply_ends_with_a_shorter_message() -> None:
    player = playing(chunk(95), until_ms=2000)
    assert [len(message.audio_24k) // MS for message in player.messages] == [40, 40, 15]
    assert player.ledger.all_sent
    assert player.ledger.played_out_ms() == 1095


def test_an_empty_reply_is_sent_as_soon_as_it_is_complete() -> None:
    ledger = PlayoutLedger()
    ledger.complete()
    assert ledger.all_sent
    assert ledger.next_due_ms(1000) is None
    assert (ledger.heard_text(1000), len(ledger.sent_audio())) == ("", 0)


def test_after_an_underrun_the_clock_starts_again_with_the_audio() -> None:
    player = Player()
    player.ledger.add(chunk(80))
    player.play_until(1500)
    assert player.ledger.played_samples(1500) == 80 * MS
    player.ledger.add(chunk(200))
    player.ledger.complete()
    player.play_until(1500)
    assert [message.at_ms for message in player.ledger.sent] == [1000, 1000, 1500, 1500]
    assert player.ledger.played_samples(1500) == 80 * MS
    assert player.ledger.played_samples(1520) == 100 * MS
    assert player.ledger.played_out_ms() == 1580


def test_borders_are_where_chunks_meet() -> None:
    player = Player()
    for ms in (100, 50, 70):
        player.ledger.add(chunk(ms))
    assert player.ledger.generated_samples == 220 * MS
    player.play_until(1040)
    assert player.ledger.border_samples == [100 * MS]
    player.play_until(2000)
    assert player.ledger.border_samples == [100 * MS, 150 * MS]


def test_each_word_goes_out_with_the_message_in_which_it_begins() -> None:
    player = playing(until_ms=2000)
    carried = [[word.text for word in message.words] for message in player.messages]
    assert carried == [["One"], [], ["two"], [], [], ["three"], [], ["four."], [], []]


def test_text_sent_holds_the_words_that_began_in_what_went_out() -> None:
    player = playing(until_ms=1000)
    assert player.ledger.text_sent() == "One"
    player.play_until(1040)
    assert player.ledger.text_sent() == "One two"


# ---- the cut --------------------------------------------------------------------------------------


def test_a_cut_sends_one_fade_and_drops_the_rest() -> None:
    player = playing(until_ms=1100)
    before = player.ledger.sent_samples
    fading = player.ledger.cut(20, 0, 1100)
    assert fading is not None
    assert len(fading.audio_24k) == 20 * MS
    assert np.all(np.diff(fading.audio_24k) < 0)
    assert abs(float(fading.audio_24k[-1])) < 0.001
    assert player.ledger.sent_samples == before + 20 * MS
    assert player.ledger.all_sent
    assert player.ledger.next_due_ms(1100) is None
    assert player.ledger.take(5000) is None


def test_after_a_cut_nothing_more_is_booked() -> None:
    player = playing(until_ms=1100)
    player.ledger.cut(20, 0, 1100)
    generated = player.ledger.generated_samples
    player.ledger.add(chunk(100))
    assert player.ledger.generated_samples == generated
    assert player.ledger.all_sent


def test_a_second_cut_sends_nothing() -> None:
    player = playing(until_ms=1100)
    player.ledger.cut(20, 0, 1100)
    assert player.ledger.cut(20, 0, 1100) is None


def test_a_cut_before_the_first_message_sends_nothing() -> None:
    ledger = PlayoutLedger()
    ledger.add(four_words())
    assert ledger.cut(20, 0, 1000) is None
    assert (ledger.sent_samples, ledger.all_sent) == (0, True)


def test_a_cut_when_all_went_out_sends_nothing() -> None:
    player = playing(until_ms=2000)
    assert player.ledger.cut(20, 0, 2000) is None


def test_a_cut_fades_what_little_is_left() -> None:
    player = playing(chunk(90), until_ms=1000)
    fading = player.ledger.cut(20, 0, 1000)
    assert fading is not None
    assert len(fading.audio_24k) == 10 * MS
    assert abs(float(fading.audio_24k[-1])) < 0.002


def test_a_cut_without_a_fade_sends_nothing() -> None:
    assert playing(until_ms=1000).ledger.cut(0, 0, 1000) is None


# ---- what was played and heard --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now_ms", "played_ms"), [(1000, 0), (1001, 1), (1080, 80), (1200, 200), (1399, 399), (1400, 400)]
)
def test_by_the_clock_a_client_plays_at_once(now_ms: int, played_ms: int) -> None:
    assert playing(until_ms=now_ms).ledger.played_samples(now_ms) == played_ms * MS


def test_an_acknowledgement_overrules_the_clock_and_goes_on_with_it() -> None:
    player = playing(until_ms=1200)
    player.ledger.acknowledge(50, 80, 1200)
    assert player.ledger.played_samples(1200) == 50 * MS
    assert player.ledger.played_samples(1230) == 80 * MS


def test_the_latest_acknowledgement_counts() -> None:
    player = playing(until_ms=1200)
    player.ledger.acknowledge(50, 80, 1150)
    player.ledger.acknowledge(150, 80, 1200)
    assert player.ledger.played_samples(1200) == 150 * MS


@pytest.mark.parametrize(("acknowledged_ms", "played_ms"), [(-5, 0), (999_999, 200)])
def test_an_acknowledgement_that_cannot_be_is_held_within_what_can(acknowledged_ms: int, played_ms: int) -> None:
    player = playing(until_ms=1200)
    player.ledger.acknowledge(acknowledged_ms, 0, 1200)
    assert player.ledger.played_samples(1200) == played_ms * MS


def test_a_client_that_is_behind_plays_a_finished_reply_to_its_end() -> None:
    player = playing(until_ms=1400)
    player.ledger.acknowledge(100, 80, 1400)
    assert player.ledger.heard_text(1400) == "One"
    player.ledger.finish()
    assert player.ledger.heard_text(1400) == "One two three four."
    player.ledger.acknowledge(150, 80, 1410)
    assert player.ledger.heard_text(1410) == "One two three four.", "also when it says once more how far it is"


def test_the_clients_own_limit_overrules_all() -> None:
    player = playing(until_ms=1400)
    player.ledger.acknowledge(400, 0, 1400)
    player.ledger.limit_heard(120)
    player.ledger.finish()
    assert player.ledger.played_samples(9999) == 120 * MS
    assert player.ledger.heard_text(9999) == "One"


@pytest.mark.parametrize(("limit_ms", "heard_ms"), [(-1, 0), (0, 0), (9999, 400)])
def test_a_limit_is_held_within_what_was_sent(limit_ms: int, heard_ms: int) -> None:
    player = playing(until_ms=2000)
    player.ledger.limit_heard(limit_ms)
    assert player.ledger.played_samples(2000) == heard_ms * MS


@pytest.mark.parametrize(
    ("now_ms", "heard"),
    [(1000, ""), (1049, ""), (1050, "One"), (1149, "One"), (1150, "One two"), (1350, "One two three four.")],
)
def test_a_word_is_heard_from_its_middle_on(now_ms: int, heard: str) -> None:
    assert playing(until_ms=now_ms).ledger.heard_text(now_ms) == heard


def test_what_was_heard_does_not_grow_after_a_cut_beyond_what_went_out() -> None:
    player = playing(until_ms=1100)
    player.ledger.cut(20, 0, 1100)
    assert player.ledger.heard_text(1100) == "One"
    assert player.ledger.heard_text(9999) == "One two"


# ---- properties -----------------------------------------------------------------------------------

ADD, PASS, ACKNOWLEDGE, LIMIT, COMPLETE, CUT = "add", "pass", "acknowledge", "limit", "complete", "cut"
steps = st.lists(
    st.one_of(
        st.tuples(st.just(ADD), st.integers(1, 12_345)),
        st.tuples(st.just(PASS), st.integers(0, 700)),
        st.tuples(st.just(ACKNOWLEDGE), st.integers(-10, 2000)),
        st.tuples(st.just(LIMIT), st.integers(-10, 2000)),
        st.tuples(st.just(COMPLETE), st.just(0)),
        st.tuples(st.just(CUT), st.integers(0, 100)),
    ),
    max_size=30,
)


@given(steps)
def test_nothing_is_lost_doubled_or_early_and_heard_is_within_sent(plan: list[tuple[str, int]]) -> None:
    player = Player()
    ledger = player.ledger
    made = np.zeros(0, np.float32)
    open_, uncut = True, True
    for step, value in plan:
        match step:
            case "add" if open_:
                piece = (np.arange(len(made), len(made) + value) % 977 + 1).astype(np.float32)
                ledger.add(SpeechChunk(piece, (), clause_end=True))
                made = np.concatenate((made, piece))
            case "pass":
                player.play_until(player.now_ms + value)
            case "acknowledge":
                ledger.acknowledge(value, value % 100, player.now_ms)
            case "limit":
                ledger.limit_heard(value)
            case "complete":
                ledger.complete()
                open_ = False
            case "cut":
                faded = ledger.cut(value, 0, player.now_ms)
                if faded is not None:
                    assert uncut
                    assert len(faded.audio_24k) <= ms_to_samples(value, VOICE_HZ)
                    whole = made[ledger.sent_samples - len(faded.audio_24k) : ledger.sent_samples]
                    assert np.all(faded.audio_24k <= whole)
                open_ = uncut = False
        assert 0 <= ledger.played_samples(player.now_ms) <= ledger.sent_samples <= ledger.generated_samples == len(made)
        assert np.array_equal(player.audio, made[: len(player.audio)])
        if uncut:
            assert ledger.played_out_ms() - player.now_ms <= MOST.lead_ms
            assert len(player.audio) == ledger.sent_samples
        if uncut and not open_:
            player.play_until(player.now_ms + samples_to_ms(len(made), VOICE_HZ) + 1)
            assert np.array_equal(player.audio, made)
            assert ledger.all_sent


# ---- at the pace of a line ------------------------------------------------------------------------


def paced(message_ms: int, lead_ms: int) -> Player:
    """A ledger whose line wants this pace."""
    line = Line()
    line.pace = Pace(message_ms, lead_ms)
    return Player(PlayoutLedger(line))


def sizes_ms(player: Player) -> list[int]:
    return [len(message.audio_24k) // MS for message in player.messages]


def test_a_long_lead_goes_out_at_once_and_then_in_large_messages() -> None:
    player = paced(100, 400)
    player.ledger.add(chunk(1000))
    player.ledger.complete()
    player.play_until(2000)
    assert sizes_ms(player) == [100] * 10
    assert [message.at_ms for message in player.ledger.sent] == [1000] * 4 + list(range(1100, 1700, 100))


def test_the_first_sound_waits_for_no_large_message() -> None:
    player = paced(100, 400)
    player.ledger.add(chunk(59))
    player.play_until(1000)
    assert sizes_ms(player) == [40], "whole frames"
    player.ledger.add(chunk(1))
    assert player.ledger.next_due_ms(1000) is None, "less than 40 ms waits for more"


def test_a_voice_that_is_slow_keeps_no_sound_back_while_its_client_runs_dry() -> None:
    player = paced(100, 160)
    for _ in range(10):
        player.ledger.add(chunk(60))
        player.play_until(player.now_ms + 100)
    assert sizes_ms(player) == [60] * 10
    assert [message.at_ms for message in player.ledger.sent] == list(range(1000, 2000, 100))


def test_a_lead_that_shrinks_drops_nothing() -> None:
    player = paced(100, 400)
    player.ledger.add(chunk(1000))
    player.ledger.complete()
    player.play_until(1000)
    player.ledger._line.pace = Pace(20, 60)
    player.play_until(2000)
    assert sizes_ms(player) == [100] * 4 + [20] * 30
    assert player.ledger.sent[4].at_ms == 1400 - 60 + 20


@pytest.mark.parametrize(
    ("played_ms", "buffered_ms", "arrived_sent_ms", "missing_sent_ms"),
    [
        (0, 0, None, 1000),
        (10, 30, 1000, 1000),
        (10, 70, 1000, 1040),
        (40, 80, 1040, 1080),
        (40, 77, 1040, 1080),
        (40, 61, 1040, 1080),
        (40, 59, 1000, 1040),
        (0, 160, 1080, None),
        (0, 9999, 1080, None),
    ],
)
def test_an_acknowledgement_tells_what_had_arrived(
    played_ms: int, buffered_ms: int, arrived_sent_ms: int | None, missing_sent_ms: int | None
) -> None:
    learned: list[Acknowledged] = []

    class Seen(Line):
        def learn(self, seen: Acknowledged) -> None:
            learned.append(seen)

    player = Player(PlayoutLedger(Seen()))
    player.ledger.add(chunk(400))
    player.play_until(1080)
    player.ledger.acknowledge(played_ms, buffered_ms, 1090)
    assert learned == [Acknowledged(1090, buffered_ms, arrived_sent_ms, missing_sent_ms)]


def test_of_what_a_client_may_have_dropped_nothing_is_learned() -> None:
    line = Line()
    for stop in (PlayoutLedger.cut, None):
        player = Player(PlayoutLedger(line))
        player.ledger.add(chunk(400))
        player.play_until(1200)
        if stop is not None:
            player.ledger.cut(20, 0, 1200)
        else:
            player.ledger.limit_heard(100)
        player.ledger.acknowledge(100, 0, 1900)
    assert (line.round_trip_ms, line.late_ms, line.pace) == (None, 0.0, USUAL)


def test_once_its_audio_is_let_go_the_books_stay() -> None:
    player = playing(until_ms=2000)
    player.ledger.forget_audio()
    player.ledger.limit_heard(150)
    assert player.ledger.heard_text(9999) == "One two"
    assert (len(player.ledger.sent_audio()), player.ledger.sent_samples) == (0, 400 * MS)
