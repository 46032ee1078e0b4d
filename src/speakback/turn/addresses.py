"""Whether a turn so far ends within an e-mail, web or postal address. Pure."""

import re

from speakback.turn.lexicon import ADDRESS_SIGNS, MAIL_HOSTS, STREETS, TOP_DOMAINS, spoken_words

_LINK = r"(?: (?:address|name))? (?:is|would be|will be)\b"
_NET_CUE = re.compile(rf"\b(?:e ?mail|website|web site|url|domain|web address){_LINK}(.*)")
_HOME_CUE = re.compile(
    r"\b(?:address is|address would be|i live (?:at|on)|we live (?:at|on)|(?:send|ship|deliver) it to|deliver to)\b(.*)"
)
_NO_ADDRESS = frozenset(
    {
        *("not", "wrong", "broken", "the", "a", "in", "on", "too", "very", "down", "working", "correct", "right"),
        *("there", "still", "now", "ready", "fine", "full", "gone", "here", "so", "really"),
    }
)
"""What follows "my e-mail is" where no address does."""
_DETERMINERS = frozenset({"a", "an", "the", "this", "that"})
"""Before a sign these make it a thing: "the red dot"."""
_LONGEST_NET_WORDS = 8
_WRITTEN = re.compile(r"(?:(?:[\w.+-]+@|www\.|https?://)[\w./-]*|\bwww)$")
_WHOLE_WRITTEN = re.compile(r"(?:@|www\.|//)[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/\S*)?$")


def within_address(text: str) -> bool:
    """True where an address was begun, dictated ("john at gmail") or written ("john@gmail"), and is not whole yet."""
    plain = text.lower().replace("’", "'").rstrip(" .,;:!?…")
    if _WHOLE_WRITTEN.search(plain):
        return False
    if _WRITTEN.search(plain):
        return True
    words = spoken_words(plain)
    return _within_dictated(words) or _within_postal(" ".join(words))


def _within_dictated(words: list[str]) -> bool:
    if len(words) > 1 and words[-1] in TOP_DOMAINS and (words[-2] == "dot" or len(words) > 2):
        return False
    if len(words) > 1 and words[-1] in ADDRESS_SIGNS and _DETERMINERS.isdisjoint(words[-3:-1]):
        return True
    if len(words) > 1 and words[-2] == "at" and words[-1] in MAIL_HOSTS:
        return True
    cue = _NET_CUE.search(" ".join(words))
    if cue is None:
        return False
    given = cue.group(1).split()
    return not given or (given[0] not in _NO_ADDRESS and len(given) <= _LONGEST_NET_WORDS)


def _within_postal(said: str) -> bool:
    """From the house number on, until a town or a postcode stands after the street."""
    cue = _HOME_CUE.search(said)
    if cue is None:
        return False
    given = cue.group(1).split()
    if not given:
        return said.endswith(("is", "be"))
    if not given[0][0].isdigit():
        return False
    streets = [place for place, word in enumerate(given) if word in STREETS]
    if not streets:
        return len(given) <= 4
    return streets[-1] == len(given) - 1
