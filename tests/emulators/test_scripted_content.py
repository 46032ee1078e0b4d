"""Content without models: the exact span, the same each time, and each thing made once."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.pcm import Samples
from speakback.emulators.content import HeardText, SpokenText
from speakback.emulators.scripted_content import (
    RememberingRecogniser,
    RememberingSpeaker,
    ScriptedRecogniser,
    ScriptedWriter,
    ToneSpeaker,
    counted_words,
    voiced_span,
)
from speakback.providers.llm import Message, Prompt, ToolCall
from speakback.timebase import EAR_HZ


def spans_exactly(spoken: SpokenText, text: str) -> bool:
    """Every character has a place, one after the other, and together they are the audio."""
    ends = [start + length for start, length in zip(spoken.starts_ms, spoken.durations_ms, strict=True)]
    follows = list(spoken.starts_ms[1:]) == ends[:-1]
    whole_ms, rest = divmod(len(spoken.audio_24k), 24)
    return (
        len(ends) == len(text)
        and follows
        and rest == 0
        and (not text or (spoken.starts_ms[0] == 0 and ends[-1] == whole_ms))
    )


@given(st.text(max_size=60))
def test_tones_span_exactly_their_text(text: str) -> None:
    spoken = asyncio.run(ToneSpeaker().speak(text))
    assert spans_exactly(spoken, text)
    assert bool(len(spoken.audio_24k)) == any(map(str.isalnum, text))


async def test_words_sound_and_spaces_do_not() -> None:
    spoken = await ToneSpeaker().speak("Hi you")
    levels = [float(np.abs(part).max()) for part in np.split(spoken.audio_24k, 6)]
    assert [level > 0.1 for level in levels] == [True, True, False, True, True, True]
    again = await ToneSpeaker().speak("Hi you")
    assert np.array_equal(spoken.audio_24k, again.audio_24k)


def noise(seconds: float) -> Samples:
    return np.random.default_rng(1).uniform(-0.1, 0.1, round(seconds * EAR_HZ)).astype(np.float32)


def test_the_stretch_that_is_not_silent() -> None:
    quiet = np.zeros(EAR_HZ, np.float32)
    assert voiced_span(quiet) is None
    assert voiced_span(np.zeros(0, np.float32)) is None
    assert voiced_span(np.concatenate([quiet, noise(1.0), quiet])) == (EAR_HZ, 2 * EAR_HZ)


async def test_words_are_spread_over_what_is_not_silent() -> None:
    quiet = np.zeros(EAR_HZ, np.float32)
    heard = await ScriptedRecogniser(lambda _: "one two").recognise(np.concatenate([quiet, noise(1.0)]))
    assert [(word.text, word.start_ms, word.end_ms) for word in heard.words] == [
        ("one", 1000, 1500),
        ("two", 1500, 2000),
    ]
    assert (await ScriptedRecogniser().recognise(quiet)) == HeardText("", ())


def test_audio_that_grows_gives_a_text_that_grows() -> None:
    texts = [counted_words(noise(seconds)) for seconds in (0.1, 1.0, 2.0, 6.0)]
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:], strict=False))
    assert len(texts[-1].split()) == 15


async def test_replies_come_in_turn() -> None:
    call = ToolCall("1", "f", "{}")
    writer = ScriptedWriter(("One two.", call))
    user, agent = Message("user", "a"), Message("assistant", "b")
    assert [token async for token in writer.write(Prompt((user,)))] == ["One", " two."]
    assert [token async for token in writer.write(Prompt((user, agent, user)))] == [call]
    assert [token async for token in writer.write(Prompt((user, agent, user, agent, user)))] == ["One", " two."]


class Counted:
    """Counts what it is asked; a broken one fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False

    async def speak(self, text: str) -> SpokenText:
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise RuntimeError
        return SpokenText(np.zeros(24, np.float32), (0,) * len(text), (0,) * len(text))

    async def recognise(self, audio_16k: Samples) -> HeardText:
        self.asked += 1
        return HeardText(str(len(audio_16k)), ())


async def test_each_text_is_spoken_once() -> None:
    counted = Counted()
    speaker = RememberingSpeaker(counted, most=2)
    await asyncio.gather(*(speaker.speak("a") for _ in range(5)))
    assert counted.asked == 1
    for text in ("b", "a", "c", "a"):
        await speaker.speak(text)
    assert counted.asked == 3
    await speaker.speak("b")
    assert counted.asked == 4


async def test_a_failure_is_not_remembered() -> None:
    counted = Counted()
    counted.broken = True
    speaker = RememberingSpeaker(counted)
    with pytest.raises(RuntimeError):
        await speaker.speak("a")
    counted.broken = False
    assert (await speaker.speak("a")).starts_ms == (0,)


async def test_each_clip_is_recognised_once() -> None:
    counted = Counted()
    recogniser = RememberingRecogniser(counted)
    heard = [(await recogniser.recognise(noise(seconds))).text for seconds in (1.0, 2.0, 1.0)]
    assert heard == ["16000", "32000", "16000"]
    assert counted.asked == 2
