"""Piper's `joe` (en_US, medium): a second voice, for the callers of demo, tests and bench.

Piper's voices expect espeak-ng's phonemes. espeak-ng is GPL and a C library, so this adapter takes
Hibari's pronunciation instead and spells it espeak's way (`ESPEAK_SPELLING`): no new dependency.
Its durations are read from inside the graph, like Hibari's.
"""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort

from speakback.audio.phrase import audible_stretch, with_soft_edges
from speakback.audio.resample import resample
from speakback.providers.adapters.onnx_graph import with_output
from speakback.providers.adapters.phrase_voice import Phrase, PhraseVoice
from speakback.providers.adapters.pronunciation import Sound, pronounce, rules
from speakback.providers.adapters.word_times import script, word_times
from speakback.providers.errors import ProviderError
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.timebase import VOICE_HZ
from speakback.weights import resolve

ESPEAK_SPELLING = (
    ("^([^AIOWYaeiouæɑɐəɛɜɪʊʌɔᵊᵻˈˌ]*)i$", r"\1iː"),
    ("ɜɹ", "ɜː"),
    ("əɹ", "ɚ"),
    ("ɔɹ", "oːɹ"),
    ("A", "eɪ"),
    ("I", "aɪ"),
    ("O", "oʊ"),
    ("W", "aʊ"),
    ("Y", "ɔɪ"),
    ("T", "ɾ"),
    ("ʤ", "dʒ"),
    ("ʧ", "tʃ"),
    ("ᵊ", "ə"),
    ("u", "uː"),
    ("ɑ", "ɑː"),
    ("ɔ(?![ɪː])", "ɔː"),
    ("(?<=[ˈˌ])i(?!ː)", "iː"),
    ("—|…", ","),
    ('["“”]', ""),
)
"""misaki's American symbols → espeak's, applied in this order (patterns of `re`). misaki writes a
diphthong as one capital and drops the length marks; espeak marks i as
long where it is stressed or a word's only vowel."""

SLOWEST, FASTEST = 0.5, 2.0

_MODEL = "en_US-joe-medium.onnx"

_DURATIONS = "/Ceil_output_0"
"""The tensor with each symbol's duration, in frames of `_FRAME_SAMPLES`."""

_FRAME_SAMPLES = 256
_PAD, _OPENING, _CLOSING = "_", "^", "$"


def espeak_phonemes(phonemes: str) -> str:
    """Hibari's (misaki's) American phonemes in the spelling that Piper's voices were trained on."""
    for pattern, spelling in ESPEAK_SPELLING:
        phonemes = re.sub(pattern, spelling, phonemes)
    return phonemes


class PiperEngine:
    """The loaded voice; safe for several threads. How it varies its sounds is random inside its graph."""

    def __init__(self, speed: float, directory: Path | None) -> None:
        folder = resolve("piper-joe", directory=directory)
        voice = json.loads((folder / f"{_MODEL}.json").read_text(encoding="utf-8"))
        self._rate_hz: int = voice["audio"]["sample_rate"]
        self._ids: dict[str, list[int]] = voice["phoneme_id_map"]
        inference = voice["inference"]
        self._scales = np.array(
            [inference["noise_scale"], inference["length_scale"] / speed, inference["noise_w"]], np.float32
        )
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            with_output((folder / _MODEL).read_bytes(), _DURATIONS), options, providers=["CPUExecutionProvider"]
        )
        self._g2p = rules()

    def plan(self, clause: str) -> tuple[tuple[Sound, ...], ...]:
        """See `pronounce`."""
        return pronounce(clause, self._g2p)

    def say(self, sounds: tuple[Sound, ...]) -> Phrase:
        """Speak one phrase, cut to what is heard, at 24 kHz."""
        asked = script(
            sounds, self._ids_of, opening=(*self._ids[_OPENING], *self._ids[_PAD]), closing=tuple(self._ids[_CLOSING])
        )
        inputs = {
            "input": np.array([asked.ids], np.int64),
            "input_lengths": np.array([len(asked.ids)], np.int64),
            "scales": self._scales,
        }
        spoken, durations = self._session.run(None, inputs)
        audio = resample(spoken.reshape(-1), self._rate_hz, VOICE_HZ)
        stretch = audible_stretch(audio, VOICE_HZ) or (0, len(audio))
        id_samples = durations.reshape(-1).astype(np.int64) * _FRAME_SAMPLES
        times = word_times(asked, id_samples, stretch, VOICE_HZ / self._rate_hz)
        return Phrase(with_soft_edges(audio[slice(*stretch)]), times)

    def _ids_of(self, phonemes: str) -> list[int]:
        """Each symbol's id, followed by the pad that Piper puts after every symbol."""
        known = (self._ids[symbol] for symbol in espeak_phonemes(phonemes) if symbol in self._ids)
        return [number for ids in known for number in (*ids, *self._ids[_PAD])]


class Piper(PhraseVoice[PiperEngine]):
    """The `TextToSpeech` on Piper's `joe`. `speed` 1.0 is the voice's own pace; `directory` is where fetched
    weights are kept, as for `resolve`.

    Raises `ProviderError` for a speed outside `SLOWEST` to `FASTEST`.
    """

    def __init__(self, *, speed: float = 1.0, directory: Path | None = None, waits: WaitsReport = UNREPORTED) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ProviderError("tts", "piper", f"speed is between {SLOWEST} and {FASTEST}, not {speed}")
        super().__init__("piper", partial(PiperEngine, speed, directory), waits=waits)
