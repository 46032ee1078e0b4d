"""Where there is voice in recorded tracks, by the same scores and edges as in a session."""

import asyncio
from collections.abc import Sequence

import numpy as np

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ, samples_to_ms
from speakback.vad.hysteresis import FRAME_SAMPLES, Hysteresis, VadConfig, VoiceStarted
from speakback.vad.scorer import VadScorer


async def voiced_ms(
    tracks_16k: Sequence[Samples], scorer: VadScorer, config: VadConfig
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Of each track the voiced intervals (start, end), in order. Voice at a track's end ends there."""
    hearings = [_Hearing(track, scorer, config) for track in tracks_16k]
    for hearing in hearings:
        await hearing.done.wait()
    return tuple(hearing.intervals_ms() for hearing in hearings)


class _Hearing:
    """Hears one track; all its frames wait for their scores at once."""

    def __init__(self, track_16k: Samples, scorer: VadScorer, config: VadConfig) -> None:
        self.done = asyncio.Event()
        self._samples = len(track_16k)
        self._position = 0
        self._hysteresis = Hysteresis(config)
        self._edges: list[int] = []
        """Samples at which voice starts, stops, starts …"""
        frames = _frames(track_16k)
        self._ahead = len(frames)
        if not self._ahead:
            self.done.set()
        self._stream = scorer.open_stream(self._on_score)
        for frame in frames:
            self._stream.push(frame)

    def intervals_ms(self) -> tuple[tuple[int, int], ...]:
        open_end = [self._samples] if len(self._edges) % 2 else []
        edges_ms = [samples_to_ms(min(edge, self._samples), EAR_HZ) for edge in (*self._edges, *open_end)]
        pairs = zip(edges_ms[::2], edges_ms[1::2], strict=True)
        return tuple((start_ms, end_ms) for start_ms, end_ms in pairs if start_ms < end_ms)

    def _on_score(self, probability: float) -> None:
        edge = self._hysteresis.push(probability, self._position)
        if edge is not None:
            assert isinstance(edge, VoiceStarted) == (len(self._edges) % 2 == 0), "edges alternate"
            self._edges.append(edge.sample)
        self._position += FRAME_SAMPLES
        self._ahead -= 1
        if not self._ahead:
            self._stream.close()
            self.done.set()


def _frames(track_16k: Samples) -> Sequence[Samples]:
    """The last one is filled up with silence."""
    padded = np.pad(track_16k, (0, -len(track_16k) % FRAME_SAMPLES))
    return list(padded.reshape(-1, FRAME_SAMPLES))
