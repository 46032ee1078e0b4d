"""What a service may write that it should not, and the gate on inventions."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.providers.adapters.groq.transcription import NotATranscription, read_transcription, said
from speakback.providers.stt import TimedWord, Transcript
from tests.providers.groq.service import silence, voice

SURE = {"start": 0, "end": 1, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.01}


def transcript_of(answer: dict[str, object], seconds: float = 1.0) -> Transcript:
    return said(read_transcription(json.dumps(answer).encode()), voice(seconds))


def words_of(*words: tuple[str, float, float]) -> list[dict[str, object]]:
    return [{"word": word, "start": start, "end": end} for word, start, end in words]


def test_word_times_that_step_back_are_put_in_order_and_within_the_audio() -> None:
    words = words_of(("one", 0.5, 0.9), ("two", 0.7, 0.65), ("zero", -1, 0.55), ("three", 0.95, 33.0))
    assert transcript_of({"text": " zero one two three", "words": words}).words == (
        TimedWord("zero", 0, 550),
        TimedWord("one", 550, 900),
        TimedWord("two", 900, 900),
        TimedWord("three", 950, 1000),
    )


def test_confidence_is_weighted_by_duration() -> None:
    segments = [{**SURE, "end": 3, "avg_logprob": -0.1}, {**SURE, "start": 3, "end": 4, "avg_logprob": -0.9}]
    expected = (3 * math.exp(-0.1) + math.exp(-0.9)) / 4
    assert transcript_of({"text": "A b", "segments": segments}).confidence == pytest.approx(expected)


def test_a_log_probability_above_zero_is_certainty() -> None:
    assert transcript_of({"text": "A b", "segments": [{**SURE, "avg_logprob": 1e9}]}).confidence == 1.0


def test_25_texts_are_stripped() -> None:
    read = read_transcription(json.dumps({"text": " Hello there.", "words": words_of((" Hello", 0, 1))}).encode())
    assert (read.text, read.words) == ("Hello there.", (("Hello", 0.0, 1.0),))


@pytest.mark.parametrize("language", ["English", "en", None])
@pytest.mark.parametrize("duration", [2.31, "2.31", None])
def test_language_may_be_a_name_or_a_code_and_duration_a_text(language: object, duration: object) -> None:
    answer = {"text": " Hi there.", "language": language, "duration": duration, "segments": [SURE]}
    assert transcript_of(answer).text == "Hi there."


@pytest.mark.parametrize(
    "parts",
    [
        {"words": None, "segments": None},
        {"words": "private", "segments": 7},
        {"words": [7, {"word": 7}, {"word": "a"}, {"word": "a", "start": "x", "end": math.nan}], "segments": [7]},
        {"segments": [{"start": None, "end": "x", "avg_logprob": True, "no_speech_prob": [], "compression_ratio": {}}]},
        {"segments": [{"avg_logprob": math.inf}]},
    ],
    ids=repr,
)
def test_parts_that_are_missing_or_nonsense_cost_only_themselves(parts: dict[str, object]) -> None:
    assert transcript_of({"text": "Hi there.", **parts}) == Transcript("Hi there.", (), None)


def test_half_a_character_is_written_as_a_question_mark() -> None:
    assert transcript_of({"text": "Hi \ud83d there.", "words": words_of(("\ud83d", 0, 1))}).text == "Hi ? there."


@pytest.mark.parametrize(
    ("text", "segment", "reason"),
    [
        (" Thank you.", {"no_speech_prob": 0.07}, "a known invention"),
        (" Dziękuję.", {"no_speech_prob": 0.5}, "a known invention"),
        (" 시청해주셔서 감사합니다!", {"no_speech_prob": 0.5}, "a known invention"),
        (" ♪ ♪", {}, "no words"),
        (" [Music]", {}, "a sound, not words"),
        (" ...", {}, "no words"),
        ("", {}, "no words"),
        (" Well then.", {"avg_logprob": -1.2, "no_speech_prob": 0.7}, "invented without a voice"),
        (" And so on.", {"compression_ratio": 2.5, "avg_logprob": -0.1}, "repeats itself"),
        (" and so on" * 40, {}, "repeats itself"),
    ],
)
def test_inventions_are_rejected(text: str, segment: dict[str, object], reason: str) -> None:
    noise = (np.random.default_rng(1).standard_normal(16_000) * 0.05).astype(np.float32)
    answer = {"text": text, "words": words_of(("x", 0, 1)), "segments": [{**SURE, **segment}]}
    transcript = said(read_transcription(json.dumps(answer).encode()), noise)
    assert (transcript.text, transcript.words, transcript.rejected) == ("", (), reason)


def test_thanks_that_somebody_says_are_kept() -> None:
    for no_speech_prob in (0.01, 0.1):
        answer: dict[str, object] = {"text": " Thank you.", "segments": [{**SURE, "no_speech_prob": no_speech_prob}]}
        assert transcript_of(answer).text == "Thank you."


def test_words_on_silence_are_an_invention_whatever_the_model_believes() -> None:
    answer = json.dumps({"text": "Good morning.", "segments": [SURE]}).encode()
    assert said(read_transcription(answer), silence(1.0)).rejected == "invented on silence"


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "words", "segments", "word", "start", "end", "avg_logprob", "x_groq", "id"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_no_answer_breaks_the_reading(answer: object) -> None:
    try:
        transcription = read_transcription(json.dumps(answer).encode())
    except NotATranscription:
        return
    transcript = said(transcription, silence(0.3))
    assert all(0 <= word.start_ms <= word.end_ms <= 300 for word in transcript.words)
