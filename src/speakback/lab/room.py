"""What else the user's microphone picks up: noises, words to someone else, the agent's own voice come back."""

from random import Random

from speakback.lab.clock import Clock, Timer
from speakback.lab.draws import log_normal
from speakback.lab.personas import Persona
from speakback.lab.voice import Sound, Stretch, Voice

NOISE = log_normal(300, 900)
SIDE_TALK = log_normal(1200, 3500)
"""How long they last. Assumptions: a cough or a door; a sentence to someone else."""
ECHO_DELAY_MS = 60
"""From the loudspeaker through the microphone."""


class Room:
    """The room that one caller sits in. `rng` is its alone."""

    def __init__(self, clock: Clock, persona: Persona, rng: Random) -> None:
        self.voice = Voice(clock)
        self._clock = clock
        self._persona = persona
        self._rng = rng
        self._echo = Timer(clock)
        self._plan(Sound.NOISE, persona.noises_per_min)
        self._plan(Sound.SIDE_TALK, persona.side_talks_per_min)

    def voice_began(self, stretch: Stretch) -> None:
        """The agent speaks, and may come back."""
        if self._rng.random() < self._persona.echo:
            self._echo.set(self._clock.now_ms + ECHO_DELAY_MS, lambda: self._sound(Sound.ECHO, stretch.due_ms))

    def voice_ended(self, stretch: Stretch) -> None:
        """The agent falls silent, and so does its echo."""
        self._echo.cancel()
        if self.voice.stretch is not None and self.voice.stretch.sound is Sound.ECHO:
            self.voice.end()

    def _plan(self, sound: Sound, per_min: float) -> None:
        if per_min > 0:
            at_ms = self._clock.now_ms + int(self._rng.expovariate(per_min / 60_000))
            self._clock.at(at_ms, lambda _: self._happen(sound, per_min))

    def _happen(self, sound: Sound, per_min: float) -> None:
        duration_ms = (NOISE if sound is Sound.NOISE else SIDE_TALK).ms(self._rng)
        self._sound(sound, self._clock.now_ms + duration_ms)
        self._plan(sound, per_min)

    def _sound(self, sound: Sound, until_ms: int) -> None:
        stretch = Stretch(sound, self._clock.now_ms, max(until_ms, self._clock.now_ms + 1))
        self.voice.begin(stretch)
        self._clock.at(stretch.due_ms, lambda _: self._end(stretch))

    def _end(self, stretch: Stretch) -> None:
        if self.voice.stretch is stretch:
            self.voice.end()
