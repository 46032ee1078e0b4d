import pytest

from speakback.providers.adapters.elevenlabs.alignment import TimedCharacter, read_alignment

CAPTURED = {"chars": ["H", "i", " "], "charStartTimesMs": [0, 81, 139], "charDurationsMs": [81, 58, 35]}
EXPECTED = (TimedCharacter("H", 0, 1944), TimedCharacter("i", 1944, 3336), TimedCharacter(" ", 3336, 4176))


def test_the_captured_spelling_is_read_in_samples_at_24_khz() -> None:
    assert read_alignment(CAPTURED, 0) == EXPECTED


@pytest.mark.parametrize("starts", ["charStartTimesMs", "charsStartTimesMs", "char_start_times_ms"])
@pytest.mark.parametrize("durations", ["charDurationsMs", "charsDurationsMs", "char_durations_ms"])
def test_every_spelling_is_read(starts: str, durations: str) -> None:
    value = {"chars": CAPTURED["chars"], starts: [0, 81, 139], durations: [81, 58, 35]}
    assert read_alignment(value, 0) == EXPECTED


def test_gotcha_14_times_count_from_the_frame_they_came_with() -> None:
    assert read_alignment(CAPTURED, 1000)[0] == TimedCharacter("H", 1000, 2944)


def test_an_entry_of_several_characters_is_shared_out() -> None:
    value = {"chars": ["ab"], "charStartTimesMs": [0], "charDurationsMs": [10]}
    assert read_alignment(value, 0) == (TimedCharacter("a", 0, 120), TimedCharacter("b", 120, 240))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        {"chars": ["H"]},
        CAPTURED | {"charDurationsMs": [81, 58]},
        CAPTURED | {"charStartTimesMs": [0, 81, "139"]},
        CAPTURED | {"charStartTimesMs": [0, 81, -1]},
        CAPTURED | {"charStartTimesMs": [0, 81, float("nan")]},
        CAPTURED | {"charStartTimesMs": [0, 139, 81]},
        CAPTURED | {"charDurationsMs": [True, 58, 35]},
        CAPTURED | {"chars": [1, 2, 3]},
        CAPTURED | {"chars": "Hi "},
    ],
)
def test_what_does_not_fit_is_discarded(value: object) -> None:
    assert read_alignment(value, 0) == ()
