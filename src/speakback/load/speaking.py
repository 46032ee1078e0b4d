"""What one caller says, frame by frame, and when each frame was handed over. Pure."""

from array import array
from collections.abc import Callable, Iterator

from speakback.caller.pacing import FRAME_MS
from speakback.load.plan import Kind, Utterance
from speakback.load.record import Spoken
from speakback.load.repertoire import Line

_REMEMBERED_FRAMES = 3000
"""A minute: a server speaks of audio that is older only if it is hopelessly late."""


class Mouth:
    """Says its lines as they fall due, and is otherwise heard as a quiet room."""

    def __init__(
        self,
        lines: Iterator[Utterance],
        room: tuple[bytes, ...],
        hush_ms: Callable[[], float],
        spoken: list[Spoken],
    ) -> None:
        """Notes in `spoken` what it said. What would not be over by `hush_ms` it does not begin."""
        self.frames = 0
        """Handed over so far."""
        self._lines = lines
        self._room = room
        self._hush_ms = hush_ms
        self._spoken = spoken
        self._handed_ms = array("d", bytes(8 * _REMEMBERED_FRAMES))
        self._next: Utterance = next(lines)
        self._waits_frames = self._next.after_ms // FRAME_MS
        self._saying: Line | None = None
        self._said_frames = 0

    def next_frame(self, at_ms: float) -> bytes:
        """20 ms of PCM16, handed over now."""
        self._handed_ms[self.frames % _REMEMBERED_FRAMES] = at_ms
        self.frames += 1
        if self._saying is None and self._waits_frames <= 0:
            self._begin(at_ms)
        if self._saying is not None:
            return self._say_on(self._saying, at_ms)
        self._waits_frames -= 1
        return self._room[self.frames % len(self._room)]

    def handed_ms(self, position_ms: float) -> float | None:
        """When the sample at that position of its audio was handed over. None: not yet, or too long ago."""
        number = int(position_ms // FRAME_MS)
        if not self.frames - _REMEMBERED_FRAMES <= number < self.frames:
            return None
        return self._handed_ms[number % _REMEMBERED_FRAMES]

    def spoke_since(self, at_ms: float) -> bool:
        """Whether its voice was heard then or later."""
        return any(spoken.last_ms is None or spoken.last_ms > at_ms for spoken in self._spoken[-2:])

    def last_question(self) -> Spoken | None:
        """The last of its lines that wants an answer."""
        return next((spoken for spoken in reversed(self._spoken) if spoken.kind is not Kind.BACKCHANNEL), None)

    def _begin(self, at_ms: float) -> None:
        if at_ms + self._next.line.duration_ms <= self._hush_ms():
            self._saying, self._said_frames = self._next.line, 0

    def _say_on(self, line: Line, at_ms: float) -> bytes:
        number = self._said_frames
        if number == line.first_voiced:
            self._spoken.append(Spoken(self._next.kind, at_ms))
        if number == line.last_voiced:
            self._spoken[-1].last_ms = at_ms
        self._said_frames += 1
        if self._said_frames == len(line.frames):
            self._saying = None
            self._next = next(self._lines)
            self._waits_frames = self._next.after_ms // FRAME_MS
        return line.frames[number]
