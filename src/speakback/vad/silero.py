"""Silero VAD by ONNX Runtime, batched over all streams of the process on one thread.

Batches form by themselves: while one runs, the next frames of other streams gather. A batch takes at
most one frame of a stream, because each frame needs the state that the one before it left. Measured:
111 us for one frame alone, about 60 us a frame in batches of 8 to 128, with identical scores.

How far it is behind is told from one reading of the clock a batch: a frame counts as queued when the batch before it
ended, so its wait is taken for up to one batch, and the wait before it, too long.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import onnxruntime
import structlog

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ
from speakback.vad.hysteresis import FRAME_SAMPLES
from speakback.vad.slots import Slots, joined
from speakback.weights import WeightsError

log = structlog.get_logger(__name__)

MAX_BATCH = 128
CROWD = 10
"""With so many streams a batch waits, that more come together: each costs the loop a wake-up, and both threads a wait
for the interpreter's lock. Edges are dated by their samples, so a wait that began with one ends no later for it."""
GATHER_S_A_STREAM = 0.0002
"""It waits for so long for each stream there is,"""
LONGEST_GATHER_S = 0.012
"""and no longer than that: by so much may an edge be heard later."""
BACKLOG = 2
"""Where a stream has so many frames to be scored behind its latest, as after a resumption, no batch waits."""
TOLD_EVERY_S = 0.1
"""The longest wait since it was told last is told so often."""


class _Queued(NamedTuple):
    """A frame in line."""

    frame_16k: Samples
    since_s: float


class SileroStream:
    """One stream: its frames in waiting. Made by `SileroVad.open_stream`."""

    def __init__(self, owner: "SileroVad", on_score: Callable[[float], None], place: int) -> None:
        self._owner = owner
        self._on_score = on_score
        self.place = place
        """In the model's memory (`slots.py`)."""
        self.waiting: deque[_Queued] = deque()
        self.is_scored = False
        """Whether a frame of it is in the batch under way."""
        self.closed = False

    def push(self, frame_16k: Samples) -> None:
        """Queue a frame. The caller bounds how many may wait (see `Ears`)."""
        if frame_16k.shape != (FRAME_SAMPLES,):
            raise ValueError(f"a VAD frame has {FRAME_SAMPLES} samples, not shape {frame_16k.shape}")
        if not self.closed:
            self._owner.queue(self, frame_16k)

    def close(self) -> None:
        """Drop what waits; scores still under way are not delivered."""
        if not self.closed:
            self._owner.close_stream(self)

    def deliver(self, probability: float) -> None:
        """Give a score to the stream's owner, on the event loop."""
        if not self.closed:
            self._on_score(probability)


class SileroVad:
    """The scorer of a process. Create it on the event loop that wants the scores. Raises `WeightsError`.

    `waited` is told, on the VAD's thread and ten times a second at most, for how many seconds a frame waited at the
    longest until its score was handed to the event loop.
    """

    def __init__(self, model_path: Path, waited: Callable[[float], None] = lambda _: None) -> None:
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
        self._open_streams = 0
        self._slots = Slots()
        self._loop = asyncio.get_running_loop()
        self._waited = waited
        self._longest_s = 0.0
        self._told_s = monotonic()
        self._ready: deque[SileroStream] = deque()
        self._clock_s = self._told_s
        """When the latest batch ended, or, if the thread has slept since, when it was woken."""
        self._is_idle = True
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="vad", daemon=True)
        self._thread.start()

    def open_stream(self, on_score: Callable[[float], None]) -> SileroStream:
        """A new stream with a fresh memory."""
        with self._wake:
            self._open_streams += 1
            return SileroStream(self, on_score, self._slots.take())

    def close_stream(self, stream: SileroStream) -> None:
        """Score nothing more of it."""
        with self._wake:
            stream.closed = True
            self._open_streams -= 1
            if not stream.is_scored:  # else its place is written to once more
                self._slots.give_back(stream.place)
                if stream.waiting:
                    self._ready.remove(stream)
            stream.waiting.clear()

    async def aclose(self) -> None:
        """Stop the thread; frames still waiting are not scored."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def queue(self, stream: SileroStream, frame_16k: Samples) -> None:
        """Put a frame in line for its stream."""
        with self._wake:
            if self._is_idle:
                self._clock_s, self._is_idle = monotonic(), False
            stream.waiting.append(_Queued(frame_16k, self._clock_s))
            if len(stream.waiting) == 1 and not stream.is_scored:
                self._ready.append(stream)
                self._wake.notify()

    def oldest_wait_s(self) -> float:
        """For how long the frame that is next has waited by now; 0: none waits. On any thread."""
        with self._wake:
            return monotonic() - self._ready[0].waiting[0].since_s if self._ready else 0.0

    def _work(self) -> None:
        is_behind = False
        while True:
            with self._wake:
                while not self._ready and not self._closing:
                    self._is_idle = True
                    self._wake.wait()
                if self._closing:
                    return
            if self._open_streams >= CROWD and not is_behind:
                time.sleep(min(GATHER_S_A_STREAM * self._open_streams, LONGEST_GATHER_S))
            with self._wake:
                streams = [self._ready.popleft() for _ in range(min(len(self._ready), MAX_BATCH))]
                queued = [stream.waiting.popleft() for stream in streams]
                for stream in streams:
                    stream.is_scored = True
            if not streams:  # all of them were closed meanwhile
                is_behind = False
                continue
            try:
                probabilities = self._score(streams, [each.frame_16k for each in queued])
            except Exception:  # whatever the runtime raises, the thread must go on hearing for everyone
                log.exception("the VAD failed on a batch; its frames count as silence", streams=len(streams))
                probabilities = [0.0] * len(streams)
            with self._wake:
                self._clock_s = monotonic()
                for stream in streams:
                    stream.is_scored = False
                    if stream.closed:
                        self._slots.give_back(stream.place)
                    elif stream.waiting:
                        self._ready.append(stream)
                is_behind = any(len(stream.waiting) >= BACKLOG for stream in streams)
            try:
                self._loop.call_soon_threadsafe(_deliver, streams, probabilities)
            except RuntimeError:  # the loop closed without `aclose`: nobody is left to tell
                return
            self._tell(min(each.since_s for each in queued))

    def _tell(self, oldest_s: float) -> None:
        """A batch ended that held a frame from then."""
        now_s = self._clock_s
        self._longest_s = max(self._longest_s, now_s - oldest_s)
        if now_s - self._told_s >= TOLD_EVERY_S:
            self._waited(self._longest_s)
            self._longest_s, self._told_s = 0.0, now_s

    def _score(self, streams: list[SileroStream], frames: list[Samples]) -> list[float]:
        places, heard = [stream.place for stream in streams], joined(frames)
        with self._wake:  # who opens a stream meanwhile may make room for it
            state, context = self._slots.read(places)
        batch = np.concatenate((context, heard), axis=1)
        scores, state = self._model.run(None, {"input": batch, "state": state, "sr": self._rate})
        with self._wake:
            self._slots.write(places, state, heard)
        probabilities: list[float] = scores[:, 0].tolist()
        return probabilities


def _deliver(streams: list[SileroStream], probabilities: list[float]) -> None:
    loop = asyncio.get_running_loop()
    for stream, probability in zip(streams, probabilities, strict=True):
        try:
            stream.deliver(probability)
        except Exception as problem:  # it keeps no other from its score
            loop.call_exception_handler({"message": "a score was not taken in", "exception": problem})
