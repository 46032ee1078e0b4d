"""The agent's voice: stopped, held and resumed."""

from random import Random

from speakback.lab.clock import Clock
from speakback.lab.playing import BACK_MS, IN_FLIGHT_MS, RESTART_MS, Playing
from speakback.lab.turn_plans import Phrase
from speakback.lab.voice import After

PHRASES = [Phrase(1000, 300, None), Phrase(2000, 0, None)]


class Stage:
    """A voice that plays."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.finished_ms: list[int] = []
        self.playing = Playing(self.clock, Random(1), lambda: self.finished_ms.append(self.clock.now_ms))
        self.playing.play(PHRASES)

    def run(self, until_ms: int = 20_000) -> None:
        while (next_ms := self.clock.next_ms) is not None and next_ms < until_ms:
            self.clock.step()
        self.clock.now_ms = min(until_ms, max(self.clock.now_ms, until_ms))

    @property
    def sounded(self) -> list[tuple[int, int | None]]:
        return [(stretch.start_ms, stretch.end_ms) for stretch in self.playing.voice.past]


def test_it_is_played_to_its_end() -> None:
    stage = Stage()
    assert stage.playing.remaining_ms == 3300
    stage.run()
    assert stage.sounded == [(0, 1000), (1300, 3300)]
    assert [stretch.after for stretch in stage.playing.voice.past] == [After.GO_ON, After.END]
    assert stage.finished_ms == [3300]


def test_what_was_sent_is_still_heard() -> None:
    stage = Stage()
    stage.run(400)
    stage.playing.halt()
    stage.run()
    ((_, end_ms),) = stage.sounded
    assert end_ms is not None
    assert 400 + IN_FLIGHT_MS[0] <= end_ms <= 400 + IN_FLIGHT_MS[1]
    assert stage.playing.voice.past[0].after is After.BREAK_OFF
    assert stage.finished_ms == []


def test_it_goes_on_from_the_word_that_was_broken_off() -> None:
    stage = Stage()
    stage.run(400)
    stage.playing.halt()
    stage.run(1400)
    stage.playing.resume()
    stage.run()
    (_, broken_ms), (again_ms, again_end_ms), _ = stage.sounded
    assert broken_ms is not None
    assert again_end_ms is not None
    assert again_ms == 1400 + RESTART_MS
    assert again_end_ms - again_ms == 1000 - broken_ms + BACK_MS
    assert stage.finished_ms


def test_held_in_its_own_pause_it_goes_on_with_the_next_phrase() -> None:
    stage = Stage()
    stage.run(1100)
    stage.playing.halt()
    stage.run(2000)
    assert stage.sounded == [(0, 1000)]
    stage.playing.resume()
    stage.run()
    assert stage.sounded[1][0] == 2000 + RESTART_MS


def test_resumed_before_it_fell_silent_nothing_is_heard_of_the_hold() -> None:
    stage = Stage()
    stage.run(400)
    stage.playing.halt()
    stage.playing.resume()
    stage.run()
    assert stage.sounded == [(0, 1000), (1300, 3300)]


def test_halted_within_its_last_words_it_ends_as_it_would_have() -> None:
    stage = Stage()
    stage.run(3290)
    stage.playing.halt()
    stage.run()
    assert stage.finished_ms == [3300]


def test_halted_within_a_phrases_last_words_it_does_not_begin_the_next() -> None:
    stage = Stage()
    stage.run(990)
    stage.playing.halt()
    stage.run()
    assert stage.sounded == [(0, 1000)]
    assert stage.playing.unsaid == (PHRASES[1],)
