import pytest
from hibari.g2p import G2P

from speakback.providers.adapters.pronunciation import MAX_PHONEMES, Sound, pronounce, rules


@pytest.fixture(scope="module")
def g2p() -> G2P:
    return G2P()


def written(phrases: tuple[tuple[Sound, ...], ...]) -> list[str]:
    return [word for phrase in phrases for sound in phrase for word in sound.written]


def test_each_plain_word_has_its_own_phonemes(g2p: G2P) -> None:
    ((hello, there),) = pronounce("Hello there.", g2p)
    assert hello == Sound(("Hello",), "həlˈO")
    assert there == Sound(("there.",), "ðˈɛɹ.")


@pytest.mark.parametrize(
    ("sentence", "word", "makes"),
    [
        ("It costs $9.99 a day", "$9.99", "nˈIn dˈɑləɹz ænd nˈIndi nˈIn sˈɛnts"),
        ("Ask Dr. Smith first", "Dr.", "dˈɑktəɹ"),
        ("a state-of-the-art lab", "state-of-the-art", "stˈAtʌvðiˈɑɹt"),
        ("He’s gone already", "He’s", "hˌiz"),
    ],
)
def test_a_word_that_is_written_out_keeps_all_its_sounds(g2p: G2P, sentence: str, word: str, makes: str) -> None:
    ((*sounds,),) = pronounce(sentence, g2p)
    assert [sound.phonemes for sound in sounds if sound.written == (word,)] == [makes]
    assert written((tuple(sounds),)) == sentence.split()


def test_words_that_are_written_out_together_form_one_group_between_unchanged_ones(g2p: G2P) -> None:
    ((*sounds,),) = pronounce("We left at 3:30 pm, I think", g2p)
    assert [sound.written for sound in sounds][2:5] == [("at",), ("3:30", "pm,"), ("I",)]


def test_every_sentence_is_a_phrase_and_titles_end_none(g2p: G2P) -> None:
    phrases = pronounce("Well, hello! I am Dr. Who. And you?", g2p)
    assert [written((phrase,))[0] for phrase in phrases] == ["Well,", "I", "And"]


@pytest.mark.parametrize("clause", ["", "  ", "...", "?!", "😀", "😀 🎉 —", "\n\n"])
def test_what_has_nothing_to_say_has_no_phrases(g2p: G2P, clause: str) -> None:
    assert pronounce(clause, g2p) == ()


@pytest.mark.parametrize("clause", ["😀 Hi! 🎉", "😀. Hi — so — yes. 🎉"])
def test_what_is_not_spoken_stays_among_the_words_but_makes_no_sound(g2p: G2P, clause: str) -> None:
    phrases = pronounce(clause, g2p)
    assert written(phrases) == clause.split()
    assert [s.phonemes for phrase in phrases for s in phrase if "🎉" in s.written] == [""]


def test_a_long_clause_is_cut_after_a_break_if_it_has_one_and_between_words_if_not(g2p: G2P) -> None:
    with_commas = "one two three four five, " * 40
    phrases = pronounce(with_commas, g2p)
    assert written(phrases) == with_commas.split()
    assert all(phrase[-1].phonemes.endswith(",") for phrase in phrases)
    for phrase in (*phrases, *pronounce("word " * 300, g2p)):
        assert sum(len(sound.phonemes) + 1 for sound in phrase) <= MAX_PHONEMES + 1


@pytest.mark.parametrize(
    "clause",
    [
        "x" * 3_000,
        "a-" * 200,
        "!" * 3_000,
        "?!,." * 500,
        "1" * 400,
        "1," * 100,
        "² ③ ½ Ⅷ ١٢",
        "\x00 \u200b a\u0301 \ufeff b",
        "[a](/x/) [b](",
        "99/99/9999 25:61 1/0 €1e400",
        "中文 привет hello",
    ],
)
def test_strange_text_is_survived_and_no_word_is_lost(g2p: G2P, clause: str) -> None:
    phrases = pronounce(clause, g2p)
    assert written(phrases) == (clause.split() if phrases else [])


def test_voices_of_one_accent_share_their_rules() -> None:
    american, british = rules(), rules(british=True)
    assert rules() is american
    assert british is not american
