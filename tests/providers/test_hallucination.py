from dataclasses import replace

import pytest

from speakback.audio.voicing import Voicing
from speakback.providers.hallucination import KNOWN_INVENTIONS, Heard, invention, plain, without_sounds

SPEECH = Voicing(duration_ms=700, level_dbfs=-25.0, range_db=40.0, voiced_ms=260, gliding_ms=200)
HISS = Voicing(duration_ms=700, level_dbfs=-35.0, range_db=1.0, voiced_ms=0, gliding_ms=0)
MUSIC = Voicing(duration_ms=1500, level_dbfs=-30.0, range_db=10.0, voiced_ms=1450, gliding_ms=40)
SILENCE = Voicing(duration_ms=700, level_dbfs=-80.0, range_db=1.0, voiced_ms=0, gliding_ms=0)

SAID = Heard("Thank you.", SPEECH, avg_logprob=-0.4, no_speech_prob=0.15, compression_ratio=0.6)
"""As measured with tiny.en on the spoken words."""

INVENTED = Heard("Thank you.", HISS, avg_logprob=-1.2, no_speech_prob=0.9, compression_ratio=0.6)
"""As measured with tiny.en on clicks."""


@pytest.mark.parametrize("text", ["Thank you.", "Bye.", "you", "So", "Okay.", "Thanks for watching!"])
def test_spoken_words_pass_and_the_same_words_on_noise_do_not(text: str) -> None:
    assert invention(replace(SAID, text=text)) is None
    assert invention(replace(INVENTED, text=text)) == "invented without a voice"


def test_babble_on_noise_and_music_is_refused_though_it_is_not_a_known_invention() -> None:
    babble = replace(INVENTED, text="I'm not going to be able to do that.")
    assert invention(babble) == "invented without a voice"
    assert invention(replace(babble, voicing=MUSIC)) == "invented on noise"


def test_nothing_audible_can_have_been_said_however_sure_the_model_is() -> None:
    assert invention(replace(SAID, voicing=SILENCE)) == "invented on silence"


def test_a_voice_in_the_sound_outweighs_a_doubtful_model() -> None:
    doubtful = replace(SAID, text="Right, the blue one.", no_speech_prob=0.6, avg_logprob=-0.8)
    assert invention(doubtful) is None
    assert invention(replace(doubtful, voicing=HISS)) is not None


def test_known_inventions_need_better_proof() -> None:
    edge = Heard("Right.", replace(SPEECH, gliding_ms=80), -0.9, 0.6, 0.6)
    verdicts = {words: invention(replace(edge, text=words)) for words in ("Blue.", "Bye.")}
    assert verdicts == {"Blue.": None, "Bye.": "invented on noise"}


@pytest.mark.parametrize("text", ["[BLANK_AUDIO]", "(music)", "♪ ♪", "[ Music", "*sighs*", "(laughs) [noise]"])
def test_bracketed_sounds_are_never_text(text: str) -> None:
    assert without_sounds(text) == ""
    assert invention(replace(SAID, text=text)) == "a sound, not words" or plain(text) == ""


def test_sounds_are_taken_out_of_speech_and_numbers_in_brackets_stay() -> None:
    assert without_sounds("Well (laughs) yes, [noise] (555) 1234") == "Well yes, (555) 1234"


@pytest.mark.parametrize("text", ["", " ", ".", ". . . .", "...", "!?"])
def test_marks_alone_are_no_words(text: str) -> None:
    assert invention(replace(SAID, text=text)) == "no words"


def test_a_text_that_repeats_itself_is_refused() -> None:
    assert invention(replace(SAID, compression_ratio=3.0)) == "repeats itself"


def test_a_provider_without_evidence_is_judged_by_the_sound() -> None:
    silent = Heard("Bye.", SILENCE, None, None, None)
    assert invention(silent) == "invented on silence"
    assert invention(replace(silent, voicing=SPEECH)) is None


def test_the_reason_never_quotes_the_text() -> None:
    reason = invention(replace(INVENTED, text="secret babble"))
    assert reason is not None
    assert "secret" not in reason


def test_the_table_is_written_as_the_gate_compares() -> None:
    assert {words for words in KNOWN_INVENTIONS if plain(words) != words} == set()
