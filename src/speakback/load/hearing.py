"""What a client that plays agent audio at once hears of it. Pure; counts no samples, only how long they last."""

from dataclasses import dataclass

from speakback.gateway.binary import AudioFrame
from speakback.load.record import HeardReply
from speakback.timebase import VOICE_HZ

BUFFER_MS = 60.0
"""It begins to play so long after the first byte, and again so after it ran dry."""
_BYTES_PER_MS = VOICE_HZ * 2 // 1000


class Playing:
    """One reply's audio on its way through the client's buffer."""

    def __init__(self) -> None:
        self._ends_ms: float | None = None
        self._audio_ms = 0.0

    def take(self, size_bytes: int, at_ms: float) -> float:
        """More PCM16 came; for how long nothing was left to be played before it did, 0 where something was."""
        audio_ms = size_bytes / _BYTES_PER_MS
        self._audio_ms += audio_ms
        if self._ends_ms is None or at_ms > self._ends_ms:
            dry_ms = 0.0 if self._ends_ms is None else at_ms - self._ends_ms
            self._ends_ms = at_ms + BUFFER_MS + audio_ms
            return dry_ms
        self._ends_ms += audio_ms
        return 0.0

    def is_playing(self, at_ms: float) -> bool:
        """Whether some of it is still to be played."""
        return self._ends_ms is not None and self._ends_ms > at_ms

    def buffered_ms(self, at_ms: float) -> int:
        """What came and was not played yet."""
        return 0 if self._ends_ms is None else round(min(max(self._ends_ms - at_ms, 0.0), self._audio_ms))

    def played_ms(self, at_ms: float) -> int:
        """What of it was played."""
        return round(self._audio_ms) - self.buffered_ms(at_ms)


@dataclass(frozen=True, slots=True)
class Position:
    """How far the loudspeaker is with an item."""

    item_id: str
    played_ms: int
    buffered_ms: int


class NoReply(Exception):
    """Agent audio came, and it was not said of which reply."""


class Ear:
    """The agent's audio as one caller hears it."""

    def __init__(self, replies: list[HeardReply]) -> None:
        """Notes in `replies` those of which anything was heard."""
        self.gaps_in_sequence = 0
        """Messages whose number was not the next."""
        self._replies = replies
        self._reply: HeardReply | None = None
        self._playing = Playing()
        self._is_silenced = False
        self._next_sequence: int | None = None

    def begin(self, response_id: str, item_id: str, at_ms: float) -> None:
        """What comes from now on is of this reply."""
        self._reply = HeardReply(response_id, item_id, at_ms, at_ms)
        self._playing, self._is_silenced = Playing(), False

    def take(self, frame: AudioFrame, at_ms: float) -> float:
        """Agent audio came; for how long the caller had had nothing to play, within a reply. Raises `NoReply`."""
        reply = self._reply
        if reply is None:
            raise NoReply
        self.gaps_in_sequence += self._next_sequence not in (None, frame.sequence)
        self._next_sequence = frame.sequence + 1
        if not self._replies or self._replies[-1] is not reply:
            reply.first_byte_ms = at_ms
            self._replies.append(reply)
        reply.last_byte_ms = at_ms
        dry_ms = self._playing.take(len(frame.pcm16), at_ms)
        return 0.0 if self._is_silenced else dry_ms

    def position(self, at_ms: float) -> Position | None:
        """None while nothing is played."""
        if self._reply is None or self._is_silenced or not self._playing.is_playing(at_ms):
            return None
        played_ms, buffered_ms = self._playing.played_ms(at_ms), self._playing.buffered_ms(at_ms)
        return Position(self._reply.item_id, played_ms, buffered_ms)

    def fall_silent(self, at_ms: float) -> Position | None:
        """Play no more of this reply; how far it was played, None if none was being played."""
        position = self.position(at_ms)
        self._is_silenced = self._is_silenced or position is not None
        return position

    def called(self, response_id: str | None) -> list[HeardReply]:
        """The reply of that name, if it was among the last."""
        return [reply for reply in self._replies[-4:] if reply.response_id == response_id]
