"""Lets a voice's audio out in whole words, so that it can be left behind any word and another voice go on. Pure.

All positions are samples at 24 kHz from the voice's first.
"""

import numpy as np

from speakback.audio.fade import fade_out
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.providers.chain.clause_tape import is_word
from speakback.timebase import VOICE_HZ, ms_to_samples

FADE_SAMPLES = ms_to_samples(8, VOICE_HZ)
"""Kept back before the point up to which audio may go out: should the voice fail there, it ends softly."""
TOLERANCE_SAMPLES = ms_to_samples(60, VOICE_HZ)
"""By so much may the end of a word that came whole lie behind its audio."""


class WholeWords:
    """One voice's audio on its way out."""

    def __init__(self) -> None:
        self._audio = np.zeros(0, np.float32)
        """What is held back: from `_from` on."""
        self._from = 0
        self._received = 0
        self._words: list[SpokenWord] = []
        """Those that begin in it."""

    def push(self, chunk: SpeechChunk) -> SpeechChunk:
        """What may go out now; its audio may be empty."""
        self._audio = np.concatenate((self._audio, chunk.audio_24k))
        self._received += len(chunk.audio_24k)
        self._words += chunk.words
        whole_to = self._whole_to()
        is_at_rest = chunk.clause_end and whole_to == self._received
        return self._out(whole_to if is_at_rest else max(whole_to - FADE_SAMPLES, self._from), chunk.clause_end)

    def cut(self) -> SpeechChunk:
        """The voice has failed: what is left before the word that it was in, with a soft end. The rest is dropped."""
        tail = self._out(self._whole_to(), False)
        self._audio, self._words = np.zeros(0, np.float32), []
        return SpeechChunk(fade_out(tail.audio_24k, FADE_SAMPLES), tail.words, clause_end=False)

    def finish(self) -> SpeechChunk:
        """Nothing more comes for now: all that is left."""
        return self._out(self._received, False)

    def nearly_whole(self) -> bool:
        """Whether what is held back may be whole: ends of words may be guesses, a little behind the last audio."""
        return all(word.end_samples <= self._received + TOLERANCE_SAMPLES for word in self._words)

    def held_words(self) -> int:
        """How many of the words that were given `cut` would drop."""
        whole_to = self._whole_to()
        if whole_to == self._received:
            return 0
        return sum(is_word(word.text) and word.start_samples >= whole_to for word in self._words)

    def _whole_to(self) -> int:
        """The start of the first word whose end is not in yet."""
        cut = (word.start_samples for word in self._words if word.end_samples > self._received)
        return max(min(cut, default=self._received), self._from)

    def _out(self, end: int, clause_end: bool) -> SpeechChunk:
        size = end - self._from
        audio, self._audio, self._from = self._audio[:size], self._audio[size:], end
        is_all = end == self._received
        out = tuple(word for word in self._words if is_all or word.start_samples < end)
        self._words = self._words[len(out) :]
        return SpeechChunk(audio, out, clause_end)


def moved(chunk: SpeechChunk, by_samples: int) -> SpeechChunk:
    """The chunk with its words' times moved."""
    words = tuple(
        SpokenWord(word.text, word.start_samples + by_samples, word.end_samples + by_samples) for word in chunk.words
    )
    return SpeechChunk(chunk.audio_24k, words, chunk.clause_end)
