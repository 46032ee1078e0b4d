import pytest

from benchmarks.pauses import MEETING, READ, SYNTHETIC, Pause, Voiced
from benchmarks.process import NotToldHere
from benchmarks.turn_taking import SOUND_MS, WORDS_MS, Judged, cuts_in, ends_after_ms, findings, measure
from speakback.turn.end_of_turn import word_completeness
from speakback.turn.endpointing import CalibratedEndpointing, FixedEndpointing, SemanticEndpointing
from speakback.vad.hysteresis import VadConfig

NOTICED_MS = VadConfig().min_silence_ms
SEMANTIC = SemanticEndpointing(sure_ms=10, doubtful_ms=900, unscored_ms=600)


def row(acoustic: float, text: str, *, over: bool = True, lasts_ms: int | None = None, source: str = READ) -> Judged:
    pause = Pause(Voiced(0, 16_000), over, lasts_ms)
    return Judged(text, source, pause, text, acoustic, word_completeness(text), 1000, (), 60.0, 100.0)


def test_a_fixed_silence_ends_all_alike() -> None:
    assert ends_after_ms(FixedEndpointing(500), row(0.01, "and")) == 500


def test_no_turn_ends_before_the_pause_is_noticed() -> None:
    assert ends_after_ms(FixedEndpointing(50), row(0.9, "Yes.")) == NOTICED_MS


def test_a_sure_sound_does_not_wait_for_the_words() -> None:
    assert ends_after_ms(SEMANTIC, row(1.0, "I went to the")) == NOTICED_MS + SOUND_MS


def test_words_are_heard_when_they_come() -> None:
    assert ends_after_ms(SEMANTIC, row(0.5, "Hello.")) == NOTICED_MS + WORDS_MS
    assert ends_after_ms(SEMANTIC, row(0.02, "I went to the")) == 900


def test_patience_counts_only_once_the_words_are_there() -> None:
    policy = CalibratedEndpointing()
    assert ends_after_ms(policy, row(0.5, "My number is 555")) >= policy.patience.counting_ms


@pytest.mark.parametrize(("ends_ms", "cuts"), [(500, True), (595, True), (596, False), (700, False)])
def test_a_turn_cut_before_the_voice_is_heard_again_is_cut_in(ends_ms: int, cuts: bool) -> None:
    assert cuts_in(ends_ms, Pause(Voiced(0, 1), False, 500)) is cuts


def test_an_end_is_no_cut_in() -> None:
    assert not cuts_in(0, Pause(Voiced(0, 1), True, None))


def test_the_tables_hold_what_was_judged() -> None:
    rows = [
        row(0.9, "It is there."),
        row(0.9, "Is it there?", source=SYNTHETIC),
        row(0.1, "It is", over=False, lasts_ms=550),
        row(0.1, "It is the", over=False, lasts_ms=900, source=MEETING),
    ]
    found = {figure.what: figure.value for figure in findings(rows).figures}
    assert found["fixed 500 ms: cuts into read pauses (n = 1)"] == 100
    assert found["half-duplex: cuts into read pauses (n = 1)"] == 0
    assert found["half-duplex: delay at recorded ends (n = 1), p50"] == 700
    assert found["AUC of acoustic, recorded (1/2)"] == 100
    observed = {what: value for what, value in found.items() if "was predicted" in what}
    assert list(observed.values()) == [0, None, None, 100, None]


async def test_without_recordings_it_says_so() -> None:
    with pytest.raises(NotToldHere, match="--clips"):
        await measure(None)
