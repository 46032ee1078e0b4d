"""A client that plays at once."""

from speakback.load.hearing import BUFFER_MS, Playing

FORTY_MS = 40 * 48


def test_audio_in_time_leaves_no_gap() -> None:
    playing = Playing()
    assert [playing.take(FORTY_MS, at_ms) for at_ms in (0, 40, 80, 175)] == [0, 0, 0, 0]


def test_audio_that_is_late_by_more_than_the_buffer_leaves_a_gap() -> None:
    playing = Playing()
    playing.take(FORTY_MS, 1000)
    assert playing.take(FORTY_MS, 1000 + BUFFER_MS + 40 + 25) == 25
    assert playing.take(FORTY_MS, 1165 + BUFFER_MS) == 0, "it has its buffer again"


def test_what_was_played_and_what_waits() -> None:
    playing = Playing()
    assert not playing.is_playing(0)
    for _ in range(3):
        playing.take(FORTY_MS, 0)
    assert (playing.played_ms(0), playing.buffered_ms(0)) == (0, 120)
    assert (playing.played_ms(BUFFER_MS + 50), playing.buffered_ms(BUFFER_MS + 50)) == (50, 70)
    assert (playing.played_ms(1000), playing.buffered_ms(1000)) == (120, 0)
    assert playing.is_playing(100)
    assert not playing.is_playing(1000)
