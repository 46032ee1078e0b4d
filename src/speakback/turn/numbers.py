"""Whether a turn so far ends within a number or a spelling that is given in groups. Pure."""

import re

from speakback.turn.lexicon import MULTIPLIERS, NUMBER_LENGTHS, NUMBER_WORDS, SPELLING_CUES

_LINKS = frozenset({"is", "are", "was", "it's", "ending", "with"})
"""What may stand between "my number" and its digits."""
_CUE_REACH = 5
"""Words before the digits among which their kind is looked for."""
_AS_IN = re.compile(r"\b([a-z]),? as in \w+")
_WORDS_TOO = frozenset({"a", "i", "oh"})
"""What is a word before digits: "oh, 20"."""
_AMOUNT = re.compile(r".*[$£€%:].*|\d{1,3}(?:,\d{3})+|.*\w\.\w.*")


def within_number(text: str) -> bool:
    """True where the last words are digits or letters in groups and the number is not whole yet.

    How long a whole one is depends on its kind, if that is named ("my card number is"); a bare one is taken for a
    phone number. Amounts, times, years and single answers ("25", "seven") are no such numbers.
    """
    pieces = _pieces(_AS_IN.sub(r"\1", text.lower().replace("’", "'")))
    begin = len(pieces)
    while begin and _digits(pieces[begin - 1]) is not None:
        begin -= 1
    while begin < len(pieces) and pieces[begin] in _WORDS_TOO and not all(map(_is_letter, pieces[begin:])):
        begin += 1
    before, run = pieces[:begin], pieces[begin:]
    if not run:
        return _kind(before) is not None and before[-1] in _LINKS
    if all(_is_letter(piece) for piece in run):
        return _spelling(before, run)
    kind = _kind(before)
    if kind is not None and (before[-1] in _LINKS or before[-1] in NUMBER_LENGTHS):
        return _short_of(kind, run) and not (len(run) == 1 and before[-1] == "number")
    return _bare(before, run)


def _pieces(text: str) -> list[str]:
    """Words and groups of digits; an amount stays one piece that is no group."""
    pieces: list[str] = []
    for token in text.split():
        bare = token.strip("\"'()").rstrip(".,;:!?…-–—")
        pieces += [bare] if _AMOUNT.fullmatch(bare) else [part for part in re.split(r"[-,–]", bare) if part]
    return pieces


def _digits(piece: str) -> int | None:
    """How many digits or letters a piece stands for; None for other words."""
    if piece.isascii() and piece.isdigit():
        return len(piece)
    if piece in MULTIPLIERS:
        return MULTIPLIERS[piece]
    return 1 if _is_letter(piece) else NUMBER_WORDS.get(piece)


def _is_letter(piece: str) -> bool:
    return len(piece) == 1 and piece.isascii() and piece.isalpha()


def _kind(before: list[str]) -> str | None:
    near = before[-_CUE_REACH:]
    of = any(pair == ("number", "of") for pair in zip(near, near[1:], strict=False))
    return None if of else next((word for word in near if word in NUMBER_LENGTHS), None)


def _short_of(kind: str, run: list[str]) -> bool:
    total = sum(_digits(piece) or 0 for piece in run)
    return not any(total in lengths for lengths in NUMBER_LENGTHS[kind])


def _spelling(before: list[str], run: list[str]) -> bool:
    """A spelling never says that it is whole. A single letter ("plan B") or two in a sentence are none."""
    cued = any(word in SPELLING_CUES for word in before[-_CUE_REACH:])
    return cued or len(run) >= 3 or (len(run) == 2 and not before)


def _bare(before: list[str], run: list[str]) -> bool:
    """Digits of no named kind: read out one by one, or in two or more groups; or an area code alone."""
    counts = [_digits(piece) or 0 for piece in run]
    if len(run) == 1:
        return not before and run[0].isdigit() and counts == [3] and not run[0].endswith("0")
    singly = all(count == 1 or piece in MULTIPLIERS for piece, count in zip(run, counts, strict=True)) and len(run) >= 3
    grouped = counts[0] >= 3 and (not before or all(count >= 3 for count in counts))
    return (singly or grouped) and _short_of("number", run)
