"""Voice activity scores for the streams of all sessions, as a session sees it."""

from collections.abc import Callable
from typing import Protocol

from speakback.audio.pcm import Samples


class VadStream(Protocol):
    """One session's input to the scorer."""

    def push(self, frame_16k: Samples) -> None:
        """Score the next frame (`FRAME_SAMPLES` long, in order); the stream's callback gets the probability."""
        ...

    def close(self) -> None:
        """No more frames; the callback is not called again."""
        ...


class VadScorer(Protocol):
    """Scores frames of many streams together."""

    def open_stream(self, on_score: Callable[[float], None]) -> VadStream:
        """A new stream. `on_score` is called on the event loop, once a frame, in order."""
        ...

    async def aclose(self) -> None:
        """Release the thread and memory."""
        ...
