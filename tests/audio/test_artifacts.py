from dataclasses import replace

import numpy as np
import pytest

from speakback.audio.artifacts import ArtifactReport, SentAudio, find_artifacts
from speakback.audio.pcm import Samples

TEXT = "I can help you with that today, my dear old friend."
BORDER = 36_000
MESSAGE = 960


def speech() -> Samples:
    """Three seconds that behave like speech: a swelling, voiced tone in two phrases with a break between."""
    t = np.arange(72_000) / 24_000
    voice = 0.25 * np.sin(2 * np.pi * 140 * t) + 0.08 * np.sin(2 * np.pi * 1_900 * t)
    loudness = np.clip(0.6 - 0.5 * np.cos(2 * np.pi * 4 * t), 0, 1)
    phrase = np.clip(np.minimum(t % 1.5, 1.3 - t % 1.5) / 0.05, 0, 1)
    return (voice * loudness * phrase).astype(np.float32)


def paced(samples: int) -> list[SentAudio]:
    """Messages of 40 ms, at most 80 ms ahead of real time."""
    return [SentAudio(1_000 + max(0, n * 40 - 40), min(MESSAGE, samples - n * MESSAGE)) for n in range(samples // 960)]


def examine(audio: Samples, sent: list[SentAudio] | None = None, text: str = TEXT) -> ArtifactReport:
    return find_artifacts(audio, paced(len(audio)) if sent is None else sent, [BORDER], text)


def delayed(sent: list[SentAudio], first: int, by_ms: int) -> list[SentAudio]:
    return [replace(m, at_ms=m.at_ms + by_ms) if n >= first else m for n, m in enumerate(sent)]


def test_good_audio_is_clean() -> None:
    report = examine(speech())
    assert report.clean, report
    assert report.words_per_minute == 11 * 20
    assert report.length_fits


def test_a_message_after_the_client_ran_dry_is_late_and_those_after_it_are_not() -> None:
    report = examine(speech(), delayed(paced(72_000), first=10, by_ms=90))
    assert report.late_frames == 2
    assert not report.clean


def test_a_message_that_the_lead_covers_is_not_late() -> None:
    sent = delayed(paced(72_000), first=10, by_ms=35)
    assert examine(speech(), sent).late_frames == 0


def test_a_gap_at_a_border_is_a_break_until_it_is_too_long() -> None:
    at_border = BORDER // MESSAGE
    assert examine(speech(), delayed(paced(72_000), at_border, by_ms=300)).clean
    assert examine(speech(), delayed(paced(72_000), at_border, by_ms=600)).late_frames == 2


def test_a_silence_that_was_meant_is_not_late_but_what_is_late_after_it_is() -> None:
    held = delayed(paced(72_000), first=10, by_ms=1_500)
    held[10] = replace(held[10], after_hold=True)
    assert examine(speech(), held).clean
    assert examine(speech(), delayed(held, first=20, by_ms=90)).late_frames == 2


@pytest.mark.parametrize("start", [12_345, 50_000])
def test_a_hole_of_25_ms_in_a_sound_is_a_missing_stretch(start: int) -> None:
    audio = speech()
    audio[start : start + 600] = 0
    report = examine(audio)
    assert report.missing_frames == 2
    assert not report.clean


def test_samples_that_never_went_out_are_missing() -> None:
    assert examine(speech(), paced(72_000)[:-1]).missing_frames == 2


def test_flat_tops_are_clipped_and_a_single_peak_is_not() -> None:
    audio = speech()
    audio[20_000] = 1.0
    assert examine(audio).clipped_samples == 0
    loud = np.clip(speech() * 8, -1, 32767 / 32768).astype(np.float32)
    assert examine(loud).clipped_samples > 100


def test_a_step_at_a_border_is_a_click() -> None:
    audio = speech()
    audio[BORDER:] += 0.08
    report = examine(audio)
    assert report.border_jumps >= 1
    assert not report.clean


def test_the_same_step_elsewhere_is_not_a_border_jump() -> None:
    audio = speech()
    audio[BORDER + 100 : BORDER + 2_000] += 0.01
    assert examine(audio).border_jumps == 0


def test_a_second_of_silence_is_unexpected_and_a_break_is_not() -> None:
    audio = np.insert(speech(), 34_000, np.zeros(24_000, np.float32))
    report = examine(audio)
    assert 1_000 <= report.unexpected_silence_ms <= 1_300
    assert not report.clean


def test_audio_too_short_or_too_long_for_its_text_does_not_fit() -> None:
    assert examine(speech()[:31_000]).length_fits is False
    assert examine(np.tile(speech(), 4)).length_fits is False


def test_audio_that_stops_within_a_sound_is_cut_off() -> None:
    loudest = 9_000 + int(np.argmax(np.abs(speech()[9_000:12_000])))
    assert examine(speech()[:loudest]).cut_off


def test_the_length_of_three_words_is_not_judged_and_digits_count_as_words() -> None:
    assert examine(speech(), text="Yes, I do 😀 !").words_per_minute is None
    assert examine(speech(), text="1,250 or 1984?").words_per_minute == 9 * 20


def test_nothing_sent_has_no_artifacts() -> None:
    assert find_artifacts(np.zeros(0, np.float32), [], [], "").clean
