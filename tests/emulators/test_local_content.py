"""Content by the models of this machine, which really run."""

from collections.abc import AsyncGenerator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.resample import resample
from speakback.audio.speech import SpokenWord
from speakback.emulators.local_content import (
    ModelWriter,
    character_times,
    local_recogniser,
    local_speaker,
    local_writer,
)
from speakback.providers.adapters.echo import Echo
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, ToolCall, Usage
from speakback.timebase import EAR_HZ, VOICE_HZ
from tests.emulators.test_scripted_content import spans_exactly

TEXT = "Hello there, how are you today?"


async def test_what_the_voice_says_is_heard_at_the_times_it_gives() -> None:
    async with local_speaker() as speaker, local_recogniser() as recogniser:
        spoken = await speaker.speak(TEXT)
        silent = await speaker.speak(" ... ")
        foreign = await speaker.speak("Добрый день")
        heard = await recogniser.recognise(resample(spoken.audio_24k, VOICE_HZ, EAR_HZ))
        nothing = await recogniser.recognise(np.zeros(EAR_HZ, np.float32))
    assert spans_exactly(spoken, TEXT)
    assert heard.text.lower().strip(".?!").replace(",", "") == "hello there how are you today"
    for word in heard.words:
        at = TEXT.lower().index(word.text.lower().strip(",.?"))
        assert abs(spoken.starts_ms[at] - word.start_ms) < 250
    assert (len(silent.audio_24k), nothing.text) == (0, "")
    assert spans_exactly(foreign, "Добрый день")
    assert len(foreign.audio_24k) > VOICE_HZ // 4


@pytest.mark.timeout(60)
async def test_the_local_model_writes() -> None:
    async with local_writer() as writer:
        prompt = Prompt((Message("user", "Say hello."),), max_tokens=8, temperature=0.0)
        tokens = [token async for token in writer.write(prompt)]
    assert all(isinstance(token, str) for token in tokens)
    assert 1 <= len(tokens) <= 8


class Caller(Echo):
    """Calls a function."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        yield TextDelta("Wait.")
        yield ToolCall("1", "f", "{}")
        yield Usage(1, 2, None, stopped_at_limit=False)


async def test_text_and_tool_calls_are_passed_on_and_usage_is_not() -> None:
    assert [one async for one in ModelWriter(Caller()).write(Prompt(()))] == ["Wait.", ToolCall("1", "f", "{}")]


def test_words_give_their_time_to_their_characters() -> None:
    words = [SpokenWord("Hi", 0, 2400), SpokenWord("you.", 4800, 9600)]
    starts, durations = character_times("Hi you. ", words, 500)
    assert starts == (0, 50, 100, 200, 250, 300, 350, 400)
    assert durations == (50, 50, 100, 50, 50, 50, 50, 100)


@given(st.text(min_size=1, max_size=30), st.lists(st.integers(0, 30_000), max_size=10), st.integers(0, 900))
def test_characters_always_span_exactly_the_audio(text: str, edges: list[int], length_ms: int) -> None:
    spans = zip(text.split(), sorted(edges), sorted(edges)[1:], strict=False)
    starts, durations = character_times(text, [SpokenWord(*span) for span in spans], length_ms)
    assert starts[0] == 0
    assert all(length >= 0 for length in durations)
    assert [start + length for start, length in zip(starts, durations, strict=True)] == [*starts[1:], length_ms]
