"""Smart Turn v3 (ONNX): how final a stretch of speech sounds, from its last 8 s."""

from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime

from speakback.audio.mel import HOP_SAMPLES, WINDOW_SAMPLES, LogMel, log_mel
from speakback.audio.pcm import Samples
from speakback.providers.errors import ProviderError
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.providers.workers import Workers
from speakback.timebase import EAR_HZ

HEARD_SAMPLES = 8 * EAR_HZ
_FLOOR_RMS = 1e-4
"""-80 dB of full scale. After digital zeros instead, far fewer finished turns are recognised."""
_VARIANCE_EPSILON = 1e-7
_FLOOR_SEED = 8


class SmartTurn:
    """`EndOfTurnModel`: `threads` scores at once, each on one thread (docs/decisions/013-turn-model.md).

    Raises `ProviderError` when the model cannot be loaded.
    """

    def __init__(self, model_file: Path, *, name: str, threads: int = 2, waits: WaitsReport = UNREPORTED) -> None:
        self.name = name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(model_file), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises classes of its own that derive from Exception only
            raise ProviderError("end_of_turn", name, f"cannot load {model_file}: {error}") from error
        self._floor = np.random.default_rng(_FLOOR_SEED).standard_normal(HEARD_SAMPLES).astype(np.float32) * _FLOOR_RMS
        self._workers = Workers("end_of_turn", name, threads=threads, waits=waits)
        self._score(self._floor)  # the first run is slow

    async def score(self, audio_16k: Samples) -> float:
        """See `EndOfTurnModel`. Cut the audio 0 to 100 ms after the last voiced sample: silence says "ended"."""
        return await self._workers.run(partial(self._score, audio_16k))

    async def aclose(self) -> None:
        """See `EndOfTurnModel`."""
        await self._workers.aclose()

    def _score(self, audio_16k: Samples) -> float:
        features = features_of(with_floor(audio_16k[-HEARD_SAMPLES:], self._floor))
        outputs = self._session.run(None, {"input_features": features[np.newaxis]})
        return float(np.clip(np.asarray(outputs[0]).reshape(-1)[0], 0.0, 1.0))


def features_of(audio_16k: Samples) -> LogMel:
    """What the model is given of at most `HEARD_SAMPLES`: as much, with silence put before."""
    silent = HEARD_SAMPLES - len(audio_16k)
    heard = standardised(np.pad(audio_16k, (silent, 0)))
    alike = max(silent - WINDOW_SAMPLES, 0) // HOP_SAMPLES  # frames of that silence: one is made and repeated
    return np.pad(log_mel(heard[alike * HOP_SAMPLES :]), ((0, 0), (alike, 0)), mode="edge")


def with_floor(audio_16k: Samples, floor: Samples) -> Samples:
    """The audio with `floor` (at least as long) in place of digital zeros."""
    return np.where(audio_16k == 0.0, floor[: len(audio_16k)], audio_16k).astype(np.float32)


def standardised(audio_16k: Samples) -> Samples:
    """Zero mean and unit variance, as the model was trained."""
    return np.asarray((audio_16k - audio_16k.mean()) / np.sqrt(audio_16k.var() + _VARIANCE_EPSILON), np.float32)
