import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from speakback import weights
from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.providers.adapters.hibari import Hibari
from speakback.timebase import EAR_HZ, VOICE_HZ
from speakback.vad import silero
from speakback.vad.hysteresis import FRAME_SAMPLES
from speakback.vad.silero import BACKLOG, CROWD, LONGEST_GATHER_S, MAX_BATCH, SileroStream, SileroVad
from speakback.weights import WeightsError
from tests.providers.voices import spoken

PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def model_path() -> Path:
    return weights.resolve("silero-vad") / "silero_vad.onnx"


@pytest.fixture(scope="module")
def frames() -> list[Samples]:
    """A second of silence, a sentence and silence again, in frames."""

    async def say() -> Samples:
        voice = Hibari()
        sentence = await spoken(voice, "Could you tell me what time it is, please?")
        await voice.aclose()
        return resample(sentence.audio_24k, VOICE_HZ, EAR_HZ)

    quiet = np.random.default_rng(1).normal(0, 1e-4, EAR_HZ).astype(np.float32)
    line = np.concatenate((quiet, asyncio.run(say()), quiet))
    return list(line[: len(line) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES))


@pytest.fixture
async def vad(model_path: Path) -> AsyncIterator[SileroVad]:
    vad = SileroVad(model_path)
    yield vad
    await vad.aclose()


class Listener:
    """Takes the scores of one stream."""

    def __init__(self, vad: SileroVad) -> None:
        self.scores: list[float] = []
        self._wanted = 0
        self._enough = asyncio.Event()
        self.stream = vad.open_stream(self._on_score)

    async def hears(self, frames: list[Samples]) -> list[float]:
        """The scores of `frames`, all of them pushed at once."""
        self.push(frames)
        return await self.all_scores()

    def push(self, frames: list[Samples]) -> None:
        self._wanted += len(frames)
        for frame in frames:
            self.stream.push(frame)

    async def all_scores(self) -> list[float]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.scores) < self._wanted:
                self._enough.clear()
                await self._enough.wait()
        return self.scores

    def _on_score(self, probability: float) -> None:
        self.scores.append(probability)
        self._enough.set()


async def test_speech_scores_high_and_silence_low(vad: SileroVad, frames: list[Samples]) -> None:
    scores = await Listener(vad).hears(frames)
    second = EAR_HZ // FRAME_SAMPLES
    assert max(scores[:second]) < 0.35
    assert max(scores[-second // 2 :]) < 0.35
    assert np.median(scores[second + 5 : -second - 5]) > 0.9


async def test_a_frame_is_scored_with_its_streams_state_and_the_end_of_the_frame_before(
    vad: SileroVad, model_path: Path, frames: list[Samples]
) -> None:
    """Against the model called plainly, frame by frame."""

    def plainly() -> list[float]:
        model = onnxruntime.InferenceSession(str(model_path), providers=["CPUExecutionProvider"])
        state, context = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32)
        scores = []
        for frame in frames:
            heard = np.concatenate((context, frame))[np.newaxis]
            score, state = model.run(None, {"input": heard, "state": state, "sr": np.array(EAR_HZ, np.int64)})
            context = frame[-64:]
            scores.append(float(score[0, 0]))
        return scores

    expected = await asyncio.to_thread(plainly)
    assert await Listener(vad).hears(frames) == pytest.approx(expected, abs=1e-4)


async def test_many_streams_together_score_as_each_alone(vad: SileroVad, frames: list[Samples]) -> None:
    """More streams than fit a batch, each at another place of the sentence, among them silent ones."""
    cuts = [frames[place % 40 : place % 40 + 30] for place in range(MAX_BATCH + 9)]
    alone = [await Listener(vad).hears(cut) for cut in cuts[:40]]
    together = [Listener(vad) for _ in cuts]
    for listener, cut in zip(together, cuts, strict=True):
        listener.push(cut)
    for place, listener in enumerate(together):
        assert await listener.all_scores() == pytest.approx(alone[place % 40], abs=1e-4)


async def test_a_stream_remembers_its_own_past_only(vad: SileroVad, frames: list[Samples]) -> None:
    """Frames that come one by one, in turn with those of another stream, score as if all came at once."""
    at_once = await Listener(vad).hears(frames[30:60])
    one, other = Listener(vad), Listener(vad)
    for frame, silent in zip(frames[30:60], frames[:30], strict=True):
        await one.hears([frame])
        await other.hears([silent])
    assert one.scores == pytest.approx(at_once, abs=1e-4)


async def test_a_closed_stream_gets_no_more_scores(vad: SileroVad, frames: list[Samples]) -> None:
    closed, open_ = Listener(vad), Listener(vad)
    closed.push(frames)
    closed.stream.close()
    closed.push(frames)
    await open_.hears(frames)
    assert closed.scores == []
    assert not closed.stream.waiting


async def test_among_many_one_that_is_behind_catches_up_without_a_wait_before_each_batch(
    vad: SileroVad, frames: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("speakback.vad.silero.time.sleep", waits.append)
    crowd = [Listener(vad) for _ in range(CROWD)]
    await crowd[0].hears(frames[:40])
    assert 1 <= len(waits) <= 1 + BACKLOG
    assert max(waits) <= LONGEST_GATHER_S


async def test_who_takes_the_place_of_one_that_left_in_mid_batch_begins_with_no_memory(
    vad: SileroVad, frames: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch under way still writes what it made of the one that left."""
    alone = await Listener(vad).hears(frames[30:50])
    began, go_on = threading.Event(), threading.Event()
    score = vad._score

    def waits(streams: list[SileroStream], batch: list[Samples]) -> list[float]:
        monkeypatch.setattr(vad, "_score", score)
        began.set()
        assert go_on.wait(PATIENCE_S)
        return score(streams, batch)

    monkeypatch.setattr(vad, "_score", waits)
    leaving = Listener(vad)
    leaving.push(frames[40:44])
    assert await asyncio.to_thread(began.wait, PATIENCE_S)
    leaving.stream.close()
    coming = Listener(vad)
    coming.push(frames[30:50])
    go_on.set()
    assert await coming.all_scores() == pytest.approx(alone, abs=1e-4)
    assert leaving.scores == []


async def test_closing_from_within_a_score_is_the_last_one(vad: SileroVad, frames: list[Samples]) -> None:
    scores: list[float] = []

    def once(probability: float) -> None:
        scores.append(probability)
        stream.close()

    stream = vad.open_stream(once)
    for frame in frames:
        stream.push(frame)
    await Listener(vad).hears(frames)
    assert len(scores) == 1


async def test_a_stream_whose_owner_fails_keeps_no_other_from_its_scores(vad: SileroVad, frames: list[Samples]) -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context["exception"]))

    def fails(probability: float) -> None:
        raise ArithmeticError("an owner's defect")

    broken, whole = vad.open_stream(fails), Listener(vad)
    for frame in frames[:20]:
        broken.push(frame)
        whole.push([frame])
    assert len(await whole.all_scores()) == 20
    assert {type(problem) for problem in problems} == {ArithmeticError}


async def test_a_frame_of_another_length_is_refused(vad: SileroVad) -> None:
    with pytest.raises(ValueError, match="512 samples"):
        vad.open_stream(lambda _: None).push(np.zeros(511, np.float32))


async def test_closing_stops_the_thread_though_frames_wait(model_path: Path, frames: list[Samples]) -> None:
    before = threading.active_count()
    vad = SileroVad(model_path)
    listener = Listener(vad)
    for _ in range(20):
        listener.push(frames)
    await vad.aclose()
    assert "vad" not in [thread.name for thread in threading.enumerate()]
    assert threading.active_count() <= before + 1  # asyncio's own pool thread, which waited for it
    assert len(listener.scores) < 20 * len(frames)


async def test_a_file_that_is_no_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="speakback weights"):
        SileroVad(tmp_path / "missing.onnx")


async def test_a_model_that_fails_once_is_heard_again(
    vad: SileroVad, frames: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    score = vad._score

    def fails(streams: list[SileroStream], batch: list[Samples]) -> list[float]:
        monkeypatch.setattr(vad, "_score", score)
        raise MemoryError

    monkeypatch.setattr(vad, "_score", fails)
    scores = await Listener(vad).hears(frames)
    assert scores[0] == 0.0, "the frame that failed counts as silence"
    assert max(scores) > 0.9


class Clock:
    """Stands still unless it is moved; counts its readings."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.readings = 0

    def __call__(self) -> float:
        self.readings += 1
        return self.now_s


async def test_a_vad_that_falls_behind_tells_how_long_frames_wait(
    model_path: Path, frames: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, told = Clock(), list[float]()
    monkeypatch.setattr(silero, "monotonic", clock)
    vad = SileroVad(model_path, told.append)
    score, wait = vad._score, vad._wake.wait
    begun, go_on, rests = threading.Event(), threading.Event(), threading.Event()

    def rest() -> bool:
        rests.set()
        return wait()

    def slow(streams: list[SileroStream], batch: list[Samples]) -> list[float]:
        rests.clear()
        begun.set()
        go_on.wait(PATIENCE_S)
        clock.now_s += 0.25
        return score(streams, batch)

    monkeypatch.setattr(vad, "_score", slow)
    monkeypatch.setattr(vad._wake, "wait", rest)
    one, other = Listener(vad), Listener(vad)
    clock.now_s += 5
    one.push(frames[:2])
    await asyncio.to_thread(begun.wait, PATIENCE_S)
    other.push(frames[:1])
    assert vad.oldest_wait_s() == 0.0
    clock.now_s += 1
    assert vad.oldest_wait_s() == 1.0, "the other's frame waits while the first is scored"
    go_on.set()
    await one.all_scores()
    await other.all_scores()
    assert await asyncio.to_thread(rests.wait, PATIENCE_S)
    clock.now_s += 5
    await one.hears(frames[2:3])
    await vad.aclose()
    assert told == [1.25, 1.5, 0.25], "one alone, two that waited for it, one after a rest; each with its own scoring"
    assert vad.oldest_wait_s() == 0.0


async def test_the_clock_is_read_once_a_batch_and_waits_are_told_ten_times_a_second(
    model_path: Path, frames: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, told = Clock(), list[float]()
    monkeypatch.setattr(silero, "monotonic", clock)
    vad = SileroVad(model_path, told.append)
    at_first = clock.readings
    listeners = [Listener(vad) for _ in range(20)]
    for listener in listeners:
        listener.push(frames[:10])
    for listener in listeners:
        await listener.all_scores()
    await vad.aclose()
    assert clock.readings - at_first <= 32, "for 200 frames: one a batch, and one a wake-up"
    assert told == [], "not a tenth of a second has passed"
