"""Where there is speech, by energy."""

import pytest

from speakback.audio.pcm import Samples
from speakback.caller.speech_intervals import find_speech, utterances
from speakback.caller.timeline import Interval
from speakback.timebase import VOICE_HZ
from tests.caller.sounds import join, noise, silence, tone


def near(found: tuple[Interval, ...], expected: list[tuple[int, int]]) -> bool:
    """Whether all edges are right within 10 ms, the step in which they are sought."""
    edges = [(interval.start_ms, interval.end_ms) for interval in found]
    return len(edges) == len(expected) and all(
        abs(one - other) <= 10 for pair in zip(edges, expected, strict=True) for one, other in zip(*pair, strict=True)
    )


def test_the_edges_of_speech() -> None:
    assert near(find_speech(join(silence(300), tone(500), silence(400))), [(300, 800)])


def test_a_short_gap_is_within_speech_and_a_long_one_is_not() -> None:
    audio = join(tone(300), silence(150), tone(300), silence(400), tone(300))
    assert near(find_speech(audio), [(0, 750), (1150, 1450)])


def test_soft_speech_beside_loud_speech_counts() -> None:
    assert near(find_speech(join(tone(300, 0.5), silence(400), tone(300, 0.02))), [(0, 300), (700, 1000)])


def test_a_click_is_no_speech() -> None:
    assert near(find_speech(join(silence(300), tone(20), silence(400), tone(300))), [(720, 1020)])


def test_noise_under_speech_is_not_speech() -> None:
    audio = join(silence(500), tone(500), silence(500)) + noise(1500, -45)
    assert near(find_speech(audio), [(500, 1000)])


@pytest.mark.parametrize("audio", [silence(0), silence(5), silence(1000), noise(1000, -70)], ids=len)
def test_silence_holds_none(audio: Samples) -> None:
    assert find_speech(audio) == ()


def test_a_recording_is_cut_at_its_long_pauses() -> None:
    audio = join(silence(500), tone(400), silence(600), tone(400), silence(1500), tone(800), silence(500))
    lengths_ms = [len(part) * 1000 / VOICE_HZ for part in utterances(audio)]
    assert lengths_ms == pytest.approx([1400 + 300, 800 + 300], abs=20)
    assert utterances(silence(3000)) == []
