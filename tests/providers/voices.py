"""What the tests of both voices share: replies spoken from lists of clauses, and clauses of all kinds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.providers.tts import TextToSpeech

Reply: TypeAlias = list[str]

REPLIES: list[Reply] = [
    ["Sure."],
    ["Hello there, how are you?"],
    ["I can help you with that today."],
    ["The train leaves at 3:30 pm,", "doesn't it?"],
    ["Dr. Smith's state-of-the-art lab costs $9.99 a day."],
    ["Well, I think so; but wait!", "There is more to say."],
    ["That happened in 1984 — long before my time."],
    ["Could you spell your last name for me, please?"],
    ["We have about 1,250 people in the office on Mondays."],
    ["It's raining cats and dogs outside."],
    ["Please turn left", "at the second traffic light."],
    ["My favorite color is blue, and yours?"],
    ["Top cop stopped Pat at ten past two."],
    ["Peter Piper picked a peck of pickled peppers."],
    ["Hmm...", "let me think.", "Yes!"],
    ["One,", "two,", "three,", "four."],
    ["Wait... what? No... I mean... maybe."],
    ['He said "no" (twice).', "OK?"],
    ["No, thank you; I would rather have a cup of tea."],
    ["Your appointment is on the 3rd of March at the hospital."],
    ["It costs 1,250,000 dollars in 1999 and 2,345,678 in 2024."],
    ["😀 I am so happy for you 🎉", "really!"],
]


@dataclass(frozen=True)
class Spoken:
    """All of one reply."""

    chunks: list[SpeechChunk]

    @property
    def audio_24k(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(chunk.audio_24k for chunk in self.chunks)])

    @property
    def words(self) -> list[SpokenWord]:
        return [word for chunk in self.chunks for word in chunk.words]

    @property
    def border_samples(self) -> list[int]:
        return [int(end) for end in np.cumsum([len(chunk.audio_24k) for chunk in self.chunks])[:-1]]


async def each(clauses: Reply) -> AsyncIterator[str]:
    for clause in clauses:
        yield clause


async def spoken(voice: TextToSpeech, *clauses: str) -> Spoken:
    return Spoken([chunk async for chunk in voice.speak(each(list(clauses)))])


def assert_words_in_order(reply: Spoken, clauses: Reply) -> None:
    """Every word as written, in order, without overlap, inside the audio and inside its own chunk."""
    assert [word.text for word in reply.words] == " ".join(clauses).split()
    edge = 0
    for word in reply.words:
        assert edge <= word.start_samples <= word.end_samples <= len(reply.audio_24k)
        edge = word.end_samples
    start = 0
    for chunk in reply.chunks:
        end = start + len(chunk.audio_24k)
        assert all(start <= word.start_samples <= word.end_samples <= end for word in chunk.words)
        start = end


def level_dbfs(audio: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-12))
