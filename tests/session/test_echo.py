"""The echo guard, on voice-like sounds in simulated rooms; `benchmarks/echo.py` has real voices."""

import numpy as np
import pytest

from benchmarks.echo_room import Room, echo_of, mixed
from speakback.audio.pcm import Samples
from speakback.session.echo import SILENT_LINE_LIKELIHOOD, WARM_UP_LIKELIHOOD, EchoGuard
from speakback.session.echo_bands import BandLevels
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples, samples_to_ms

START_MS = 1_000
"""When the agent begins."""
FRAME = 512
NOISE_DBFS = -65.0


def babble(seconds: float, rate_hz: int, seed: int) -> Samples:
    """Like a voice: syllables of 100 to 300 ms, each of its own colour and loudness, with short pauses."""
    random = np.random.default_rng(seed)
    parts, length = [], 0
    while length < seconds * rate_hz:
        n = int(random.uniform(0.1, 0.3) * rate_hz)
        t = np.arange(n) / rate_hz
        tones = sum(np.sin(2 * np.pi * hz * t + random.uniform(0, 6)) for hz in random.uniform(250, 4000, 4))
        syllable = tones * np.hanning(n) * 0.1 * 10 ** random.uniform(-1, 0)
        parts += [syllable, np.zeros(int(random.choice([0.02, 0.05, 0.2]) * rate_hz))]
        length += len(parts[-1]) + n
    return np.asarray(np.concatenate(parts)[: int(seconds * rate_hz)], np.float32)


AGENT = babble(6, VOICE_HZ, 1)
USER = babble(2, EAR_HZ, 2)


def judged(
    agent_24k: Samples,
    microphone: Samples,
    guard: EchoGuard | None = None,
    *,
    begins_ms: int = 0,
    asked_every: int = 1,
) -> list[tuple[int, float | None]]:
    """What the guard says after each frame of the microphone (or each so-many-th), which begins at `begins_ms`; the
    agent begins `START_MS` later."""
    guard = guard or EchoGuard()
    size = ms_to_samples(40, VOICE_HZ)
    messages = [
        (begins_ms + START_MS + max(0, 40 * n - 40), agent_24k[n * size : (n + 1) * size])
        for n in range(-(-len(agent_24k) // size))
    ]
    said = []
    for end in range(FRAME, len(microphone) + 1, FRAME):
        now_ms = begins_ms + samples_to_ms(end, EAR_HZ)
        while messages and messages[0][0] <= now_ms:
            at_ms, audio = messages.pop(0)
            guard.played(audio, at_ms)
        guard.heard(microphone[end - FRAME : end], now_ms)
        if end // FRAME % asked_every == 0:
            said.append((now_ms, guard.likelihood(now_ms)))
    return said


def microphone(*parts: tuple[int, Samples], seconds: float = 8.5) -> Samples:
    """Sounds, each from its millisecond on, and noise."""
    return mixed(
        [(ms_to_samples(at_ms, EAR_HZ), sound) for at_ms, sound in parts], int(seconds * EAR_HZ), NOISE_DBFS, 3
    )


def share(said: list[tuple[int, float | None]], from_ms: int, to_ms: int) -> float:
    """Of the judgements in that time, those that say echo."""
    likely = [likelihood > 0.6 for at_ms, likelihood in said if likelihood is not None and from_ms < at_ms <= to_ms]
    assert likely
    return float(np.mean(likely))


ROOMS = [Room(delay_ms, gain_db) for delay_ms, gain_db in ((30, -6), (120, -20), (250, -12), (400, -6), (400, -28))]


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_the_agents_own_voice_is_an_echo_and_its_way_is_found(room: Room) -> None:
    guard = EchoGuard()
    said = judged(AGENT, microphone((START_MS, echo_of(AGENT, room, 4))), guard)
    assert share(said, START_MS, 9_000) > 0.85
    assert share(said, START_MS + room.delay_ms + 1_500, 7_000) > 0.9
    assert guard.path is not None
    assert abs(guard.path.lag_ms - room.delay_ms) <= 32
    assert np.all(np.abs(guard.path.gain_db - room.gain_db) < 12)


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_a_person_over_the_echo_is_told_from_it_within_300_ms(room: Room) -> None:
    echo, onset_ms = echo_of(AGENT, room, 4), START_MS + 4_000
    user = USER * np.float32(10 ** ((room.gain_db + 6) / 20))
    said = judged(AGENT, microphone((START_MS, echo), (onset_ms, user)))
    assert any(likelihood is not None and likelihood < 0.4 for at, likelihood in said if 0 < at - onset_ms <= 300)
    assert share(said, onset_ms + 300, onset_ms + 1_500) < 0.5


def test_a_person_in_the_first_moments_is_held_for_an_echo_until_half_a_second_was_heard() -> None:
    onset_ms = START_MS + 300
    said = judged(AGENT, microphone((onset_ms, USER)))
    first = [likelihood for at_ms, likelihood in said if onset_ms + 100 < at_ms < onset_ms + 450]
    assert all(likelihood is not None and likelihood >= WARM_UP_LIKELIHOOD for likelihood in first)
    assert share(said, onset_ms + 900, onset_ms + 2_000) < 0.3


@pytest.mark.parametrize("after_ms", [100, 250, 400, 550])
def test_two_who_begin_one_after_the_other_are_no_echo(after_ms: int) -> None:
    guard = EchoGuard()
    said = judged(AGENT, microphone((START_MS + after_ms, babble(1.2, EAR_HZ, after_ms))), guard)
    assert guard.path is None
    assert any(likelihood is not None and likelihood < 0.4 for _, likelihood in said)


def test_where_nothing_came_back_for_long_a_person_is_not_held_for_an_echo() -> None:
    onset_ms = START_MS + 4_000
    guard = EchoGuard()
    said = judged(AGENT, microphone((onset_ms, USER)), guard)
    assert all(likelihood is None or likelihood < 0.6 for _, likelihood in said)
    assert guard.path is None


@pytest.mark.parametrize("seed", [1300, 1700])
def test_a_line_without_echo_is_known_also_to_an_agent_who_is_always_interrupted_early(seed: int) -> None:
    """Each reply is talked over after 1 s; the first seconds of them all bring nothing back."""
    guard = EchoGuard()
    for reply in range(6):
        agent = babble(2, VOICE_HZ, seed + reply)[: ms_to_samples(1400, VOICE_HZ)]
        user = babble(2, EAR_HZ, seed + 50 + reply)
        said = judged(agent, microphone((START_MS + 1_000, user), seconds=5), guard, begins_ms=5_000 * reply)
    assert any(likelihood is not None for _, likelihood in said)
    assert all(likelihood is None or likelihood <= SILENT_LINE_LIKELIHOOD for _, likelihood in said)


def test_nothing_is_judged_while_nothing_sounds_or_nothing_was_played() -> None:
    assert all(likelihood is None for _, likelihood in judged(AGENT, microphone()))
    assert all(likelihood is None for _, likelihood in judged(AGENT[:0], microphone((500, USER))))


def test_a_person_who_speaks_after_the_agent_is_not_judged() -> None:
    said = judged(AGENT[: 2 * VOICE_HZ], microphone((START_MS + 4_000, USER)))
    assert all(likelihood is None for at_ms, likelihood in said if at_ms > START_MS + 3_500)


def test_a_way_once_found_is_kept_for_the_next_reply() -> None:
    room, guard = Room(200, -12), EchoGuard()
    judged(AGENT, microphone((START_MS, echo_of(AGENT, room, 4))), guard)
    again, later_ms = babble(2, VOICE_HZ, 5), 20_000
    echo = microphone((0, echo_of(again, room, 4)), seconds=2)
    said = []
    for n in range(0, len(again), 960):
        guard.played(again[n : n + 960], later_ms)
    for end in range(FRAME, len(echo), FRAME):
        now_ms = later_ms + samples_to_ms(end, EAR_HZ)
        guard.heard(echo[end - FRAME : end], now_ms)
        said.append((now_ms, guard.likelihood(now_ms)))
    assert share(said, later_ms, later_ms + 2_000) > 0.9
    assert not any(likelihood is not None and likelihood < 0.4 for _, likelihood in said)


def test_headphones_put_on_end_the_way() -> None:
    guard = EchoGuard()
    echo = echo_of(AGENT, Room(120, -6), 4)[: 3 * EAR_HZ]
    judged(AGENT, microphone((START_MS, echo)), guard)
    assert guard.path is None


def test_frames_that_come_late_and_in_bursts_change_nothing() -> None:
    room, guard = Room(120, -12), EchoGuard()
    heard = microphone((START_MS, echo_of(AGENT, room, 4)))
    size = ms_to_samples(40, VOICE_HZ)
    for n in range(0, len(AGENT), size):
        guard.played(AGENT[n : n + size], START_MS + max(0, samples_to_ms(n, VOICE_HZ) - 40))
        now_ms = START_MS + samples_to_ms(n, VOICE_HZ)
        if n // size % 5 == 4:  # 200 ms at once
            for end in range(now_ms - 168, now_ms + 1, 32):
                frame = ms_to_samples(end // 32 * 32, EAR_HZ)
                guard.heard(heard[frame - FRAME : frame], now_ms)
    assert guard.path is not None


def test_a_frame_is_not_examined_while_the_agent_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    examined: list[Samples] = []
    monkeypatch.setattr(BandLevels, "push", lambda _, audio: examined.append(audio))
    guard = EchoGuard()
    for step in range(200):
        guard.heard(USER[:FRAME], 32 * step)
    assert examined == []


@pytest.mark.parametrize("seed", range(3))
def test_it_comes_to_the_same_whether_it_is_asked_at_each_frame_or_seldom(seed: int) -> None:
    """What nobody asks about is taken in several frames at a time, and silent ones all at once."""
    agent = babble(6, VOICE_HZ, 10 + seed)
    room = Room(delay_ms=180, gain_db=-12)
    heard = microphone((START_MS, echo_of(agent, room, 4)))
    often, seldom = EchoGuard(), EchoGuard()
    at_each = dict(judged(agent, heard, often))
    at_some = judged(agent, heard, seldom, asked_every=20)
    assert often.path is not None
    assert seldom.path is not None
    assert abs(often.path.lag_hops - seldom.path.lag_hops) <= 1
    told = [(at_each[now_ms], likelihood) for now_ms, likelihood in at_some]
    assert sum(one is not None for one, _ in told) >= 5
    for one, other in told:
        assert (one is None) == (other is None)
        assert other == pytest.approx(one, abs=0.1)
