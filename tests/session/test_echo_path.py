import numpy as np
import pytest

from speakback.session.echo_bands import BANDS, HOP_MS, SILENCE_DB, BandLevels, Levels, Track
from speakback.session.echo_path import LAGS, best_match, measured_gain, nearby
from speakback.timebase import EAR_HZ, VOICE_HZ


def levels(hops: int, seed: int = 1) -> Levels:
    return np.random.default_rng(seed).uniform(-60, -20, (hops, BANDS)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [EAR_HZ, VOICE_HZ])
def test_a_tone_stands_in_its_band_at_any_rate(rate_hz: int) -> None:
    t = np.arange(rate_hz) / rate_hz
    tone = (0.1 * np.sin(2 * np.pi * 1_700 * t)).astype(np.float32)
    found = BandLevels(rate_hz).push(tone)
    assert found.shape == (1000 // HOP_MS, BANDS)
    assert np.all(np.abs(found[2:, 2] - 10 * np.log10(0.1**2 / 2)) < 0.5)
    assert np.all(found[2:, [0, 3]] < -80)


def test_hops_do_not_depend_on_how_the_sound_is_cut() -> None:
    sound = np.random.default_rng(1).standard_normal(5_000).astype(np.float32)
    whole, pieces = BandLevels(EAR_HZ), BandLevels(EAR_HZ)
    parts = [pieces.push(sound[n : n + 333]) for n in range(0, len(sound), 333)]
    assert np.allclose(whole.push(sound), np.concatenate(parts), atol=1e-3)


def test_digital_silence_has_the_least_level() -> None:
    assert np.all(BandLevels(EAR_HZ).push(np.zeros(1024, np.float32)) < SILENCE_DB + 0.1)


def test_a_track_keeps_what_was_put_and_is_silent_elsewhere() -> None:
    track, some = Track(), levels(300)
    track.put(1_000, some[:100])
    track.put(1_150, some[100:150])
    assert track.end == 1_200
    assert np.array_equal(track.get(1_000, 1_100), some[:100])
    assert np.all(track.get(1_100, 1_150) == SILENCE_DB)
    assert np.array_equal(track.get(1_150, 1_200), some[100:150])
    assert np.all(track.get(1_200, 1_220) == SILENCE_DB)
    track.put(1_200, some[150:160])  # over the silence that was asked for
    assert np.array_equal(track.get(1_150, 1_210), some[100:160])
    track.put(9_000, some[:1])
    assert np.all(track.get(9_001 - Track.HOPS, 9_000) == SILENCE_DB)


@pytest.mark.parametrize("lag", [0, 1, 17, LAGS - 1])
def test_the_lag_of_an_echo_is_found(lag: int) -> None:
    played = levels(60 + LAGS - 1)
    heard = played[LAGS - 1 - lag :][:60] - 15
    match = best_match(heard, played)
    assert match.lag_hops == lag
    assert match.correlation == pytest.approx(1, abs=1e-3)


def test_an_echo_half_drowned_in_noise_is_still_found() -> None:
    played = levels(60 + LAGS - 1)
    heard = np.maximum(played[20:80] - 15, np.float32(-55))
    match = best_match(heard, played)
    assert match.lag_hops == LAGS - 1 - 20
    assert match.correlation > 0.97


def test_other_sound_is_not_alike() -> None:
    assert best_match(levels(60, 2), levels(60 + LAGS - 1, 1)).correlation < 0.4


def test_silence_is_like_nothing() -> None:
    silence = np.full((60, BANDS), SILENCE_DB, np.float32)
    assert best_match(silence, levels(60 + LAGS - 1)).correlation == 0
    assert best_match(levels(60), np.full((60 + LAGS - 1, BANDS), SILENCE_DB, np.float32)).correlation == 0


def test_the_gain_is_measured_where_much_is_played() -> None:
    played = nearby(levels(62))
    gain = measured_gain(played - 20, played)
    assert gain is not None
    assert np.allclose(gain, -20, atol=1e-3)
    assert measured_gain(played, np.full((60, BANDS), -80, np.float32)) is None
