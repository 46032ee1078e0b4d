"""Silero VAD by ONNX Runtime, batched over all streams of the process on one thread.

Batches form by themselves: while one runs, the next frames of other streams gather. A batch takes at
most one frame of a stream, because each frame needs the state that the one before it left. Measured:
111 us for one frame alone, about 60 us a frame in batches of 8 to 128, with identical scores.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import structlog

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ
from speakback.vad.hysteresis import FRAME_SAMPLES
from speakback.weights import WeightsError

log = structlog.get_logger(__name__)

CONTEXT_SAMPLES = 64
"""Samples of the frame before that the model wants in front of each frame."""
MAX_BATCH = 128
STATE_SHAPE = (2, 128)


class SileroStream:
    """One stream: its frames in waiting and the model's memory of it. Made by `SileroVad.open_stream`."""

    def __init__(self, owner: "SileroVad", on_score: Callable[[float], None]) -> None:
        self._owner = owner
        self._on_score = on_score
        self.waiting: deque[Samples] = deque()
        self.state = np.zeros(STATE_SHAPE, np.float32)
        self.context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self.closed = False

    def push(self, frame_16k: Samples) -> None:
        """Queue a frame. The caller bounds how many may wait (see `Ears`)."""
        if frame_16k.shape != (FRAME_SAMPLES,):
            raise ValueError(f"a VAD frame has {FRAME_SAMPLES} samples, not shape {frame_16k.shape}")
        self._owner.queue(self, frame_16k)

    def close(self) -> None:
        """Drop what waits; scores still under way are not delivered."""
        self.closed = True

    def deliver(self, probability: float) -> None:
        """Give a score to the stream's owner, on the event loop."""
        if not self.closed:
            self._on_score(probability)


class SileroVad:
    """The scorer of a process. Create it on the event loop that wants the scores. Raises `WeightsError`."""

    def __init__(self, model_path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._model = onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # onnxruntime raises classes of its own that share no base
            raise WeightsError(
                f"the VAD model {model_path} cannot be loaded ({problem}): run `speakback weights`"
            ) from problem
        self._rate = np.array(EAR_HZ, np.int64)
        self._loop = asyncio.get_running_loop()
        self._ready: deque[SileroStream] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="vad", daemon=True)
        self._thread.start()

    def open_stream(self, on_score: Callable[[float], None]) -> SileroStream:
        """A new stream with a fresh memory."""
        return SileroStream(self, on_score)

    async def aclose(self) -> None:
        """Stop the thread; frames still waiting are not scored."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def queue(self, stream: SileroStream, frame_16k: Samples) -> None:
        """Put a frame in line for its stream."""
        with self._wake:
            stream.waiting.append(frame_16k)
            if len(stream.waiting) == 1:
                self._ready.append(stream)
                self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._ready and not self._closing:
                    self._wake.wait()
                if self._closing:
                    return
                streams = [self._ready.popleft() for _ in range(min(len(self._ready), MAX_BATCH))]
                frames = [stream.waiting[0] for stream in streams]
            try:
                probabilities = self._score(streams, frames)
            except Exception:  # whatever the runtime raises, the thread must go on hearing for everyone
                log.exception("the VAD failed on a batch; its frames count as silence", streams=len(streams))
                probabilities = [0.0] * len(streams)
            with self._wake:
                for stream in streams:
                    stream.waiting.popleft()
                    if stream.closed:
                        stream.waiting.clear()
                    if stream.waiting:
                        self._ready.append(stream)
            try:
                self._loop.call_soon_threadsafe(_deliver, streams, probabilities)
            except RuntimeError:  # the loop closed without `aclose`: nobody is left to tell
                return

    def _score(self, streams: list[SileroStream], frames: list[Samples]) -> list[float]:
        batch = np.stack([np.concatenate((s.context, frame)) for s, frame in zip(streams, frames, strict=True)])
        state = np.stack([stream.state for stream in streams], axis=1)
        scores, state = self._model.run(None, {"input": batch, "state": state, "sr": self._rate})
        for index, (stream, frame) in enumerate(zip(streams, frames, strict=True)):
            stream.state = state[:, index]
            stream.context = frame[-CONTEXT_SAMPLES:]
        return [float(score) for score in scores[:, 0]]


def _deliver(streams: list[SileroStream], probabilities: list[float]) -> None:
    loop = asyncio.get_running_loop()
    for stream, probability in zip(streams, probabilities, strict=True):
        loop.call_soon(stream.deliver, probability)  # each for itself: one that raises keeps no other from its score
