"""What the microphone recorded, on its way to the server: frames that were sent and not heard are sent again. Pure."""

from speakback.audio.pcm import Samples
from speakback.caller.pacing import FRAME_MS
from speakback.caller.record import SentFrame


class Uplink:
    """All frames of a call, in order."""

    def __init__(self) -> None:
        self._recorded: list[tuple[float, Samples]] = []
        """When each began to be spoken, and its audio."""
        self._handed_ms: list[float] = []
        """When each was handed over, the first time."""
        self._next = 0

    @property
    def has_waiting(self) -> bool:
        """Whether something is to be sent."""
        return self._next < len(self._recorded)

    @property
    def handed_ms(self) -> int:
        """How much audio was handed over at least once."""
        return len(self._handed_ms) * FRAME_MS

    def record(self, spoken_ms: float, frame_24k: Samples) -> None:
        """The microphone has another frame."""
        self._recorded.append((spoken_ms, frame_24k))

    def next_frame(self) -> Samples:
        """The frame to be sent next; `sent` says that it was."""
        return self._recorded[self._next][1]

    def sent(self, at_ms: float) -> None:
        """The next frame was handed over."""
        if self._next == len(self._handed_ms):
            self._handed_ms.append(at_ms)
        self._next += 1

    def go_back(self, heard_ms: int) -> None:
        """Of all that was sent the server has heard so much, give or take what its filters hold back."""
        self._next = min(self._next, round(heard_ms / FRAME_MS))

    def frames(self) -> tuple[SentFrame, ...]:
        """What was handed over so far."""
        return tuple(
            SentFrame(spoken_ms, handed_ms, audio)
            for (spoken_ms, audio), handed_ms in zip(self._recorded, self._handed_ms, strict=False)
        )
