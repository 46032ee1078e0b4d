"""What words tell turn-taking: whether they claim the floor, whether more is to come, what became of a reply. Pure.

Transcripts come from a recogniser (Whisper tiny.en): case and punctuation are unreliable, so only an ellipsis,
a dash and the question mark of a lone "Huh?", "Excuse me?" or "Sorry?" are believed. Whether words are the
agent's own echo is judged elsewhere, with the ledger of what was played.
"""

import re
from collections.abc import Iterable

from speakback.turn import lexicon as lex
from speakback.turn.addresses import within_address
from speakback.turn.end_of_turn import OPEN, word_completeness
from speakback.turn.numbers import within_number
from speakback.turn.words import HeardWords, Repair, Unfinished

MOST_LISTENER_WORDS = 4
"""A listener says no more in one go; a set phrase ("I see") counts as one. More of it wants the floor."""


def _any(phrases: Iterable[str]) -> str:
    longest_first = sorted(set(phrases), key=len, reverse=True)  # a phrase twice would make matching exponential
    return f"(?:{'|'.join(re.escape(phrase) for phrase in longest_first)})"


_LEAD = rf"(?:(?:{_any((*lex.LISTENER_WORDS, *lex.COURTESIES, *lex.FILLERS, 'no', 'and', 'so', 'i said'))}) )*"
_YOU = r"(?:(?:can|could|would|will|should) you |you (?:can|should|must|may) )"
_TAIL = rf"(?: {_any(lex.HALT_TAIL)})*"

_LISTENING = re.compile(rf"(?:{_any((*lex.LISTENER_PHRASES, *lex.LISTENER_WORDS))}(?: |$)){{1,{MOST_LISTENER_WORDS}}}")
_HALTING = re.compile(
    rf"{_LEAD}(?:{_any(lex.HALTS)}\b"
    rf"|(?:{_YOU}{_LEAD})?{_any((*lex.HALTS, *lex.LONE_HALTS))}{_TAIL}$)"
)

_OBJECT = r"(?:that|it|this|you|yourself|(?:the|that) last (?:part|bit|one|word)|what you (?:said|mean|were saying))"
_AGAIN = (
    r"(?: again| once more| one more time| for me| to me| slower| slowly| more slowly| in other words| differently)"
)
_REPHRASE = re.compile(
    "|".join(
        (
            r"what(?: was that| is that| did you say| do you mean| are you saying)?(?: again)?",
            r"(?:i beg your )?pardon(?: me)?|come again|again|one more time|once more|say what",
            rf"(?:{_YOU})?(?:say|repeat|explain|rephrase|go over)(?: {_OBJECT})?{_AGAIN}+",
            rf"(?:{_YOU})?(?:repeat|rephrase|explain)(?: {_OBJECT})?",
            rf"i (?:didn't|don't|did not|do not|couldn't|could not|can't|cannot|can not)"
            rf" (?:get|catch|hear|understand|follow)(?: {_OBJECT})?",
            rf"(?:{_YOU})?(?:speak |talk |go |be )?(?:a (?:little|bit)(?: bit)? )?(?:more )?"
            r"(?:slow|slower|slowly|slow down|louder|speak up|clearly)(?: down)?(?: a (?:little|bit)(?: bit)?)?",
            r"you lost me|you(?:'re| are) (?:breaking up|cutting out)|you (?:broke up|cut out)|i missed (?:that|it)",
        )
    )
)
_RESUME = re.compile(
    "|".join(
        (
            rf"(?:{_YOU})?(?:go on|go ahead|carry on|continue|keep going|keep talking|proceed|go back to it)"
            r"(?: with (?:that|it|what you were saying|the story|your story)| from there)?",
            r"(?:(?:what|as|like) )?(?:were you|you were) saying|after you|you first|you go(?: first| ahead| on)?",
            r"finish(?: what you were saying| your sentence)|listening",
            r"i didn't mean to (?:interrupt(?: you)?|cut you off)",
            r"(?:i )?(?:(?:wasn't|was not|not) talking to you|(?:was )?talking to someone else)",
        )
    )
)
_ASIDE = re.compile(
    r"(?:never mind|nevermind|forget it|nothing|it's nothing|i'm|i am|my bad|about that|my fault|hold on|hang on) "
)
_SOFT = lex.COURTESIES | lex.FILLERS | {"really"}
_SOFT_LEAD = lex.LISTENER_WORDS | {"no", "wait", "and", "so"}


REMARK_WORDS = 2


def heard_words(text: str) -> HeardWords:
    """What was said over the agent: nothing, a listener's words, words that ask it to stop, or a claim to the floor.

    A listener's words are only those of the list, few of them, or such that hand the floor back ("go on"):
    "yeah but", "okay so" and "oh, can you" are content. One or two other words that are whole are a remark.
    """
    words = lex.spoken_words(text)
    if not words:
        return HeardWords.NONE
    if _RESUME.fullmatch(_core(words)):
        return HeardWords.BACKCHANNEL
    said = " ".join(words)
    if _HALTING.match(said) or said in lex.OBJECTIONS or _asks_again(words, text):
        return HeardWords.HALT
    if _LISTENING.fullmatch(said):
        return HeardWords.BACKCHANNEL
    is_remark = len(words) <= REMARK_WORDS and unfinished(text) is Unfinished.NO
    return HeardWords.REMARK if is_remark else HeardWords.CONTENT


def unfinished(text: str) -> Unfinished:
    """What in the last words of a turn so far says that more is to come. An answer such as "25" or "yes" is whole."""
    if within_address(text):
        return Unfinished.ADDRESS
    if within_number(text):
        return Unfinished.COUNTING
    return Unfinished.HESITATION if _hesitates(text) else Unfinished.NO


def repair_wanted(text: str) -> Repair:
    """What the words that interrupted the agent ask for, courtesies aside.

    No words and a listener's words were no interruption, so the reply goes on. A lone "sorry" is taken for the
    question: saying something again is the lesser evil. What names something of its own ("repeat the address") is
    for the language model: DROP.
    """
    words = lex.spoken_words(text)
    if heard_words(text) in (HeardWords.NONE, HeardWords.BACKCHANNEL):
        return Repair.RESUME
    if _asks_again(words, text):
        return Repair.REPHRASE
    return Repair.RESUME if set(words) <= {"sorry", "i'm", "oh", "so"} else Repair.DROP


def _asks_again(words: list[str], text: str) -> bool:
    """Whether the words ask to hear it again."""
    lone = " ".join(words)
    if lone in ("sorry", "i'm sorry") or (lone in ("huh", "excuse me") and _asks(text)):
        return True
    if set(words) <= {"sorry", "i'm", "oh", "so"}:
        return False
    return re.fullmatch(rf"(?:(?:{_REPHRASE.pattern})(?: |$))+", _core(words)) is not None


def _core(words: list[str]) -> str:
    """The words without courtesies, fillers and what leads up to a request."""
    kept = [word for word in words if word not in _SOFT]
    while kept and kept[0] in _SOFT_LEAD:
        kept.pop(0)
    core = " ".join(kept)
    while aside := _ASIDE.match(core):
        core = core[aside.end() :]
    return core


def _asks(text: str) -> bool:
    return text.rstrip().endswith("?")


def _hesitates(text: str) -> bool:
    words = lex.spoken_words(text)
    said = " ".join(words)
    if word_completeness(text) == OPEN or said in ("well", "so", "okay so"):
        return True
    if words[-1:] == ["so"]:
        return words[-2:-1] not in ([before] for before in ("think", "hope", "guess", "believe", "suppose"))
    return any(said == ending or said.endswith(f" {ending}") for ending in lex.TAKES_TIME) and not _asks(text)
