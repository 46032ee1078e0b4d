"""Who spoke when, of both sides together, on a grid of 10 ms (after Heldner & Edlund 2010, J. Phon. 38:555)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from speakback.evaluate.timeline import Ipu, Timeline

Ints = NDArray[np.int64]

GRID_MS: Final = 10

NOBODY: Final = 0
USER: Final = 1
AGENT: Final = 2
BOTH: Final = 3


@dataclass(frozen=True, slots=True)
class JointState:
    """The conversation as runs of one state, in order and without gaps; all three arrays have the same length."""

    state: Ints
    start_ms: Ints
    end_ms: Ints

    @property
    def duration_ms(self) -> Ints:
        """How long each run lasts."""
        return self.end_ms - self.start_ms

    def between(self, state: int, before: int, after: int) -> NDArray[np.bool_]:
        """Which runs are of `state` with these states next to them."""
        found = np.zeros(self.state.size, dtype=np.bool_)
        inner = (self.state[1:-1] == state) & (self.state[:-2] == before) & (self.state[2:] == after)
        found[1:-1] = inner
        return found


def joint_state(timeline: Timeline) -> JointState:
    """IPU starts and ends are rounded to the grid, half up."""
    frames = on_grid(timeline.duration_ms) + 1
    state = spoken(timeline.user, frames) * USER + spoken(timeline.agent, frames) * AGENT
    edges = np.flatnonzero(np.diff(state)) + 1
    starts = np.concatenate(([0], edges))
    ends = np.concatenate((edges, [frames]))
    return JointState(state[starts], starts * GRID_MS, ends * GRID_MS)


def on_grid(time_ms: int) -> int:
    """The nearest frame."""
    return (time_ms + GRID_MS // 2) // GRID_MS


def rounded_ms(times_ms: Sequence[int]) -> Ints:
    """Times rounded to the grid, still in milliseconds."""
    return (np.asarray(times_ms, dtype=np.int64) + GRID_MS // 2) // GRID_MS * GRID_MS


def spoken(ipus: Sequence[Ipu], frames: int) -> Ints:
    """For each frame 1 where one of these sounds, else 0."""
    edges = np.zeros(frames + 1, dtype=np.int64)
    np.add.at(edges, rounded_ms([ipu.start_ms for ipu in ipus]) // GRID_MS, 1)
    np.add.at(edges, rounded_ms([ipu.end_ms for ipu in ipus]) // GRID_MS, -1)
    return np.cumsum(edges)[:frames]
