"""One caller's side of a conversation: what it says next, and what it noticed. Pure; the clock is passed in.

It says a clip, is silent until the agent is heard, listens for 2 s, and says the next clip over it, as a barge-in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

FRAME_MS = 20
LISTEN_MS = 2000.0
"""After so much of the agent's reply the caller cuts in."""
PATIENCE_MS = 8000.0
"""Without any reply for so long the caller goes on to the next clip."""
IN_FLIGHT_MS = 150.0
"""Audio so soon after the agent was told to be interrupted still belongs to what it said before: its fade."""
SILENCE = bytes(640)


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech from its first audible sample to its last, in frames of 20 ms of PCM16 at 16 kHz."""

    name: str
    frames: tuple[bytes, ...]


@dataclass(slots=True)
class Turn:
    """One clip and what came of it; times are the caller's clock in milliseconds, None: it did not happen."""

    is_barge_in: bool
    """Whether the agent was speaking when it began."""
    began_ms: float
    """Its first frame was handed to the socket."""
    ended_ms: float | None = None
    """Its last frame was."""
    stopped_ms: float | None = None
    """The last audio of the reply before arrived."""
    told_ms: float | None = None
    """The caller was told to forget the audio it still held."""
    answered_ms: float | None = None
    """The first audio of the answer arrived."""
    is_spoiled: bool = False
    """The agent answered before the clip was over, so that there is no time to the first audio."""

    @property
    def ttfb_ms(self) -> float | None:
        """From the last sample of speech to the first byte of the answer."""
        if self.answered_ms is None or self.ended_ms is None or self.is_spoiled:
            return None
        return self.answered_ms - self.ended_ms

    @property
    def barge_in_ms(self) -> float | None:
        """From the first frame of speech to the last byte of the reply that it interrupts."""
        return self.stopped_ms - self.began_ms if self.is_barge_in and self.stopped_ms is not None else None


class _State(Enum):
    SAYING = 1
    WAITING = 2
    LISTENING = 3


class Talk:
    """Asked for a frame every 20 ms, and told what arrives."""

    def __init__(self, clips: Sequence[Clip], *, first_clip: int, starts_at_ms: float) -> None:
        self.turns: list[Turn] = []
        self.is_ending = False
        """Set, no further clip is begun."""
        self._clips = clips
        self._next_clip = first_clip
        self._frames: Sequence[bytes] = ()
        self._said = 0
        self._state = _State.LISTENING
        self._until_ms = starts_at_ms
        self._hears_agent = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be learnt, once it is ending."""
        return self.is_ending and self._state is _State.LISTENING

    def frame(self, now_ms: float) -> bytes:
        """What the microphone holds now; handed to the socket at once."""
        if self._state is not _State.SAYING:
            if now_ms < self._until_ms:
                return SILENCE
            if self.is_ending:
                self._state = _State.LISTENING
                return SILENCE
            self._begin(now_ms)
        frame = self._frames[self._said]
        self._said += 1
        if self._said == len(self._frames):
            self.turns[-1].ended_ms = now_ms
            self._state, self._until_ms = _State.WAITING, now_ms + PATIENCE_MS
        return frame

    def audio(self, now_ms: float) -> None:
        """Audio of the agent arrived."""
        if self._state is _State.LISTENING:
            return
        turn = self.turns[-1]
        if turn.is_barge_in and (turn.told_ms is None or now_ms < turn.told_ms + IN_FLIGHT_MS):
            turn.stopped_ms = now_ms
        elif self._state is _State.SAYING:
            turn.is_spoiled = True
        else:
            turn.answered_ms = now_ms
            self._hears_agent = True
            self._state, self._until_ms = _State.LISTENING, now_ms + LISTEN_MS

    def interrupted(self, now_ms: float) -> None:
        """The agent's transport was told to forget what waits to be played."""
        if self._state is not _State.LISTENING and self.turns[-1].told_ms is None:
            self.turns[-1].told_ms = now_ms

    def _begin(self, now_ms: float) -> None:
        clip = self._clips[self._next_clip % len(self._clips)]
        self._next_clip += 1
        self._frames, self._said, self._state = clip.frames, 0, _State.SAYING
        self.turns.append(Turn(is_barge_in=self._hears_agent, began_ms=now_ms))
        self._hears_agent = False
