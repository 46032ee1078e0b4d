"""Whether words heard over the agent are the agent's own, come back through a loudspeaker. Pure."""

import re
from itertools import pairwise
from typing import NamedTuple

_COMMON = """
a an and are as at be but do for from go have he i if in is it just know like me mm my no not now of oh ok okay
on one or right she so sure that the then there they this to uh uhm um was we well what wait with yeah yes you your
"""
COMMON_WORDS = frozenset(_COMMON.split())
"""Words that everyone says: alone, they tell nothing of who said them."""
ALIKE = 0.6
"""Recognition garbles an echo: words that share so much of their pairs of letters count as the same."""
HEARD_WORDS = 30
"""What of a long utterance is compared."""
PLAYED_WORDS = 60
"""Only so many of the agent's last words (about 20 s) can still be heard."""
ECHOED_SHARE = 0.6
"""From this share of the heard words on, they are the agent's."""


def echoes(heard: str, played: str) -> bool:
    """Whether what was heard is what the agent says or has just said."""
    return text_echo(heard, played) >= ECHOED_SHARE


def text_echo(heard: str, played: str) -> float:
    """The share of the heard words, in [0, 1], that match words of the agent, in order and near each other.

    0 where only common words match.
    """
    heard_words, played_words = _words(heard)[:HEARD_WORDS], _words(played)[-PLAYED_WORDS:]
    if not heard_words:
        return 0.0
    alike = _alike(heard_words, played_words)
    # Words lost or split in between make the stretch that was echoed a little longer than what was heard of it.
    reach = len(heard_words) + len(heard_words) // 3 + 1
    starts = [start for start in range(len(played_words)) if any(row[start] for row in alike)]
    telling = [word not in COMMON_WORDS for word in heard_words]
    longest = max((_longest_run(alike, telling, start, reach) for start in starts), default=_Run(0, False))
    return longest.words / len(heard_words) if longest.telling else 0.0


class _Run(NamedTuple):
    """Words that match in order; the longer is the greater."""

    words: int
    telling: bool
    """Whether one of them is no common word."""


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower().replace("’", "'"))


def _alike(heard: list[str], played: list[str]) -> list[list[bool]]:
    """For each heard word, which of the played ones it may be."""
    parts = [_parts(word) for word in played]
    return [
        [word == said or _shared(_parts(word), part) >= ALIKE for said, part in zip(played, parts, strict=True)]
        if word not in COMMON_WORDS
        else [word == said for said in played]
        for word in heard
    ]


def _parts(word: str) -> frozenset[str]:
    """The pairs of neighbouring letters, those at its ends with an edge."""
    return frozenset(map("".join, pairwise(f"^{word}$")))


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))


def _longest_run(alike: list[list[bool]], telling: list[bool], start: int, reach: int) -> _Run:
    """The longest run of heard words that come in this order among `reach` played ones from `start` on."""
    best = [_Run(0, False)] * (min(reach, len(alike[0]) - start) + 1)
    for row, tells in zip(alike, telling, strict=True):
        before, best = best, best[:1]
        for index, is_alike in enumerate(row[start : start + reach]):
            matched = before[index]
            if is_alike:
                matched = _Run(matched.words + 1, matched.telling or tells)
            best.append(max(matched, before[index + 1], best[index]))
    return best[-1]
