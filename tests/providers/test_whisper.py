import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import soundfile
import soxr
from hibari import Hibari

from speakback.audio.pcm import Samples
from speakback.providers.adapters.whisper import Whisper, joined
from speakback.providers.errors import ProviderError
from speakback.providers.stt import TimedWord, Transcript
from speakback.timebase import EAR_HZ, VOICE_HZ
from speakback.weights import resolve
from tests.providers.noises import KINDS, noise

SENTENCES = (
    "Could you tell me when the next train to London leaves?",
    "I would like to change my appointment to Thursday afternoon.",
    "The weather was lovely, so we walked along the river.",
)
SHORT = ("Thank you.", "Okay.", "Goodbye.", "Thank you very much.")


@pytest.fixture(scope="module")
def ear() -> Iterator[Whisper]:
    ear = Whisper(resolve("whisper-tiny.en"), name="tiny")
    yield ear
    asyncio.run(ear.aclose())


@pytest.fixture(scope="module")
def speech() -> dict[str, Samples]:
    voice = Hibari(threads=1)
    texts = (*SENTENCES, *SHORT)
    return {
        text: soxr.resample(np.concatenate(list(voice.stream(text, seed=1))), VOICE_HZ, EAR_HZ).astype(np.float32)
        for text in texts
    }


def plain(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", "", text.lower()).split()


@pytest.mark.parametrize("text", [*SENTENCES, *SHORT])
async def test_what_is_said_is_written_once(ear: Whisper, speech: dict[str, Samples], text: str) -> None:
    transcript = await ear.transcribe(speech[text], language="en")
    assert plain(transcript.text) == plain(text)
    assert transcript.rejected is None
    assert transcript.confidence is not None
    assert 0.2 < transcript.confidence <= 1.0


async def test_words_have_their_places(ear: Whisper, speech: dict[str, Samples]) -> None:
    clip = speech[SENTENCES[0]]
    transcript = await ear.transcribe(clip, language="en-GB")
    assert " ".join(word.text for word in transcript.words) == transcript.text
    times = [time for word in transcript.words for time in (word.start_ms, word.end_ms)]
    assert times == sorted(times)
    assert times[0] < 400
    assert 0.75 * len(clip) < times[-1] * EAR_HZ / 1000 <= len(clip)


@pytest.mark.parametrize("kind", KINDS)
async def test_noise_never_becomes_text(ear: Whisper, kind: str) -> None:
    for seed, seconds in enumerate((0.4, 0.8, 1.5, 3.0)):
        transcript = await ear.transcribe(noise(kind, seed, seconds), language="en")
        assert (transcript.text, transcript.words) == ("", ())
        assert transcript.rejected


async def test_audio_longer_than_whisper_knows(ear: Whisper, speech: dict[str, Samples]) -> None:
    pause = np.zeros(EAR_HZ // 2, np.float32)
    rounds = [SENTENCES[index % len(SENTENCES)] for index in range(12)]
    audio = np.concatenate([part for text in rounds for part in (speech[text], pause)])
    assert len(audio) > 35 * EAR_HZ

    transcript = await ear.transcribe(audio, language="en")

    said, heard = plain(" ".join(rounds)), plain(transcript.text)
    assert abs(len(heard) - len(said)) <= 4
    assert sum(word in heard for word in set(said)) >= 0.9 * len(set(said))
    starts = [word.start_ms for word in transcript.words]
    assert starts == sorted(starts)
    assert starts[-1] > 0.9 * len(audio) * 1000 / EAR_HZ


async def test_scraps_and_nothing(ear: Whisper) -> None:
    for samples in (0, 1, 1599):
        transcript = await ear.transcribe(np.ones(samples, np.float32), language="en")
        assert (transcript.text, transcript.rejected) == ("", "shorter than 100 ms")


async def test_callers_at_once_are_not_mixed_up(ear: Whisper, speech: dict[str, Samples]) -> None:
    found = await asyncio.gather(*(ear.transcribe(speech[text], language="en") for text in SENTENCES))
    assert [plain(transcript.text) for transcript in found] == [plain(text) for text in SENTENCES]


async def test_a_cancelled_call_harms_no_other(ear: Whisper, speech: dict[str, Samples]) -> None:
    task = asyncio.create_task(ear.transcribe(speech[SENTENCES[0]], language="en"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert plain((await ear.transcribe(speech[SHORT[1]], language="en")).text) == ["okay"]


async def test_an_english_model_refuses_other_languages(ear: Whisper) -> None:
    with pytest.raises(ProviderError, match="English only"):
        await ear.transcribe(np.zeros(EAR_HZ, np.float32), language="de")


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="cannot load the model"):
        Whisper(tmp_path, name="nowhere")


async def test_after_close_it_refuses() -> None:
    ear = await asyncio.to_thread(lambda: Whisper(resolve("whisper-tiny.en"), name="closed", workers=1))
    await ear.aclose()
    with pytest.raises(ProviderError, match="closed"):
        await ear.transcribe(np.zeros(EAR_HZ, np.float32), language="en")


def test_the_engine_still_halves_max_length(ear: Whisper) -> None:
    """The token cap relies on it: CTranslate2 writes at most half of `max_length`."""
    features = ctranslate2.StorageView.from_array(np.zeros((1, 80, 300), np.float32))
    result = ear._model.generate(features, [ear._prompt("en")], max_length=20, beam_size=1, suppress_tokens=[50256])
    assert len(result[0].sequences_ids[0]) == 10


def test_pieces_are_joined_and_silent_ones_left_out() -> None:
    silent = Transcript("", (), 0.1, rejected="invented on silence")
    one = Transcript("One two.", (TimedWord("One", 0, 1), TimedWord("two.", 1, 2)), 0.9)
    three = Transcript("Three.", (TimedWord("Three.", 5, 6),), 0.6)
    whole = joined([one, silent, three])
    assert (whole.text, whole.words) == ("One two. Three.", one.words + three.words)
    assert whole.confidence == pytest.approx(0.8)
    assert joined([silent, silent]) == silent


def test_recorded_speech_is_understood(ear: Whisper, shared_data: Path) -> None:
    items = json.loads((shared_data / "audio" / "transcripts.json").read_text())["items"]
    wrong = said = 0
    for file, item in items.items():
        audio, _ = soundfile.read(shared_data / "audio" / file, dtype="float32")
        heard, reference = plain(asyncio.run(ear.transcribe(audio, language="en")).text), plain(item["text"])
        wrong += len(set(reference) ^ set(heard))
        said += len(set(reference))
    assert wrong / said < 0.15
