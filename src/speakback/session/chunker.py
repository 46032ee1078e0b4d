"""Cuts a reply into clauses for the voice: the first one early, the later ones whole. Pure.

The voice speaks about 2.5 words a second and a model writes several times as many, so a short first clause buys the
time for a longer second one, and from the third on a sentence at a time is soon enough.
"""

import re
from dataclasses import dataclass, replace
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class ClauseSize:
    """How long a clause may be. Words have a letter or a digit."""

    min_words: int
    """No border but a line's end counts before this many."""
    max_words: int
    max_characters: int
    at_weak_borders: bool
    """Commas and dashes end it, too; else only sentences, lines and the limits do."""
    opener_after_words: int | None = None
    """After this many words it also ends before a word that opens another clause."""
    break_after_words: int = 4
    """A clause that must be cut at its greatest length is not cut before so many words."""


SIZES = (
    ClauseSize(min_words=2, max_words=8, max_characters=80, at_weak_borders=True, opener_after_words=4),
    ClauseSize(min_words=4, max_words=16, max_characters=140, at_weak_borders=True),
    ClauseSize(min_words=2, max_words=45, max_characters=200, at_weak_borders=False),
)
"""Of the first clause, the second, and all later ones."""

HURRIED_SIZE = ClauseSize(
    min_words=2, max_words=3, max_characters=80, at_weak_borders=True, opener_after_words=2, break_after_words=2
)
"""Of a clause without which the voice would be silent: a model that writes slowly gets no time for a longer one."""

STRONG_SIGNS = frozenset("!?。！？")
WEAK_SIGNS = frozenset(",;:—–…、，；：")
CLOSERS = "\"')]}”’»"
OPENERS = "\"'([{“‘«"

ABBREVIATIONS = frozenset(
    {
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "mt",
        "jr",
        "sr",
        "vs",
        "etc",
        "approx",
        "dept",
        "est",
        "fig",
        "gen",
        "col",
        "sgt",
        "capt",
        "lt",
        "rev",
        "hon",
        "sen",
        "rep",
        "gov",
        "ave",
        "blvd",
        "rd",
        "inc",
        "ltd",
        "co",
        "corp",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "mon",
        "tue",
        "tues",
        "wed",
        "thu",
        "thur",
        "thurs",
        "fri",
        "sat",
        "sun",
        "vol",
        "ca",
    }
)
"""Words whose full stop does not end a sentence."""

INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
"""`J.`, `e.g.`, `U.S.`, `p.m.`"""

CLAUSE_OPENERS = frozenset(
    {
        "and",
        "but",
        "or",
        "so",
        "because",
        "although",
        "though",
        "while",
        "when",
        "where",
        "which",
        "who",
        "if",
        "unless",
        "until",
        "then",
    }
)

BREAK_WORDS = CLAUSE_OPENERS | frozenset(
    {
        "that",
        "than",
        "as",
        "to",
        "of",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "without",
        "about",
        "into",
        "through",
        "during",
        "before",
        "after",
        "between",
        "under",
        "over",
        "like",
        "since",
        "near",
    }
)
"""Where a clause without a border is best cut: before one of these."""

CLINGING_WORDS = BREAK_WORDS | frozenset(
    {
        "a",
        "an",
        "the",
        "my",
        "your",
        "his",
        "her",
        "its",
        "our",
        "their",
        "this",
        "these",
        "those",
        "very",
        "is",
        "are",
        "was",
        "were",
    }
)
"""A clause should not end on one of these."""

_TOKEN = re.compile(
    r"(?P<gap>\s*)(?P<word>\[[^\[\]\n]{1,40}\]|[^\s—。！？、，；：]*[—。！？、，；：]|[^\s—。！？、，；：]+(?=\s))"
)
"""A word with all that clings to it, once what follows shows that it is complete; a dash needs no space after it.
An audio tag is one, however many words it has: in halves, its words would be said."""


class Border(IntEnum):
    """What a word's last signs end."""

    NONE = 0
    CLAUSE = 1
    SENTENCE = 2


class ClauseChunker:
    """Takes a reply's speakable text as it comes, gives clauses. Joined, they are the text but for white space."""

    def __init__(self) -> None:
        self._text = ""
        self._clauses = 0

    def push(self, text: str, *, hurried: bool = False) -> list[str]:
        """The clauses that are complete now. `hurried`: the next may be short, and takes all that is there."""
        self._text += text
        clauses: list[str] = []
        while (end := clause_end(self._text, self._size(hurried and not clauses))) is not None:
            clauses.append(self._text[:end].strip())
            self._text = self._text[end:]
            self._clauses += 1
        return clauses

    def _size(self, hurried: bool) -> ClauseSize:
        if hurried:
            whole_words = sum(1 for _ in _TOKEN.finditer(self._text))
            return replace(HURRIED_SIZE, max_words=max(HURRIED_SIZE.max_words, whole_words))
        return SIZES[min(self._clauses, len(SIZES) - 1)]

    def finish(self) -> list[str]:
        """The reply has ended: its last clauses."""
        clauses = self.push("\n")
        rest, self._text = self._text.strip(), ""
        return [*clauses, rest] if rest else clauses


def clause_end(text: str, size: ClauseSize) -> int | None:
    """Where the first clause of `text` ends, decided from what comes before alone; `None`: not yet."""
    words = last_end = 0
    cuts = _Cuts()
    for token in _TOKEN.finditer(text):
        start, last_end = token.span("word")
        if words and "\n" in token["gap"]:
            return start
        if last_end > size.max_characters:
            return cuts.best(start) if words else size.max_characters
        core = _plain(token["word"])
        if size.opener_after_words is not None and words >= size.opener_after_words and core in CLAUSE_OPENERS:
            return start
        if words >= size.break_after_words and core in BREAK_WORDS:
            cuts.before_break_word = start
        words += any(sign.isalnum() for sign in token["word"])
        border = border_after(token["word"])
        line_ends = text[last_end : last_end + 1] == "\n"
        wanted = Border.CLAUSE if size.at_weak_borders else Border.SENTENCE
        if (words and line_ends) or (words >= size.min_words and border >= wanted):
            return last_end
        if border is Border.CLAUSE and words >= size.break_after_words:
            cuts.at_weak_border = last_end
        if words >= size.break_after_words and core not in CLINGING_WORDS:
            cuts.after_word = last_end
        if words >= size.max_words:
            return cuts.best(last_end)
    return _unfinished_word_end(text, last_end, words, cuts, size)


@dataclass(slots=True)
class _Cuts:
    """Where a clause may be cut should it become too long, the best kind first; 0: nowhere."""

    at_weak_border: int = 0
    before_break_word: int = 0
    after_word: int = 0

    def best(self, otherwise: int) -> int:
        return self.at_weak_border or self.before_break_word or self.after_word or otherwise


def _unfinished_word_end(text: str, start: int, words: int, cuts: _Cuts, size: ClauseSize) -> int | None:
    """The cut where a word that has not ended yet already passes the limit."""
    word = text[start:].lstrip()
    if not word or len(text) <= size.max_characters:
        return None
    word_start = len(text) - len(word)
    if words and "\n" in text[start:word_start]:
        return word_start
    return cuts.best(word_start) if words else size.max_characters


def border_after(word: str) -> Border:
    """What ends behind a word, by its last signs; quotes and brackets around it do not matter."""
    core = word.rstrip(CLOSERS)
    last = core[-1:]
    if not last:
        return Border.NONE
    if last in STRONG_SIGNS:
        return Border.SENTENCE
    if last in WEAK_SIGNS or word == "-":
        return Border.CLAUSE
    if last != ".":
        return Border.NONE
    if core.endswith(".."):
        return Border.CLAUSE
    bare = core.lstrip(OPENERS)
    short = bare[:-1].lower() in ABBREVIATIONS or INITIALS.fullmatch(bare) is not None
    return Border.NONE if short else Border.SENTENCE


def _plain(word: str) -> str:
    return word.strip(OPENERS + CLOSERS + ".,;:!?—–").lower()
