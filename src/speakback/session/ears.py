"""From a client's audio to where its speech starts and stops.

Positions are samples at 16 kHz since the session began. A position becomes a time of the session's
clock by counting back from the moment its frame came in.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from speakback.audio.pcm import Samples, rms
from speakback.session.echo import EchoGuard
from speakback.session.settings import Hearing
from speakback.session.turn_audio import TurnAudio
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms
from speakback.vad.hysteresis import FRAME_SAMPLES, Edge, Hysteresis, VoiceStarted
from speakback.vad.scorer import VadScorer

QUIET_RMS = 10 ** (-65 / 20)
"""Below this level nothing can be speech: such a frame is not worth the model's time (an open, silent
session then costs next to nothing)."""
QUIET_MESSAGE_RMS = 10 ** (-67.5 / 20)
"""Of messages below this, none longer than a frame, three frames in a row (`VadConfig.min_speech_ms`) are never all
above `QUIET_RMS`, wherever the messages' borders lie: speech cannot begin in them."""
QUIET_FRAMES_TOGETHER = 4
"""So many frames (128 ms) of such messages may wait to be heard together while nobody speaks: to hear four costs little
more than one, and nothing comes of any."""
MAX_WAITING_MS = 30_000
"""Audio that may wait to be heard; a client that sends faster than this is heard is told so."""
MAX_UNCOMMITTED_MS = 300_000
"""Audio that may be kept for a client that commits its turns itself."""


class InputOverrun(ValueError):
    """More audio came in than may be kept; the audio of this call was not taken."""


class Wanted(NamedTuple):
    """How many samples at 16 kHz can be made something of; fewer may as well wait for more."""

    samples: int
    if_quiet: int
    """The same if all of them come in messages of at most a frame, each below `QUIET_MESSAGE_RMS`."""


@dataclass(frozen=True, slots=True)
class HeardEdge:
    """Speech started or stopped, and when that was."""

    edge: Edge
    at_ms: int


class Ears:
    """One session's hearing, of audio from `position` on.

    `on_edge` and `on_frame` are called on the event loop, in order of the audio.
    """

    def __init__(
        self,
        vad: VadScorer,
        hearing: Hearing,
        echo: EchoGuard,
        *,
        on_edge: Callable[[HeardEdge], None],
        on_frame: Callable[[int], None],
        position: int = 0,
    ) -> None:
        self._vad = vad
        self._hearing = hearing
        self._echo = echo
        self._stream = vad.open_stream(self._on_score)
        self._hysteresis = Hysteresis(hearing.vad)
        self._on_edge = on_edge
        self._on_frame = on_frame
        self._unscored: deque[int] = deque()
        """When each frame that is being scored came in."""
        self._partial_frame = np.zeros(0, np.float32)
        self._scored_end = position
        self._room_ms = MAX_WAITING_MS
        self._catching_up: tuple[int, asyncio.Event] | None = None
        self._silence: tuple[int, int] | None = None
        """Where speech last stopped: position and time."""
        self.audio = TurnAudio(position)
        self.listening = True
        self.kept_from: int | None = None
        """The position from which audio is kept; None: only the moment before speech."""

    def hear(self, audio_16k: Samples, now_ms: int) -> None:
        """Take in the next stretch of input. Raises `InputOverrun`, and then takes nothing."""
        if self.listening:
            if samples_to_ms(FRAME_SAMPLES * len(self._unscored), EAR_HZ) > self._room_ms:
                raise InputOverrun(f"over {MAX_WAITING_MS // 1000} s of audio wait to be heard: send in real time")
        elif self.audio.end - self.audio.start > ms_to_samples(MAX_UNCOMMITTED_MS, EAR_HZ):
            raise InputOverrun(f"over {MAX_UNCOMMITTED_MS // 1000} s of audio are uncommitted: commit or clear them")
        self.audio.append(audio_16k)
        if self.listening:
            self._score(audio_16k, now_ms)

    def hear_again(self, audio_16k: Samples, now_ms: int) -> asyncio.Event:
        """Hear the end of what an earlier connection heard; the event is set once all of it was scored."""
        self._room_ms += samples_to_ms(len(audio_16k), EAR_HZ)  # what the client sends now does not wait for it
        self.hear(audio_16k, now_ms)
        caught_up = asyncio.Event()
        self._catching_up = (self._scored_end + FRAME_SAMPLES * len(self._unscored), caught_up)
        self._note_position()
        return caught_up

    def restart(self) -> None:
        """Forget that there was voice: speech that goes on opens a new turn."""
        self._hysteresis.restart()
        self._silence = None

    def forget(self) -> None:
        """Let go of the audio so far; what comes next belongs to a new turn."""
        self.restart()
        self.kept_from = None if self.listening else self.audio.end
        if not self.listening:
            self.audio.forget_before(self.audio.end)

    def clear(self) -> None:
        """Let go of all that came in, also of what was not scored yet."""
        self._stream.close()
        self._stream = self._vad.open_stream(self._on_score)
        self._unscored.clear()
        self._partial_frame = np.zeros(0, np.float32)
        self._scored_end = self.audio.end
        self._note_position()
        self.audio.forget_before(self.audio.end)
        self.forget()

    def close(self) -> None:
        """Hear nothing more."""
        self._stream.close()

    def set_listening(self, listening: bool) -> None:
        """Turn detection on or off, from here on. Off: all audio is kept until the client commits or clears it."""
        if listening == self.listening:
            return
        self.listening = listening
        self.clear()

    def samples_wanted(self) -> Wanted:
        """With fewer more than these nothing can be done yet: the VAD scores whole frames."""
        one = FRAME_SAMPLES - len(self._partial_frame)
        together = (QUIET_FRAMES_TOGETHER - 1) * FRAME_SAMPLES if self._is_at_ease() else 0
        return Wanted(one, one + together)

    @property
    def held_bytes(self) -> int:
        """The audio that is kept here, and that waits to be scored."""
        samples = self.audio.end - self.audio.start + FRAME_SAMPLES * len(self._unscored)
        return samples * np.dtype(np.float32).itemsize

    @property
    def voiced(self) -> bool:
        """Whether the user's voice is heard at present."""
        return self._hysteresis.voiced

    # ---- within -------------------------------------------------------------------------------

    def _is_at_ease(self) -> bool:
        """Whether nobody speaks, or has just spoken, or may have begun to."""
        is_settled = self._hysteresis.is_silent and self._silence is None and not self._unscored
        return is_settled and self.listening and self._catching_up is None

    def _score(self, audio_16k: Samples, now_ms: int) -> None:
        waiting = np.concatenate((self._partial_frame, audio_16k))
        whole = len(waiting) - len(waiting) % FRAME_SAMPLES
        self._partial_frame = waiting[whole:]
        for frame in waiting[:whole].reshape(-1, FRAME_SAMPLES):
            self._unscored.append(now_ms)
            self._echo.heard(frame, now_ms)
            if len(self._unscored) == 1 and not self._hysteresis.voiced and rms(frame) < QUIET_RMS:
                self._on_score(0.0)
            else:
                self._stream.push(frame)

    def _on_score(self, probability: float) -> None:
        arrived_ms = self._unscored.popleft()
        frame_start, self._scored_end = self._scored_end, self._scored_end + FRAME_SAMPLES
        edge = self._hysteresis.push(probability, frame_start)
        if edge is not None:
            at_ms = arrived_ms - samples_to_ms(self._scored_end - edge.sample, EAR_HZ)
            self._silence = None if isinstance(edge, VoiceStarted) else (edge.sample, at_ms)
            self._on_edge(HeardEdge(edge, at_ms))
        self._on_frame(self._silence_ahead_ms(arrived_ms))
        kept_ms = self._hearing.preroll_ms + 2 * self._hearing.vad.min_speech_ms
        rolling = self._scored_end - ms_to_samples(kept_ms, EAR_HZ)
        self.audio.forget_before(rolling if self.kept_from is None else self.kept_from)
        self._note_position()

    def _note_position(self) -> None:
        if self._catching_up is not None and self._scored_end >= self._catching_up[0]:
            self._catching_up[1].set()
            self._catching_up = None

    def _silence_ahead_ms(self, arrived_ms: int) -> int:
        """How long the user has been silent by the samples, where that is more than by the clock; else 0."""
        if self._silence is None:
            return 0
        position, since_ms = self._silence
        by_samples = samples_to_ms(self._scored_end - position, EAR_HZ)
        return by_samples if by_samples > arrived_ms - since_ms + samples_to_ms(FRAME_SAMPLES, EAR_HZ) else 0
