"""Where the text of one model goes on with another's: whole words only, and nothing twice. Pure."""

import re
from dataclasses import replace

from speakback.providers.llm import Message, Prompt

GO_ON = (
    "Your last message broke off. Continue it from exactly where it stops: write only what follows, "
    "without repeating any of it and without a word about the interruption."
)
LONGEST_HELD = 24
"""A longer run of letters than this is no word that is about to end."""
SPACELESS_FROM = "\u2e80"
"""From here on are the scripts that put no spaces between words."""
BEGUN_ANEW_WORDS = 4
"""A continuation that has so many of the first words begins the reply anew."""
_WORD = re.compile(r"\S+")
LOOKED_AT_WORDS = 12
"""So many words of a continuation show whether it repeats what was written."""


def whole_words(text: str) -> tuple[str, str]:
    """`text` up to the end of its last whole word, and the rest, which may be a part of a word."""
    end = len(text)
    while end and not text[end - 1].isspace() and text[end - 1] < SPACELESS_FROM:
        end -= 1
    return (text, "") if len(text) - end > LONGEST_HELD else (text[:end], text[end:])


def continued(prompt: Prompt, written: str) -> Prompt:
    """The prompt for the rest of a reply of which `written` is out."""
    added = (Message("assistant", written.strip()), Message("system", GO_ON))
    return replace(prompt, messages=prompt.messages + added)


def joined(written: str, rest: str) -> str:
    """The continuation `rest`, with a space before it where one must stand between it and `written`."""
    is_apart = not written or written[-1].isspace() or written[-1] >= SPACELESS_FROM
    return rest if is_apart or not rest else f" {rest}"


def has_enough(written: str, text: str) -> bool:
    """Whether so much of a continuation is there that `unrepeated` can judge it."""
    before, after = _plain_words(written), _plain_words(text)[:-1]  # the last may be a part of a word
    begins_anew = after == before[: len(after)]
    return len(after) >= LOOKED_AT_WORDS and not begins_anew


def unrepeated(written: str, text: str) -> str:
    """The beginning of a continuation without what it repeats: the end of `written`, or all of it from its start."""
    before, after = _plain_words(written), _plain_words(text)
    repeated = next((n for n in range(min(len(before), len(after)), 0, -1) if before[-n:] == after[:n]), 0)
    if repeated == 1 and len(before) > 1 and len(after[0]) < 4:
        repeated = 0  # "the", "a": by chance
    anew = 0
    while anew < min(len(before), len(after)) and before[anew] == after[anew]:
        anew += 1
    if not repeated and anew >= BEGUN_ANEW_WORDS:
        repeated = anew
    words = list(_WORD.finditer(text))
    return text[words[repeated].start() :] if repeated < len(words) else ""


def _plain_words(text: str) -> list[str]:
    return [word.strip(".,;:!?\"'()…–—").lower() for word in text.split()]
