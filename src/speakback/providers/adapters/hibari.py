"""Hibari: the default voice. English, 24 kHz, 8 MB, ~70 times faster than real time on one thread.

Its network gives a spectrum per frame of 12.5 ms and, read from inside the graph, how many pairs of
frames each symbol lasts, which gives word times to ~15 ms (docs/decisions/004-hibari-word-times.md).
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
from hibari import dsp
from hibari.tts import ASSETS
from hibari.voices import VOICES, voice_path
from numpy.typing import NDArray

from speakback.audio.phrase import audible_stretch, with_soft_edges
from speakback.providers.adapters.onnx_graph import with_output
from speakback.providers.adapters.phrase_voice import Phrase, PhraseVoice
from speakback.providers.adapters.pronunciation import Sound, pronounce, rules
from speakback.providers.adapters.word_times import Script, script, word_times
from speakback.providers.errors import ProviderError
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.timebase import VOICE_HZ

SLOWEST, FASTEST = 0.5, 2.0

_DURATIONS = "/Clip_output_0"
"""The tensor with each symbol's duration, in units of `_UNIT_SAMPLES` (25 ms)."""

_UNIT_SAMPLES = 2 * dsp.HOP
_PAD = 0

_SOUND_LEADS_SAMPLES = 2 * _UNIT_SAMPLES
"""The sound of a symbol comes this long before the sum of the durations says. Measured at 31 pauses: the next
word's sound began 50 ms early (quartiles 39 and 58); with this correction, 0."""

_MARGIN_FRAMES = 16
"""200 ms: what is kept around the phrase, whose sound may begin 100 ms early and die away for 150 ms."""


class HibariEngine:
    """The loaded network and its pronunciation rules; safe for several threads."""

    def __init__(self, voice: str, speed: float, seed: int) -> None:
        try:
            model = Path(voice_path(voice, download_missing=False)).read_bytes()
        except OSError:
            reason = f"the weights of voice {voice!r} are not on this machine: run `hibari --voice {voice} hello`"
            raise ProviderError("tts", "hibari", reason) from None
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            with_output(model, _DURATIONS), options, providers=["CPUExecutionProvider"]
        )
        self._ids: dict[str, int] = json.loads(Path(ASSETS, "vocab.json").read_text(encoding="utf-8"))
        self._g2p = rules(british=VOICES[voice]["british"])
        self._speed = np.array([speed], np.float32)
        self._seed = seed

    def plan(self, clause: str) -> tuple[tuple[Sound, ...], ...]:
        """See `pronounce`."""
        return pronounce(clause, self._g2p)

    def say(self, sounds: tuple[Sound, ...]) -> Phrase:
        """Speak one phrase, cut to what is heard; the same sounds always give the same audio."""
        asked = script(sounds, self._ids_of, opening=(_PAD,), closing=(_PAD,))
        *spectrum, durations = self._session.run(None, {"ids": np.array([asked.ids], np.int64), "speed": self._speed})
        id_samples = durations.astype(np.int64) * _UNIT_SAMPLES
        frames = _frames_with_sound(asked, id_samples)
        audio = dsp.synth(*(part[0][..., frames] for part in spectrum), np.random.default_rng(self._seed))
        start, end = audible_stretch(audio, VOICE_HZ) or (0, len(audio))
        origin = frames.start * dsp.HOP + _SOUND_LEADS_SAMPLES
        times = word_times(asked, id_samples, (origin + start, origin + end))
        return Phrase(with_soft_edges(audio[start:end]), times)

    def _ids_of(self, phonemes: str) -> list[int]:
        return [self._ids[symbol] for symbol in phonemes if symbol in self._ids]


def _frames_with_sound(asked: Script, id_samples: NDArray[np.int64]) -> slice:
    """The network's frames without the silence around the phrase: a third of the synthesis is spared."""
    edges = np.concatenate(([0], np.cumsum(id_samples))) // dsp.HOP
    owned = [span for span, sound in zip(asked.owned, asked.sounds, strict=True) if sound.is_audible]
    first, last = int(edges[owned[0][0]]), int(edges[owned[-1][1]])
    return slice(max(first - _MARGIN_FRAMES, 0), min(last + _MARGIN_FRAMES, int(edges[-1])))


class Hibari(PhraseVoice[HibariEngine]):
    """The `TextToSpeech` on Hibari. `speed` 1.0 is the voice's own pace; `seed` fixes its breath noise.

    Only the voice "heart" comes with the package. Raises `ProviderError` for an unknown voice or a
    speed outside `SLOWEST` to `FASTEST`.
    """

    def __init__(
        self, voice: str = "heart", *, speed: float = 1.0, seed: int = 1, waits: WaitsReport = UNREPORTED
    ) -> None:
        if voice not in VOICES:
            raise ProviderError("tts", "hibari", f"there is no voice {voice!r}; there are {', '.join(VOICES)}")
        if not SLOWEST <= speed <= FASTEST:
            raise ProviderError("tts", "hibari", f"speed is between {SLOWEST} and {FASTEST}, not {speed}")
        super().__init__("hibari", partial(HibariEngine, voice, speed, seed), waits=waits)
