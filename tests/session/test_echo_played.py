"""session/echo_played.py, and that the echo guard foretells the same however late it measures what was played."""

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.session.echo import LOOKED_BACK_MS, EchoGuard
from speakback.session.echo_bands import HOP_MS, LONG_AGO, SILENCE_DB
from speakback.session.echo_played import PlayedSound
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples

MESSAGE_MS = 40
FRAME_MS = 32


def noise(ms: int, rate_hz: int, level: float, seed: int = 1) -> Samples:
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(ms_to_samples(ms, rate_hz))).astype(np.float32)


def played(messages: int, *, from_ms: int = 0) -> PlayedSound:
    sound = PlayedSound()
    for number in range(messages):
        sound.add(noise(MESSAGE_MS, VOICE_HZ, 0.1, seed=number), from_ms)
    return sound


def test_what_is_played_in_a_row_is_measured_in_a_row_however_it_is_taken_together() -> None:
    together, each = played(50, from_ms=1000), PlayedSound()
    for number in range(50):
        each.add(noise(MESSAGE_MS, VOICE_HZ, 0.1, seed=number), 1000)
        each.measure()
    together.measure()
    assert together.end_ms == each.end_ms == 1000 + 50 * MESSAGE_MS
    assert (together.audible_hops, together.levels.end) == (each.audible_hops, each.levels.end)
    start = 1000 // HOP_MS
    assert np.allclose(together.levels.get(start, each.levels.end), each.levels.get(start, each.levels.end), atol=1e-3)


def test_of_what_is_skipped_only_the_end_is_measured_and_in_its_place() -> None:
    skipped, whole = played(100), played(100)
    skipped.skip(1000)
    assert 1000 <= skipped.waiting_ms < 1000 + MESSAGE_MS
    kept_hops = skipped.waiting_ms // HOP_MS
    skipped.measure()
    whole.measure()
    end = whole.levels.end
    assert skipped.levels.end == end
    # 30 hops: by then nothing is left of the reverberation before them.
    assert np.allclose(skipped.levels.get(end - kept_hops + 30, end), whole.levels.get(end - kept_hops + 30, end))
    assert np.all(skipped.levels.get(end - kept_hops - 10, end - kept_hops - 1) == SILENCE_DB)


def test_nothing_is_left_to_be_measured_if_all_is_skipped() -> None:
    sound = played(3)
    sound.skip(0)
    assert sound.waiting_ms == 0
    assert sound.end_ms == 3 * MESSAGE_MS
    assert sound.audible_hops == 0


def test_before_anything_was_played_there_is_nothing() -> None:
    sound = PlayedSound()
    sound.skip(0)
    sound.measure()
    assert (sound.end_ms, sound.waiting_ms, sound.levels.end) == (None, 0, LONG_AGO)


def test_a_late_message_on_a_silent_line_has_nothing_measured() -> None:
    guard = EchoGuard()
    room = noise(8000, EAR_HZ, 10 ** (-75 / 20))
    for at_ms in range(FRAME_MS, 5000, FRAME_MS):
        guard.played(noise(FRAME_MS, VOICE_HZ, 0.1), at_ms)
        guard.heard(room[ms_to_samples(at_ms - FRAME_MS, EAR_HZ) :][:512], at_ms)
    assert guard._silent_line
    hops_before = guard._played.levels.end
    guard.played(noise(MESSAGE_MS, VOICE_HZ, 0.1), 5000 + 30)
    assert guard._played.waiting_ms == MESSAGE_MS
    assert guard._played.levels.end > hops_before  # what comes stands in its place
    assert np.all(guard._played.levels.get(hops_before, guard._played.levels.end) == SILENCE_DB)


class Eager(EchoGuard):
    """Always wants to know what was played."""

    def _is_asked_for(self) -> bool:
        return True


@pytest.mark.parametrize("silent_s", [4, 7, 9])
@pytest.mark.parametrize("is_echo", [True, False])
def test_on_a_silent_line_the_guard_judges_the_same_as_if_it_had_measured_all(silent_s: int, is_echo: bool) -> None:
    lazy, eager = EchoGuard(), Eager()
    room, voice = noise(20_000, EAR_HZ, 10 ** (-75 / 20)), noise(20_000, EAR_HZ, 0.05, seed=3)
    agent = noise(20_000, VOICE_HZ, 0.1, seed=5)
    envelope = np.repeat(np.random.default_rng(7).uniform(0, 1, 200), ms_to_samples(100, VOICE_HZ)).astype(np.float32)
    agent *= envelope
    if is_echo:
        voice = 0.3 * np.interp(np.arange(len(voice)) * 1.5, np.arange(len(agent)), agent).astype(np.float32)
        voice = np.roll(voice, ms_to_samples(150, EAR_HZ))
    likelihoods: list[tuple[float | None, float | None]] = []
    sent_ms = 0
    for at_ms in range(FRAME_MS, (silent_s + 4) * 1000, FRAME_MS):
        while sent_ms < at_ms + 80:
            message = agent[ms_to_samples(sent_ms, VOICE_HZ) :][: ms_to_samples(MESSAGE_MS, VOICE_HZ)]
            lazy.played(message, at_ms)
            eager.played(message, at_ms)
            sent_ms += MESSAGE_MS
        sounding = at_ms > silent_s * 1000
        heard = (voice if sounding else room)[ms_to_samples(at_ms - FRAME_MS, EAR_HZ) :][:512]
        lazy.heard(heard, at_ms)
        eager.heard(heard, at_ms)
        if sounding:
            likelihoods.append((lazy.likelihood(at_ms), eager.likelihood(at_ms)))
    assert silent_s * 1000 > LOOKED_BACK_MS
    assert any(likelihood is not None for likelihood, _ in likelihoods)
    for mine, theirs in likelihoods:
        assert mine == pytest.approx(theirs, abs=1e-3)
    assert (lazy.path is None) == (eager.path is None)
