"""What messages with audio say."""

import base64

import pytest

from speakback.emulators.contracts.heard import Alignment, alignments, audio_bytes
from speakback.emulators.contracts.site import BrokenContractError


def message(data: bytes) -> dict[str, object]:
    return {"audio": base64.b64encode(data).decode()}


def test_audio_is_counted() -> None:
    assert audio_bytes([message(b"1234"), {"isFinal": True}, message(b"56")]) == 6


@pytest.mark.parametrize(("wrong", "why"), [(message(b"123"), "no whole samples"), ({"audio": "A"}, "no base64")])
def test_audio_that_is_none_breaks_the_contract(wrong: object, why: str) -> None:
    with pytest.raises(BrokenContractError, match=why):
        audio_bytes([wrong])


@pytest.mark.parametrize(
    ("starts", "durations"),
    [
        ("charStartTimesMs", "charDurationsMs"),
        ("charStartTimesMs", "charsDurationsMs"),
        ("char_start_times_ms", "char_durations_ms"),
    ],
)
def test_alignments_are_read_in_every_spelling(starts: str, durations: str) -> None:
    found = alignments(
        [{"alignment": {"chars": ["H", "i"], starts: [0, 80], durations: [80, 60]}}, {"alignment": None}]
    )
    assert found == [Alignment("Hi", 140)]


def test_arrays_that_do_not_match_break_the_contract() -> None:
    with pytest.raises(BrokenContractError, match=r"\[2, 1, 0\]"):
        alignments([{"alignment": {"chars": ["H", "i"], "charStartTimesMs": [0]}}])
