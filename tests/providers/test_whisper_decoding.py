import pytest

from speakback.providers.adapters.whisper_decoding import (
    TINY_EN_WINDOWS,
    Evidence,
    Segment,
    Window,
    compression_ratio,
    judge,
    last_timestamp,
    raw_segments,
    token_cap,
    words_before_loop,
)
from speakback.timebase import EAR_HZ

GOOD = Evidence(avg_logprob=-0.3, no_speech_prob=0.05, compression_ratio=1.0)
END, FIRST = 100, 110


def segment(text: str, start_ms: int = 0, end_ms: int = 2000) -> Segment:
    return Segment(start_ms, end_ms, tuple(text.split()))


@pytest.mark.parametrize(
    ("text", "runaway", "kept"),
    [
        ("Hello? Hello? Hello? Hello?", True, "Hello?"),
        ("Hello? Hello?", False, "Hello? Hello?"),
        ("no, no, no", False, "no, no, no"),
        ("five five five one two", True, "five five five one two"),
        ("Did you come by bike? Did you come by bike?", False, "Did you come by bike?"),
        ("Did you come by bike? Did you come", True, "Did you come by bike?"),
        ("Did you come by bike? Did you come", False, "Did you come by bike? Did you come"),
        ("It ended by a similar process, by a similar process.", False, "It ended by a similar process,"),
        (
            "it was the best of times, it was the worst of times",
            False,
            "it was the best of times, it was the worst of times",
        ),
        ("Thanks. Thanks. Thanks. Than", True, "Thanks. Thanks. Thanks. Than"),
        ("", True, ""),
        ("Yes.", True, "Yes."),
    ],
)
def test_loops(text: str, runaway: bool, kept: str) -> None:
    words = text.split()
    assert " ".join(words[: words_before_loop(words, runaway=runaway)]) == kept


def test_timestamps_cut_the_answer_and_other_special_tokens_are_dropped() -> None:
    answer = [FIRST, 1, 2, FIRST + 50, FIRST + 60, 3, 105, 4]
    segments = raw_segments(answer, first_timestamp_id=FIRST, end_of_text_id=END)
    assert [(s.start_ms, s.end_ms, s.token_ids) for s in segments] == [(0, 1000, (1, 2)), (1200, None, (3, 4))]


def test_an_answer_without_timestamps_is_one_segment() -> None:
    segments = raw_segments([1, 2], first_timestamp_id=FIRST, end_of_text_id=END)
    assert [(s.start_ms, s.end_ms, s.token_ids) for s in segments] == [(0, None, (1, 2))]


def test_what_begins_past_the_end_is_dropped() -> None:
    said, imagined = segment("in being modern.", 0, 1900), segment("Thank you.", 1900, 1900)
    assert judge([said, imagined], GOOD, clip_ms=1900, capped=False).text == "in being modern."
    assert judge([imagined], GOOD, clip_ms=1900, capped=False).complaint == "only text past the end"


def test_a_loop_that_is_cut_is_no_complaint_and_its_first_round_lasts_to_the_end() -> None:
    looped = [segment("Did you come by bike?", 0, 1000), segment("Did you come", 1000, 1700)]
    decoded = judge(looped, GOOD, clip_ms=1700, capped=True)
    assert decoded.segments == (segment("Did you come by bike?", 0, 1700),)
    assert decoded.complaint is None


@pytest.mark.parametrize(
    ("text", "evidence", "capped", "complaint"),
    [
        ("one two three four", GOOD, True, "did not end"),
        ("mumble", Evidence(-1.4, 0.1, 1.0), False, "improbable"),
        ("babble on noise", Evidence(-1.4, 0.9, 1.0), False, None),
        ("ha ha ha ha ha ha " * 8 + "x", GOOD, False, "repeats itself"),
    ],
)
def test_guards(text: str, evidence: Evidence, capped: bool, complaint: str | None) -> None:
    assert judge([segment(text)], evidence, clip_ms=30_000, capped=capped).complaint == complaint


def test_windows_are_even_and_never_longer_than_whisper_knows() -> None:
    for window in (*TINY_EN_WINDOWS, Window(0, 0, True)):
        for samples in (1600, 1601, 160 * 7, EAR_HZ * 28):
            assert window.frames(samples) % 2 == 0
            assert samples <= window.frames(samples) * 160 <= 30 * EAR_HZ
    assert TINY_EN_WINDOWS[0].frames(EAR_HZ) == 300
    assert TINY_EN_WINDOWS[1].frames(EAR_HZ) == 800


def test_limits_grow_with_the_clip() -> None:
    assert token_cap(0) < token_cap(EAR_HZ) < token_cap(10 * EAR_HZ)
    assert last_timestamp(EAR_HZ) == 55
    assert last_timestamp(40 * EAR_HZ) == 1500


def test_confidence_falls_with_each_kind_of_doubt() -> None:
    assert 0.6 < GOOD.confidence < 0.8
    worse = [Evidence(-1.0, 0.05, 1.0), Evidence(-0.3, 0.7, 1.0), Evidence(-0.3, 0.05, 6.0), Evidence(-20.0, 1.0, 9.0)]
    assert all(0.0 <= evidence.confidence < GOOD.confidence for evidence in worse)


def test_compression() -> None:
    assert compression_ratio("") <= 1.0
    assert compression_ratio("A short sentence as people say it.") < 1.5
    assert compression_ratio("Hello? " * 40) > 2.4
