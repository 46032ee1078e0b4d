from dataclasses import dataclass

import pytest

from speakback.timebase import EAR_HZ, samples_to_ms
from speakback.vad.hysteresis import FRAME_SAMPLES, Edge, Hysteresis, VadConfig, VoiceStarted, VoiceStopped

FRAME_MS = samples_to_ms(FRAME_SAMPLES, EAR_HZ)
CONFIG = VadConfig(threshold=0.5, release_threshold=0.35, min_speech_ms=96, min_silence_ms=128)

SCORES = {"#": 0.9, "+": 0.5, "~": 0.4, "-": 0.35, ".": 0.1}
"""Speech, just speech, between the thresholds, just not silence, silence."""


@dataclass(frozen=True)
class Found:
    """An edge, and the frame after whose score it was reported."""

    frame: int
    edge: Edge


def started(frame: int, *, known: int) -> Found:
    return Found(known, VoiceStarted(frame * FRAME_SAMPLES))


def stopped(frame: int, *, known: int) -> Found:
    return Found(known, VoiceStopped(frame * FRAME_SAMPLES))


def edges(scores: str, hysteresis: Hysteresis | None = None) -> list[Found]:
    hysteresis = hysteresis or Hysteresis(CONFIG)
    found = [(frame, hysteresis.push(SCORES[score], frame * FRAME_SAMPLES)) for frame, score in enumerate(scores)]
    return [Found(frame, edge) for frame, edge in found if edge is not None]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("........", [], id="silence"),
        pytest.param("..##....", [], id="too short for speech"),
        pytest.param("..###", [started(2, known=4)], id="an onset is dated back to its first frame"),
        pytest.param("+++", [started(0, known=2)], id="the threshold itself is speech"),
        pytest.param("~~~~~~", [], id="between the thresholds nothing starts"),
        pytest.param("##.###", [started(3, known=5)], id="silence ends a candidate"),
        pytest.param("#~#", [started(0, known=2)], id="wavering does not end a candidate"),
        pytest.param("#~~~~", [], id="wavering alone does not make it speech"),
        pytest.param("###...", [started(0, known=2)], id="too short for silence"),
        pytest.param("###....", [started(0, known=2), stopped(3, known=6)], id="an offset is dated back, too"),
        pytest.param("###----------", [started(0, known=2)], id="the release threshold itself is not silence"),
        pytest.param("###...#....", [started(0, known=2), stopped(7, known=10)], id="speech ends a silence"),
        pytest.param("###.~~.", [started(0, known=2), stopped(3, known=6)], id="wavering does not end a silence"),
        pytest.param(
            "###....###....",
            [started(0, known=2), stopped(3, known=6), started(7, known=9), stopped(10, known=13)],
            id="two utterances",
        ),
    ],
)
def test_edges(scores: str, expected: list[Found]) -> None:
    assert edges(scores) == expected


def test_speech_and_silence_of_no_least_length_are_noticed_in_their_first_frame() -> None:
    found = edges("#.#", Hysteresis(VadConfig(min_speech_ms=0, min_silence_ms=0)))
    assert found == [started(0, known=0), stopped(1, known=1), started(2, known=2)]


@pytest.mark.parametrize(("min_speech_ms", "frames"), [(FRAME_MS, 1), (FRAME_MS + 1, 2), (96, 3), (97, 4)])
def test_speech_lasts_at_least_as_long_as_configured(min_speech_ms: int, frames: int) -> None:
    assert edges("#" * (frames - 1), Hysteresis(VadConfig(min_speech_ms=min_speech_ms))) == []
    assert edges("#" * frames, Hysteresis(VadConfig(min_speech_ms=min_speech_ms))) == [started(0, known=frames - 1)]


def test_after_a_restart_speech_that_goes_on_is_noticed_as_new() -> None:
    hysteresis = Hysteresis(CONFIG)
    edges("###", hysteresis)
    hysteresis.restart()
    assert not hysteresis.voiced
    assert edges("....###", hysteresis) == [started(4, known=6)]


def test_a_restart_forgets_a_candidate() -> None:
    hysteresis = Hysteresis(CONFIG)
    edges("##", hysteresis)
    hysteresis.restart()
    assert [hysteresis.push(0.9, (frame + 2) * FRAME_SAMPLES) for frame in range(2)] == [None, None]
    assert hysteresis.push(0.9, 4 * FRAME_SAMPLES) == VoiceStarted(2 * FRAME_SAMPLES)
