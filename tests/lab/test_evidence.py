"""The observation model says what it claims to say, and nothing of what a speaker means to do."""

from random import Random

import numpy as np
import pytest

from speakback.lab.draws import habits
from speakback.lab.evidence import BACKCHANNEL_READ, CONTENT_READ, SHORT_WORDS_READ, Evidence
from speakback.lab.voice import After, Sound, Stretch
from speakback.turn.words import HeardWords, Repair, Unfinished

N = 6000
HINTED = 0.22


def ended() -> Stretch:
    return Stretch(Sound.SPEECH, 0, 2000, after=After.END)


def held(unfinished: Unfinished = Unfinished.NO) -> Stretch:
    return Stretch(Sound.SPEECH, 0, 2000, after=After.GO_ON, unfinished=unfinished)


def scores(evidence: Evidence, rng: Random) -> tuple[list[float], list[float]]:
    """Of ends and of holds, a share of which trail off."""
    ends = [evidence.end_of_turn(ended(), HINTED).probability for _ in range(N)]
    hinted = (Unfinished.HESITATION if rng.random() < HINTED else Unfinished.NO for _ in range(N))
    return ends, [evidence.end_of_turn(held(hint), HINTED).probability for hint in hinted]


def auc(positive: list[float], negative: list[float]) -> float:
    ranks = np.argsort(np.argsort(positive + negative)) + 1
    return float(
        (ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2) / len(positive) / len(negative)
    )


@pytest.mark.parametrize("wanted", [0.95, 0.88, 0.80, 0.70])
def test_ends_are_told_from_holds_as_well_as_asked_for(wanted: float) -> None:
    assert auc(*scores(Evidence(wanted, Random(1)), Random(2))) == pytest.approx(wanted, abs=0.015)


def test_without_discrimination_the_score_is_the_share_of_ends() -> None:
    ends, holds = scores(Evidence(0.5, Random(1)), Random(2))
    assert set(np.round(ends + holds, 6)) == {round(1 / habits().ipus_per_turn, 6)}


def test_the_probability_is_calibrated() -> None:
    ends, holds = scores(Evidence(0.88, Random(3)), Random(4))
    share = 1 / habits().ipus_per_turn
    weights = np.concatenate((np.full(N, share), np.full(N, 1 - share)))
    found, is_end = np.array(ends + holds), np.concatenate((np.ones(N), np.zeros(N)))
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        within = (found >= low) & (found < low + 0.2)
        assert np.average(is_end[within], weights=weights[within]) == pytest.approx(
            np.average(found[within], weights=weights[within]), abs=0.04
        )


def test_a_seeming_end_scores_like_an_end() -> None:
    evidence = Evidence(0.95, Random(5))
    seeming = Stretch(Sound.SPEECH, 0, 2000, after=After.GO_ON, seems_final=True)
    found = [evidence.end_of_turn(seeming, HINTED).probability for _ in range(2000)]
    true = [evidence.end_of_turn(ended(), HINTED).probability for _ in range(2000)]
    assert np.median(found) == pytest.approx(np.median(true), abs=0.05)


def test_what_was_broken_off_scores_like_a_hold() -> None:
    evidence = Evidence(0.95, Random(5))
    broken = Stretch(Sound.SPEECH, 0, 2000, after=After.BREAK_OFF)
    assert np.median([evidence.end_of_turn(broken, HINTED).probability for _ in range(2000)]) < 0.2


def test_trailing_words_are_noticed_and_lower_the_score() -> None:
    evidence = Evidence(0.88, Random(6))
    found = [evidence.end_of_turn(held(Unfinished.COUNTING), HINTED) for _ in range(2000)]
    noticed = [score for score in found if score.unfinished is Unfinished.COUNTING]
    assert len(noticed) / len(found) == pytest.approx(0.85, abs=0.03)
    assert max(score.probability for score in noticed) < 0.5


def read(sound: Sound, spoken_ms: int, **traits: object) -> list[HeardWords | None]:
    evidence, rng = Evidence(0.88, Random(7)), Random(8)
    stretch = Stretch(sound, 0, 5000, opener_ms=400 if traits.get("opens") else 0, halts=bool(traits.get("halts")))
    return [evidence.heard_words(stretch, spoken_ms, rng.random()) for _ in range(3000)]


@pytest.mark.parametrize(
    ("found", "words", "share"),
    [
        (read(Sound.BACKCHANNEL, 450), HeardWords.BACKCHANNEL, BACKCHANNEL_READ),
        (read(Sound.BACKCHANNEL, 450), HeardWords.REMARK, (1 - BACKCHANNEL_READ) / 2),
        (read(Sound.SPEECH, 500), HeardWords.REMARK, CONTENT_READ),
        (read(Sound.SPEECH, 800), HeardWords.CONTENT, CONTENT_READ),
        (read(Sound.SPEECH, 500, halts=True), HeardWords.HALT, CONTENT_READ),
        (read(Sound.SPEECH, 500, opens=True), HeardWords.BACKCHANNEL, BACKCHANNEL_READ),
        (read(Sound.SPEECH, 1000, opens=True), HeardWords.CONTENT, CONTENT_READ),
        (read(Sound.NOISE, 500), HeardWords.NONE, 0.97),
        (read(Sound.SIDE_TALK, 500), HeardWords.CONTENT, 0.5),
        (read(Sound.ECHO, 500), HeardWords.ECHO, 0.85),
        (read(Sound.SPEECH, 100), None, 1.0),
    ],
)
def test_words_are_read_as_often_as_the_sources_say(
    found: list[HeardWords | None], words: HeardWords | None, share: float
) -> None:
    assert found.count(words) / len(found) == pytest.approx(share, abs=0.025)


def test_words_of_short_speech_are_missed_at_times_and_those_of_long_speech_never() -> None:
    evidence = Evidence(0.88, Random(9))
    short = [evidence.has_words(Stretch(Sound.SPEECH, 0, 400)) for _ in range(3000)]
    assert np.mean(short) == pytest.approx(SHORT_WORDS_READ, abs=0.02)
    assert all(evidence.has_words(ended()) for _ in range(200))
    assert np.mean([evidence.has_words(Stretch(Sound.NOISE, 0, 400)) for _ in range(3000)]) < 0.06


def test_echo_is_likelier_of_an_echo() -> None:
    evidence = Evidence(0.88, Random(10))
    echoes = [evidence.echo(Stretch(Sound.ECHO, 0, 1000)) for _ in range(500)]
    voices = [evidence.echo(ended()) for _ in range(500)]
    assert np.median(echoes) > 0.6 > np.percentile(voices, 90)


def test_a_repair_is_mostly_understood() -> None:
    evidence = Evidence(0.88, Random(11))
    asked = Stretch(Sound.SPEECH, 0, 1000, repair=Repair.REPHRASE)
    assert np.mean([evidence.repair(asked) is Repair.REPHRASE for _ in range(2000)]) == pytest.approx(0.9, abs=0.02)
