import asyncio
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from speakback.audio.artifacts import SentAudio, find_artifacts
from speakback.audio.phrase import BREAK_MS
from speakback.audio.resample import resample
from speakback.providers.adapters import hibari
from speakback.providers.adapters.hibari import Hibari
from speakback.providers.adapters.phrase_voice import Phrase
from speakback.providers.adapters.pronunciation import Sound
from speakback.providers.adapters.whisper import Whisper
from speakback.providers.errors import ProviderError
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples
from speakback.weights import resolve
from tests.providers.voices import REPLIES, Reply, assert_words_in_order, each, level_dbfs, spoken


@pytest.fixture(scope="module")
def voice() -> Iterator[Hibari]:
    voice = Hibari()
    yield voice
    asyncio.run(voice.aclose())


@pytest.fixture(scope="module")
def ear() -> Iterator[Whisper]:
    ear = Whisper(resolve("whisper-tiny.en"), name="whisper")
    yield ear
    asyncio.run(ear.aclose())


def silence_ms_after(audio_24k: np.ndarray[tuple[int], np.dtype[np.float32]], start: int) -> float:
    return float(np.argmax(np.abs(audio_24k[start:]) > 0.003)) * 1000 / VOICE_HZ


async def test_every_reply_is_spoken_word_for_word_and_without_artifacts(voice: Hibari) -> None:
    for clauses in REPLIES:
        reply = await spoken(voice, *clauses)
        assert_words_in_order(reply, clauses)
        sent = [SentAudio(0, len(reply.audio_24k))]
        report = find_artifacts(reply.audio_24k, sent, reply.border_samples, " ".join(clauses))
        assert report.clean, (clauses, report)


async def test_words_fill_the_audio_except_the_breaks(voice: Hibari) -> None:
    reply = await spoken(voice, "I can help you with that today.")
    assert reply.words[0].start_samples == 0
    assert reply.words[-1].end_samples == len(reply.audio_24k)
    assert all(a.end_samples == b.start_samples for a, b in pairwise(reply.words))


async def test_a_word_after_a_break_begins_when_its_sound_begins(voice: Hibari) -> None:
    errors_ms = []
    for clause in ("I came, I saw, and then I slept.", "Peter, Tom, Kate, and Dan came.", "Once, in April, I ate."):
        reply = await spoken(voice, clause)
        for before, after in pairwise(reply.words):
            if before.text.endswith(","):
                assert before.end_samples < after.start_samples
                quiet_from = (before.end_samples + after.start_samples) // 2 - ms_to_samples(20, VOICE_HZ)
                onset = quiet_from + np.argmax(np.abs(reply.audio_24k[quiet_from:]) > 0.02)
                errors_ms.append((after.start_samples - onset) * 1000 / VOICE_HZ)
    assert len(errors_ms) == 7
    assert abs(np.median(errors_ms)) <= 20
    assert max(np.abs(errors_ms)) <= 60


async def test_the_first_sound_is_heard_at_once(voice: Hibari) -> None:
    for clause in ("Sure.", "Hello there.", "Four of them fell.", "Apples are red."):
        reply = await spoken(voice, clause)
        assert silence_ms_after(reply.audio_24k, 0) <= 30


async def test_breaks_between_clauses_follow_their_marks_and_nothing_trails(voice: Hibari) -> None:
    heard = {}
    for mark in ".,":
        reply = await spoken(voice, f"I see{mark}", "Tell me more.")
        quiet = np.convolve(np.abs(reply.audio_24k), np.ones(120) / 120, "same") < 0.002
        edges = np.flatnonzero(np.diff(quiet, prepend=False, append=False)).reshape(-1, 2)
        around = [int(b - a) for a, b in edges if a <= reply.border_samples[0] <= b]
        heard[mark] = around[0] * 1000 / VOICE_HZ
        onset = next(int(b) for a, b in edges if a <= reply.border_samples[0] <= b)
        assert abs(reply.words[2].start_samples - onset) <= ms_to_samples(40, VOICE_HZ)
        assert level_dbfs(reply.audio_24k[-ms_to_samples(120, VOICE_HZ) :]) > -60
    assert heard["."] == pytest.approx(BREAK_MS["."], abs=60)
    assert heard[","] == pytest.approx(BREAK_MS[","], abs=60)


async def test_the_same_words_sound_the_same_and_another_seed_does_not(voice: Hibari) -> None:
    first, second = await asyncio.gather(spoken(voice, "Same as before."), spoken(voice, "Same as before."))
    assert (first.audio_24k == second.audio_24k).all()
    other = Hibari(seed=2)
    assert (await spoken(other, "Same as before.")).audio_24k.tolist() != first.audio_24k.tolist()
    await other.aclose()


async def test_speed_shortens_speech_and_its_word_times(voice: Hibari) -> None:
    quick = Hibari(speed=1.5)
    slow_reply = await spoken(voice, "I can help you with that today.")
    quick_reply = await spoken(quick, "I can help you with that today.")
    assert 1.3 < len(slow_reply.audio_24k) / len(quick_reply.audio_24k) < 1.7
    assert_words_in_order(quick_reply, ["I can help you with that today."])
    await quick.aclose()


@pytest.mark.parametrize("clauses", [[], [""], ["   "], ["?!", "..."], ["😀"]])
async def test_nothing_to_say_is_no_error_and_no_audio(voice: Hibari, clauses: Reply) -> None:
    assert (await spoken(voice, *clauses)).chunks == []


async def test_a_clause_that_cannot_be_pronounced_is_an_error_that_does_not_quote_it(voice: Hibari) -> None:
    with pytest.raises(ProviderError, match=r"tts provider 'hibari'.*can pronounce nothing in a clause of 4"):
        await spoken(voice, "你好世界")


async def test_a_failing_engine_is_an_error_that_does_not_quote_the_text(
    voice: Hibari, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(engine: object, clause: str) -> None:
        raise KeyError(clause)

    monkeypatch.setattr(hibari.HibariEngine, "plan", fails)
    with pytest.raises(ProviderError, match="failed with KeyError") as failure:
        await spoken(voice, "my secret.")
    assert "secret" not in str(failure.value)


async def test_long_text_comes_in_pieces(voice: Hibari) -> None:
    clause = "and then we went on and on and on " * 20
    reply = await spoken(voice, clause)
    assert len(reply.chunks) > 3
    assert [chunk.clause_end for chunk in reply.chunks] == [False] * (len(reply.chunks) - 1) + [True]
    assert_words_in_order(reply, [clause])


async def test_cancelling_drops_queued_work_and_the_voice_speaks_on(
    voice: Hibari, monkeypatch: pytest.MonkeyPatch
) -> None:
    await voice.warm()
    say, begun, release = hibari.HibariEngine.say, Event(), Event()

    def blocked(engine: hibari.HibariEngine, sounds: tuple[Sound, ...]) -> Phrase:
        begun.set()
        release.wait()
        counted.append(sounds)
        return say(engine, sounds)

    counted: list[tuple[Sound, ...]] = []
    monkeypatch.setattr(hibari.HibariEngine, "say", blocked)
    replies = [asyncio.create_task(spoken(voice, "One at a time.")) for _ in range(5)]
    await asyncio.to_thread(begun.wait)
    for reply in replies:
        reply.cancel()
    await asyncio.wait(replies)
    assert all(reply.cancelled() for reply in replies)
    release.set()
    monkeypatch.undo()
    assert (await spoken(voice, "Still here.")).chunks
    assert len(counted) <= 2


async def test_closing_the_iterator_ends_the_reply(voice: Hibari) -> None:
    chunks = voice.speak(each(["Hello there.", "You will not hear this."]))
    assert (await anext(chunks)).words[0].text == "Hello"
    await chunks.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ProviderError, match="tts provider 'hibari': there is no voice 'joe'; there are heart"):
        Hibari("joe")
    with pytest.raises(ProviderError, match="between 0.5 and 2.0, not 9"):
        Hibari(speed=9)


async def test_a_voice_whose_weights_are_not_here_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    emma = Hibari("emma")
    with pytest.raises(ProviderError, match="weights of voice 'emma' are not on this machine"):
        await emma.warm()
    await emma.aclose()


@pytest.mark.timeout(60)
async def test_audio_cut_at_a_word_says_just_the_words_before(voice: Hibari, ear: Whisper) -> None:
    reply = await spoken(voice, "My sister bought seven yellow lemons at the market yesterday morning.")
    for count in (4, 6, 9):
        end = reply.words[count - 1].end_samples
        audio_16k = resample(reply.audio_24k[:end], VOICE_HZ, EAR_HZ)
        transcript = await ear.transcribe(audio_16k, language="en")
        heard = re.findall("[a-z]+", transcript.text.lower().replace("7", "seven"))
        # The ear may make something up from the next word's very first sound, but it cannot know the word.
        assert heard[:count] == [word.text.lower() for word in reply.words[:count]]
        assert reply.words[count].text not in heard
