"""A client that plays at once: what of the agent's audio it has played, and when."""

import numpy as np

from speakback.caller.loudspeaker import Loudspeaker
from tests.caller.sounds import tone


def test_audio_plays_when_it_comes_or_after_what_plays() -> None:
    speaker = Loudspeaker()
    speaker.play("a", tone(40), 100.0)
    speaker.play("a", tone(40), 110.0)
    speaker.play("a", tone(40), 500.0)
    assert [stretch.start_samples / 24 for stretch in speaker.stretches] == [100, 140, 500]
    assert speaker.ends_ms() == 540


def test_what_is_playing() -> None:
    speaker = Loudspeaker()
    assert speaker.playing(0.0) is None
    assert speaker.ends_ms() == 0
    speaker.play("a", tone(40), 100.0)
    speaker.play("b", tone(40), 200.0)
    heard = [speaker.playing(at_ms) for at_ms in (99.0, 100.0, 139.9, 140.0, 200.0, 240.0)]
    assert heard == [None, "a", "a", None, "b", None]


def test_a_flush_cuts_what_was_not_played() -> None:
    speaker = Loudspeaker()
    speaker.play("a", tone(40), 100.0)
    speaker.play("a", tone(40), 110.0)
    speaker.play("a", tone(40), 120.0)
    speaker.flush(150.0)
    assert speaker.playing(150.0) is None
    assert speaker.played_ms("a", 10_000.0) == 50
    assert np.array_equal(np.concatenate([stretch.audio_24k for stretch in speaker.stretches])[:960], tone(40))


def test_the_books_of_an_item() -> None:
    speaker = Loudspeaker()
    speaker.play("a", tone(100), 0.0)
    speaker.play("b", tone(100), 50.0)
    assert (speaker.played_ms("a", 60.0), speaker.buffered_ms("a", 60.0)) == (60, 40)
    assert (speaker.played_ms("b", 60.0), speaker.buffered_ms("b", 60.0)) == (0, 100)
    assert (speaker.played_ms("b", 130.0), speaker.buffered_ms("b", 130.0)) == (30, 70)
