import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from hibari import Hibari

from speakback.audio.mel import log_mel
from speakback.audio.pcm import Samples
from speakback.providers.adapters.smart_turn import (
    HEARD_SAMPLES,
    SmartTurn,
    features_of,
    standardised,
    with_floor,
)
from speakback.providers.errors import ProviderError
from speakback.timebase import EAR_HZ, VOICE_HZ
from speakback.weights import resolve


@pytest.fixture(scope="module")
def model() -> Iterator[SmartTurn]:
    model = SmartTurn(resolve("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx", name="smart-turn")
    yield model
    asyncio.run(model.aclose())


@pytest.fixture(scope="module")
def sentence() -> Samples:
    text = "I would like to change my appointment to Thursday afternoon."
    spoken = np.concatenate(list(Hibari(threads=1).stream(text, seed=1)))
    audio = np.asarray(soxr.resample(spoken, VOICE_HZ, EAR_HZ), np.float32)
    return audio[: np.flatnonzero(np.abs(audio) > 0.01)[-1] + 1]


async def test_an_ended_sentence_sounds_more_final_than_one_cut_short(model: SmartTurn, sentence: Samples) -> None:
    cut = [await model.score(sentence[: int(len(sentence) * share)]) for share in (0.3, 0.5, 0.7)]
    assert await model.score(sentence) > max(cut)
    assert all(0.0 <= score <= 1.0 for score in cut)


async def test_only_the_last_eight_seconds_are_heard(model: SmartTurn, sentence: Samples) -> None:
    long = np.tile(sentence, 5)
    assert len(long) > HEARD_SAMPLES
    assert await model.score(long) == await model.score(long[-HEARD_SAMPLES:])


@pytest.mark.parametrize("samples", [0, 1, 400, EAR_HZ])
async def test_any_length_has_a_score_and_always_the_same(model: SmartTurn, samples: int) -> None:
    audio = np.zeros(samples, np.float32)
    score = await model.score(audio)
    assert 0.0 <= score <= 1.0
    assert await model.score(audio) == score


def test_digital_zeros_become_a_faint_hiss_and_sound_stays() -> None:
    floor = np.full(8, 1e-4, np.float32)
    audio = np.array([0.5, 0.0, 0.0, -0.25], np.float32)
    np.testing.assert_allclose(with_floor(audio, floor), [0.5, 1e-4, 1e-4, -0.25])


@pytest.mark.parametrize("samples", [300, 48_001, HEARD_SAMPLES - 200, HEARD_SAMPLES])
def test_the_silence_before_it_is_what_it_would_be_made_frame_by_frame(samples: int) -> None:
    audio = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    padded = np.pad(audio, (HEARD_SAMPLES - samples, 0))
    np.testing.assert_allclose(features_of(audio), log_mel(standardised(padded)), atol=1e-6)


def test_standardised() -> None:
    audio = standardised(np.random.default_rng(2).normal(0.2, 0.05, 9000).astype(np.float32))
    assert audio.mean() == pytest.approx(0.0, abs=1e-5)
    assert audio.std() == pytest.approx(1.0, abs=1e-3)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="cannot load"):
        SmartTurn(tmp_path / "none.onnx", name="nowhere")


async def test_after_close_it_refuses() -> None:
    model = await asyncio.to_thread(
        lambda: SmartTurn(resolve("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx", name="closed")
    )
    await model.aclose()
    with pytest.raises(ProviderError, match="closed"):
        await model.score(np.zeros(100, np.float32))
