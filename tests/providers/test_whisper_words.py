import numpy as np

from speakback.providers.adapters.whisper_decoding import Segment
from speakback.providers.adapters.whisper_words import timed_words
from speakback.timebase import EAR_HZ


def test_words_lie_on_the_sound_in_proportion_to_their_letters() -> None:
    rng = np.random.default_rng(1)
    audio = rng.standard_normal(2 * EAR_HZ).astype(np.float32) * 0.1
    audio[: EAR_HZ // 2] = 0
    audio[EAR_HZ : 3 * EAR_HZ // 2] = 0

    words = timed_words([Segment(0, 2000, ("tomorrow", "tomorrow"))], audio, 10_000)

    assert [word.text for word in words] == ["tomorrow", "tomorrow"]
    assert abs(words[0].start_ms - 10_500) <= 60
    assert abs(words[0].end_ms - 11_000) <= 60
    assert abs(words[1].start_ms - 11_500) <= 60
    assert abs(words[1].end_ms - 12_000) <= 20


def test_times_are_in_order_and_inside_even_on_silence() -> None:
    segments = [Segment(0, 700, ("one", "two")), Segment(700, 2000, ("three", "four", "five"))]
    words = timed_words(segments, np.zeros(EAR_HZ, np.float32), 0)
    times = [time for word in words for time in (word.start_ms, word.end_ms)]
    assert times == sorted(times)
    assert times[-1] <= 1000


def test_no_audio_no_words() -> None:
    assert timed_words([Segment(0, 100, ("one",))], np.zeros(0, np.float32), 0) == ()
