"""Speech as a voice makes it: audio with the times of its words."""

from dataclasses import dataclass

from speakback.audio.pcm import Samples


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and its place in the reply's audio, in samples at 24 kHz from the reply's first sample.

    `text` is the word as written, with the punctuation that clings to it; joining the words of a
    reply with spaces gives back what was to be said.
    """

    text: str
    start_samples: int
    end_samples: int


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The next stretch of a reply's audio, mono at 24 kHz, and the words that begin in it."""

    audio_24k: Samples
    words: tuple[SpokenWord, ...]
    clause_end: bool
    """True on the last chunk of a clause: a break may be audible after it."""
