"""The agent's voice as it is played: phrase by phrase, and what stopping, holding and resuming make of it."""

from collections import deque
from collections.abc import Callable, Iterable
from random import Random

from speakback.lab.clock import Clock, Timer
from speakback.lab.turn_plans import Phrase
from speakback.lab.voice import After, Sound, Stretch, Voice

IN_FLIGHT_MS = (20, 60)
"""Audio that was sent and is still played when a reply is stopped, fade included. The gateway is at most 80 ms ahead
and sends 40 ms at a time; live, 111 ms lie between a user's first voiced sample and the agent's last audio, of which
the VAD takes 96 to 128."""
BACK_MS = 200
"""A resumed reply goes back to the begin of the word that was broken off."""
RESTART_MS = 40
"""From the order to resume to sound."""


class Playing:
    """Plays one reply at a time with the agent's voice."""

    def __init__(self, clock: Clock, rng: Random, finished: Callable[[], None]) -> None:
        self.voice = Voice(clock)
        self._clock = clock
        self._rng = rng
        self._finished = finished
        self._unsaid: deque[Phrase] = deque()
        self._step = Timer(clock)
        self._is_halted = False

    @property
    def remaining_ms(self) -> int:
        """Until the reply is over, if nothing comes in between."""
        stretch = self.voice.stretch
        rest_ms = sum(phrase.duration_ms + phrase.pause_ms for phrase in self._unsaid)
        if stretch is None or not self._unsaid:
            return rest_ms
        return rest_ms - self._unsaid[0].duration_ms + stretch.due_ms - self._clock.now_ms

    @property
    def unsaid(self) -> tuple[Phrase, ...]:
        """What was not played to its end."""
        return tuple(self._unsaid)

    def play(self, phrases: Iterable[Phrase]) -> None:
        """Begin to play."""
        self.voice.end()
        self._unsaid = deque(phrases)
        self._is_halted = False
        self._begin()

    def halt(self) -> None:
        """Fall silent as soon as what was sent is played; the rest is `unsaid`."""
        self._is_halted = True
        stretch = self.voice.stretch
        if stretch is None:
            self._step.cancel()
            return
        silent_ms = self._clock.now_ms + self._rng.randint(*IN_FLIGHT_MS)
        if silent_ms < stretch.due_ms:
            self._step.set(silent_ms, self._break_off)

    def resume(self) -> None:
        """Go on with what is unsaid."""
        self._is_halted = False
        self._step.set(self._clock.now_ms + RESTART_MS, self._begin)

    def _begin(self) -> None:
        if self.voice.stretch is not None:  # resumed before what was in flight ran out
            self._step.set(self.voice.stretch.due_ms, self._phrase_over)
            return
        phrase, now_ms = self._unsaid[0], self._clock.now_ms
        after = After.GO_ON if len(self._unsaid) > 1 else After.END
        stretch = Stretch(Sound.SPEECH, now_ms, now_ms + phrase.duration_ms, after=after, act=phrase.act)
        self._step.set(stretch.due_ms, self._phrase_over)
        self.voice.begin(stretch)

    def _phrase_over(self) -> None:
        phrase = self._unsaid.popleft()
        self.voice.end()
        if not self._unsaid:
            self._finished()
        elif not self._is_halted:
            self._step.set(self._clock.now_ms + phrase.pause_ms, self._begin)

    def _break_off(self) -> None:
        stretch = self.voice.stretch
        assert stretch is not None, "only what sounds is broken off"
        left_ms = min(stretch.due_ms - self._clock.now_ms + BACK_MS, stretch.due_ms - stretch.start_ms)
        phrase = self._unsaid.popleft()
        self._unsaid.appendleft(Phrase(left_ms, phrase.pause_ms, phrase.act))
        stretch.after, stretch.act = After.BREAK_OFF, None
        self.voice.end()
