"""What the VAD's model remembers of each stream, in one array for all: a batch is read and written in one go each.

To gather it stream by stream would take the interpreter's lock from the event loop for longer than the model runs.
Not safe for several threads at once: the owner sees to that.
"""

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples

CONTEXT_SAMPLES = 64
"""Samples of the frame before that the model wants in front of each frame."""
STATE_SIZES = (2, 128)
"""Of one stream, as the model has it: layers, and numbers in each."""
FEWEST = 16


class Slots:
    """A place for each open stream. There are as many as were ever needed at once, or up to twice that."""

    def __init__(self) -> None:
        self._state = np.zeros((STATE_SIZES[0], FEWEST, STATE_SIZES[1]), np.float32)
        self._context = np.zeros((FEWEST, CONTEXT_SAMPLES), np.float32)
        self._free = list(range(FEWEST))

    def take(self) -> int:
        """A place for a new stream, which remembers nothing."""
        if not self._free:
            held = len(self._context)
            self._state = np.concatenate((self._state, np.zeros_like(self._state)), axis=1)
            self._context = np.concatenate((self._context, np.zeros_like(self._context)))
            self._free = list(range(held, 2 * held))
        place = self._free.pop()
        self._state[:, place] = 0.0
        self._context[place] = 0.0
        return place

    def give_back(self, place: int) -> None:
        """Its stream is over."""
        self._free.append(place)

    def read(self, places: list[int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """State `[2, n, 128]` and context `[n, CONTEXT_SAMPLES]` of these streams, copies."""
        return self._state[:, places], self._context[places]

    def write(self, places: list[int], state: NDArray[np.float32], frames: NDArray[np.float32]) -> None:
        """They are in this state now, behind these frames, shape `[n, samples]`."""
        self._state[:, places] = state
        self._context[places] = frames[:, -CONTEXT_SAMPLES:]


def joined(frames: list[Samples]) -> NDArray[np.float32]:
    """Frames of one length as rows."""
    rows: NDArray[np.float32] = np.concatenate(frames).reshape(len(frames), -1)
    return rows
