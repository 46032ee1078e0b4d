"""How well the agent's own voice, come back through a loudspeaker, is told from a person who speaks.

Real voices through simulated rooms (`echo_room.py`): the agent's is Hibari, the person's is Piper's `joe`.
"""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import soxr

from benchmarks.echo_room import Room, echo_of, mixed
from benchmarks.figures import Figure, Findings
from benchmarks.lines import INTERRUPTIONS
from speakback.audio.pcm import Samples
from speakback.providers.adapters.hibari import Hibari
from speakback.providers.adapters.piper import Piper
from speakback.providers.tts import TextToSpeech
from speakback.session.echo import EchoGuard
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples, samples_to_ms

AGENT_LINES = (
    "Of course. A good detective story keeps you guessing until the last page, and it plays fair with its clues.",
    "You need two hundred grams of flour, the same of butter and sugar, three eggs, and the juice of one lemon.",
    "Good shoes with a firm sole are the most important thing. Take a map as well, because phones run out of battery.",
    "Every evening the lighthouse keeper climbed the stairs, lit the lamp, and wrote one line in his book.",
)
DELAYS_MS = (30, 120, 250, 400)
GAINS_DB = (-6, -12, -20, -30)
USER_LEVELS_DB = (-6, 0, 6, 12)
"""Of the person, relative to the echo."""
BEGIN_MS = 500
USER_AT_MS = (5200, 6100)
QUIET_LINE_USER_AT_MS = (600, 1000, 1500, 3000, 4500, 6500)
WARM_UP_MS = 1500
ECHO_AT = 0.6
USER_BELOW = 0.4
JITTER_MS = 20


@dataclass(slots=True)
class Call:
    """One call's judgements (when, how likely an echo) and what each frame cost."""

    judged: list[tuple[int, float]] = field(default_factory=list)
    frame_us: list[float] = field(default_factory=list)

    def echo_share(self, from_ms: int, to_ms: int) -> list[bool]:
        """Which judgements in that time say echo."""
        return [likelihood > ECHO_AT for at_ms, likelihood in self.judged if from_ms < at_ms <= to_ms]

    def user_after_ms(self, onset_ms: int) -> int | None:
        """How long after the onset a person is heard in it; None: not within 1.5 s."""
        found = (at - onset_ms for at, likelihood in self.judged if likelihood < USER_BELOW and at > onset_ms)
        return next((after_ms for after_ms in found if after_ms <= 1500), None)


def listen(agent_24k: Samples, microphone_16k: Samples, seed: int) -> Call:
    """Play the agent's audio as a session does, from `BEGIN_MS` on, and judge what the microphone hears."""
    guard, call, random = EchoGuard(), Call(), np.random.default_rng(seed)
    message, frame = ms_to_samples(40, VOICE_HZ), 512
    sent = [
        (BEGIN_MS + max(0, 40 * n - 40), agent_24k[n * message : (n + 1) * message])
        for n in range(-(-len(agent_24k) // message))
    ]
    for end in range(frame, len(microphone_16k) + 1, frame):
        at_ms = samples_to_ms(end, EAR_HZ) + int(random.integers(JITTER_MS))
        while sent and sent[0][0] <= at_ms:
            due_ms, audio = sent.pop(0)
            guard.played(audio, due_ms)
        began = time.thread_time()
        guard.heard(microphone_16k[end - frame : end], at_ms)
        call.frame_us.append((time.thread_time() - began) * 1e6)
        likelihood = guard.likelihood(at_ms)
        if likelihood is not None:
            call.judged.append((at_ms, likelihood))
    return call


async def spoken(voice: TextToSpeech, texts: Sequence[str]) -> list[Samples]:
    """Each text at 24 kHz."""

    async def clauses(text: str) -> AsyncIterator[str]:
        yield text

    audio = [np.concatenate([chunk.audio_24k async for chunk in voice.speak(clauses(text))]) for text in texts]
    await voice.aclose()
    return audio


def at_level(speech: Samples, like: Samples, relative_db: float) -> Samples:
    """`speech` as loud as `like`, both where they sound, but for `relative_db`."""

    def loudness(sound: Samples) -> float:
        return float(np.sqrt(np.mean(np.square(sound[np.abs(sound) > 0.1 * np.max(np.abs(sound))]))))

    return np.asarray(speech * (loudness(like) / loudness(speech) * 10 ** (relative_db / 20)), np.float32)


def rooms() -> Iterator[tuple[int, Room]]:
    """Every delay with every gain; the rest by the room's number."""
    for number, (delay_ms, gain_db) in enumerate(product(DELAYS_MS, GAINS_DB)):
        decay_ms, direct = (150, 300, 450)[number % 3], (0.7, 1.0, 2.0)[number // 3 % 3]
        yield number, Room(delay_ms, gain_db, decay_ms, direct)


async def measure() -> Findings:
    """Judge all rooms, with and without a person, and a line without echo."""
    agent = await spoken(Hibari(), AGENT_LINES)
    users = [np.asarray(soxr.resample(u, VOICE_HZ, EAR_HZ), np.float32) for u in await spoken(Piper(), INTERRUPTIONS)]
    warm: list[bool] = []
    early: list[bool] = []
    cost: list[float] = []
    told: dict[int, list[int | None]] = {level: [] for level in USER_LEVELS_DB}
    for number, room in rooms():
        played = np.concatenate([agent[number % 4], agent[(number + 1) % 4]])
        echo = echo_of(played, room, number)
        parts, length = [(ms_to_samples(BEGIN_MS, EAR_HZ), echo)], ms_to_samples(BEGIN_MS, EAR_HZ) + len(echo)
        alone = listen(played, mixed(parts, length, room.noise_dbfs, number), number)
        settled_ms = BEGIN_MS + room.delay_ms + WARM_UP_MS
        early += alone.echo_share(0, settled_ms)
        warm += alone.echo_share(settled_ms, samples_to_ms(length, EAR_HZ))
        cost += alone.frame_us
        for level, onset_ms in product(USER_LEVELS_DB, USER_AT_MS):
            user = at_level(users[(number + onset_ms) % len(users)], echo, level)
            both = mixed([*parts, (ms_to_samples(onset_ms, EAR_HZ), user)], length, room.noise_dbfs, number)
            told[level].append(listen(played, both, number).user_after_ms(onset_ms))
    figures = [
        Figure("echo judged echo, after the warm-up", _percent(warm), "%", 95, at_least=True),
        Figure("echo judged echo, in the warm-up", _percent(early), "%", 90, at_least=True),
    ]
    for level, after in told.items():
        goal = 90 if level >= 0 else None
        quick = [ms is not None and ms <= 300 for ms in after]
        figures.append(Figure(f"a person {level:+d} dB told within 300 ms", _percent(quick), "%", goal, at_least=True))
    figures += _without_echo(agent, users)
    figures.append(Figure("a frame of 32 ms costs, median of the processor's time", float(np.median(cost)), "µs", 100))
    notes = (
        f"delays {DELAYS_MS} ms, echo {GAINS_DB} dB, reverberation 150 to 450 ms, noise -65 dBFS, drift 50 ppm, frames "
        f"up to {JITTER_MS} ms late. Echo: likelihood above {ECHO_AT}; a person: below {USER_BELOW}.",
        "Levels of the person are relative to the echo, both where they sound.",
    )
    return Findings("echo", f"{len(warm) + len(early)} judgements, {len(told[0])} per level", tuple(figures), notes)


def _without_echo(agent: list[Samples], users: list[Samples]) -> list[Figure]:
    """A person over the agent, on a line that brings no echo: in the warm-up, and after it."""
    young: list[bool] = []
    later: list[bool] = []
    for number, user in enumerate(users):
        onset_ms = QUIET_LINE_USER_AT_MS[number % len(QUIET_LINE_USER_AT_MS)]
        played = np.concatenate([agent[number % 4], agent[(number + 1) % 4]])
        length = ms_to_samples(BEGIN_MS, EAR_HZ) + len(played) * EAR_HZ // VOICE_HZ
        microphone = mixed([(ms_to_samples(onset_ms, EAR_HZ), user)], length, -65.0, number)
        judged = listen(played, microphone, number).echo_share(onset_ms, onset_ms + 3000)
        (young if onset_ms <= BEGIN_MS + 2500 else later).extend(judged)
    return [
        Figure("no echo: a person judged echo, in the agent's first 2.5 s", _percent(young), "%"),
        Figure("no echo: a person judged echo, later", _percent(later), "%", 10),
    ]


def _percent(true: list[bool]) -> float:
    return 100 * float(np.mean(true)) if true else float("nan")
