import pytest

from speakback.audio.speech import SpokenWord
from speakback.audio.stopping import Stop, stop_near

WORDS = (SpokenWord("one", 0, 100), SpokenWord("two", 100, 200), SpokenWord("three", 300, 400))


@pytest.mark.parametrize(
    ("reached", "fade", "within", "expected"),
    [
        (30, 20, 0, Stop(50, 0)),  # cut: fades, and the word is said again
        (30, 20, 69, Stop(50, 0)),  # its end is too far
        (30, 20, 70, Stop(100, 100)),  # near enough: the word is said to its end
        (90, 20, 10, Stop(110, 100)),  # the fade reaches into the next word, which will be said again
        (200, 20, 50, Stop(220, 220)),  # nothing is under way, and nothing is cut
        (290, 20, 50, Stop(310, 300)),  # a word begins in the fade
        (350, 0, 0, Stop(350, 300)),
        (350, 900, 0, Stop(500, 300)),  # no further than what was made
        (500, 20, 50, Stop(500, 500)),
    ],
)
def test_where_a_voice_stops(reached: int, fade: int, within: int, expected: Stop) -> None:
    assert stop_near(WORDS, reached, 500, fade, within) == expected


def test_a_reply_without_word_times_stops_at_once_and_goes_on_there() -> None:
    assert stop_near((), 30, 500, 20, 400) == Stop(50, 50)
