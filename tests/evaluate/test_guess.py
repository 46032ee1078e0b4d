from pathlib import Path

from speakback.evaluate.guess import guess_backchannels
from tests.evaluate.build import B, ipu, talk
from tests.evaluate.human import human_timelines


def test_a_short_sound_within_the_others_floor_is_a_backchannel() -> None:
    guessed = guess_backchannels(talk([ipu(0, 3000), ipu(3500, 6000)], [ipu(2000, 2400), ipu(3100, 3400)]))
    assert [found.kind for found in guessed.agent] == [B, B]
    assert all(found.is_speech for found in guessed.user)


def test_what_is_long_or_answers_or_opens_is_speech() -> None:
    timeline = talk([ipu(5000, 8000), ipu(10_000, 12_000)], [ipu(4000, 4500), ipu(6000, 6701), ipu(8100, 8500)])
    assert all(found.is_speech for found in guess_backchannels(timeline).agent)


def test_it_finds_three_quarters_of_what_people_did(shared_data: Path) -> None:
    right = wrong = missed = 0
    for timeline in human_timelines(shared_data):
        for truth, guess in zip(timeline.agent, guess_backchannels(timeline).agent, strict=True):
            right += not truth.is_speech and not guess.is_speech
            wrong += truth.is_speech and not guess.is_speech
            missed += not truth.is_speech and guess.is_speech
    assert 0.74 < right / (right + wrong) < 0.77
    assert 0.76 < right / (right + missed) < 0.79
