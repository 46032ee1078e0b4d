"""Where a reply is cut for the voice, and that nothing is lost or doubled however it arrives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.session.chunker import SIZES, Border, ClauseChunker, border_after


def clauses(*pieces: str) -> list[str]:
    chunker = ClauseChunker()
    cut = [clause for piece in pieces for clause in chunker.push(piece)]
    return [*cut, *chunker.finish()]


@pytest.mark.parametrize(
    ("reply", "cut"),
    [
        ("Hello! How can I help you today?", ["Hello! How can I help you today?"]),
        ("I am well, thank you. And you?", ["I am well,", "thank you. And you?"]),
        ("That is 3.5 or 1,000 at 10:30, I think.", ["That is 3.5 or 1,000 at 10:30,", "I think."]),
        ("Ask Dr. J. Smith, e.g. at 5 p.m. today.", ["Ask Dr. J. Smith,", "e.g. at 5 p.m. today."]),
        ("Well... I would not say that.", ["Well... I would not say that."]),
        ("It is late — go home.", ["It is late —", "go home."]),
        ("It is late—go home.", ["It is late—", "go home."]),
        ("First line\nSecond line here\nThird", ["First line", "Second line here", "Third"]),
        ('He said "stop it!" and left.', ['He said "stop it!"', "and left."]),
        ("I would go there because it is quiet.", ["I would go there", "because it is quiet."]),
        (
            "The nicest walk in the whole city goes along the river.",
            ["The nicest walk in the whole city goes", "along the river."],
        ),
        ("你好，我很好。谢谢你！", ["你好，我很好。", "谢谢你！"]),
        ("Yes.", ["Yes."]),
        ("Milk\nEggs\n", ["Milk", "Eggs"]),
        (
            "Oh no! [laughs out loud because of this and that] Yes.",
            ["Oh no!", "[laughs out loud because of this and that] Yes."],
        ),
        (
            "Yes, it can help you to find the doctor very soon.",
            ["Yes, it can help you", "to find the doctor very soon."],
        ),
        ("", []),
        (" \n ", []),
    ],
)
def test_where_a_reply_is_cut(reply: str, cut: list[str]) -> None:
    assert clauses(reply) == cut
    assert clauses(*reply) == cut


def test_the_first_clause_is_out_as_soon_as_its_border_is_certain() -> None:
    chunker = ClauseChunker()
    assert chunker.push("Of course, ") == ["Of course,"]


def test_a_sign_is_no_border_until_what_follows_shows_it() -> None:
    chunker = ClauseChunker()
    assert chunker.push("That costs 3.") == []
    assert chunker.push("50 in all. ") == ["That costs 3.50 in all."]


def test_later_clauses_are_sentences_and_bounded() -> None:
    reply = "One two. Three four five six. " + "and this one, it seems, goes on " * 20 + "at last. Short one. Done now."
    later = clauses(reply)[2:]
    assert all(len(clause) <= SIZES[-1].max_characters for clause in later)
    assert later[-2:] == ["Short one.", "Done now."]


def test_a_word_without_end_is_cut_too() -> None:
    chunker = ClauseChunker()
    assert "".join(chunker.push("a" * 1000)) == "a" * (80 + 140 + 3 * 200)
    assert chunker.finish() == ["a" * 180]


@pytest.mark.parametrize(
    ("word", "border"),
    [
        ("end.", Border.SENTENCE),
        ("end?”", Border.SENTENCE),
        ("Dr.", Border.NONE),
        ("(Mrs.", Border.NONE),
        ("U.S.", Border.NONE),
        ("wait...", Border.CLAUSE),
        ("so,", Border.CLAUSE),
        ("word", Border.NONE),
        ('"', Border.NONE),
        ("42.", Border.SENTENCE),
    ],
)
def test_what_a_word_ends(word: str, border: Border) -> None:
    assert border_after(word) is border


WORDS = st.sampled_from(
    ["the", "and", "because", "to", "Dr.", "e.g.", "3.5", "1,000", "yes,", "no.", "why?"]
    + ["so;", "—", "a—b", "...", "word", '"hm!"']
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=80).map(" ".join))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.data())
def test_nothing_is_lost_or_doubled_at_any_split(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = clauses(text)
    assert "".join("".join(whole).split()) == "".join(text.split())
    assert clauses(*pieces) == whole
    assert clauses(*text) == whole
    assert all(clause == clause.strip() and clause for clause in whole)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["walk", "tree", "house", "green", "under", "quick"]), min_size=10, max_size=60))
def test_the_first_clause_never_waits_for_more_than_eight_words(words: list[str]) -> None:
    chunker = ClauseChunker()
    first = chunker.push(" ".join(words[:8]) + " ")
    assert len(first) == 1
    assert 4 <= len(first[0].split()) <= 8


def test_in_a_hurry_the_whole_words_are_spoken_that_are_there() -> None:
    chunker = ClauseChunker()
    assert chunker.push("I came ", hurried=True) == []
    assert chunker.push("here by ") == []
    assert chunker.push("bike ", hurried=True) == ["I came here"], "not cut behind a word that clings to the next"
    assert chunker.push("this morning because it was", hurried=True) == ["by bike this morning"]
    assert chunker.finish() == ["because it was"]


def test_a_hurry_does_not_cut_what_has_a_border() -> None:
    assert ClauseChunker().push("Of course, you may sit ", hurried=True) == ["Of course,"]
