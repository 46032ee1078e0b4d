"""From written English to phonemes, keeping track of which written words make which sounds.

The grapheme-to-phoneme rules are Hibari's (`hibari.g2p`: misaki's alphabet, American English); both
local voices use them. Its steps are called one by one here, because its one-call form loses the
words: it first writes numbers, dates and abbreviations out, then reads tokens. The words before and
after the writing out are aligned: those that stand unchanged anchor the rest, and what lies between
two anchors ("3:30 pm," → "three thirty P.M.,") becomes one group.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from threading import Lock
from weakref import WeakValueDictionary

from hibari.g2p import G2P
from hibari.g2p.normalize import normalize
from hibari.tts import Hibari

BREAK_MARKS = frozenset(";:,.!?—…")
"""Phoneme symbols after which a voice breaks."""

_SILENT_MARKS = BREAK_MARKS | frozenset('"“”() ˈˌː')

MAX_PHONEMES = 200
"""Longest stretch spoken at once: ~12 s, ~200 ms of work. It keeps cancelling and the first sound quick."""

MAX_RUN = 40
"""Characters without a space that are read as one word; the rules take time cubic in a hyphenated run."""

MAX_DIGITS = 15
"""Digits read as one number (the rules know words up to the trillions); longer runs are read one by one."""


_loading = Lock()
_loaded: WeakValueDictionary[bool, G2P] = WeakValueDictionary()


def rules(*, british: bool = False) -> G2P:
    """The rules of an accent, with their lexicons: 100 MB, which all voices of that accent share. Blocks."""
    with _loading:
        shared = _loaded.get(british)
        if shared is None:
            shared = _loaded[british] = G2P(british=british)
        return shared


@dataclass(frozen=True, slots=True)
class Sound:
    """Written words that belong together, usually one, and the phonemes they make together.

    `phonemes` is empty for what is not spoken (an emoji). `written` is empty where one word's
    phonemes had to be cut: the sound then continues the word before it.
    """

    written: tuple[str, ...]
    phonemes: str

    @property
    def is_audible(self) -> bool:
        return any(symbol not in _SILENT_MARKS for symbol in self.phonemes)


def pronounce(clause: str, g2p: G2P) -> tuple[tuple[Sound, ...], ...]:
    """The phrases of a clause (a sentence each, cut at `MAX_PHONEMES`), every one audible.

    All words of the clause are in them, in order; if nothing in it can be spoken there is no phrase.
    """
    phrases: list[tuple[Sound, ...]] = []
    waiting: tuple[Sound, ...] = ()
    for sentence in Hibari.split_sentences(clause):
        for phrase in _cut(_sounds_of(sentence, g2p)):
            if any(sound.is_audible for sound in phrase):
                phrases.append(waiting + phrase)
                waiting = ()
            elif phrases:
                phrases[-1] += _muted(phrase)
            else:
                waiting += _muted(phrase)
    return tuple(phrases)


def _muted(phrase: tuple[Sound, ...]) -> tuple[Sound, ...]:
    return tuple(Sound(sound.written, "") for sound in phrase)


def _sounds_of(sentence: str, g2p: G2P) -> list[Sound]:
    written = sentence.split()
    spoken = _spoken_words(normalize(_readable(sentence)), g2p)
    before = [_key(word) for word in written]
    after = [_key(word) for word, _ in spoken]
    sounds: list[Sound] = []
    for _, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        phonemes = [phonemes for _, phonemes in spoken[j:j_end]]
        if i_end - i == j_end - j:
            sounds += [Sound((word,), p) for word, p in zip(written[i:i_end], phonemes, strict=True)]
        else:
            sounds.append(Sound(tuple(written[i:i_end]), " ".join(filter(None, phonemes))))
    return sounds


def _key(word: str) -> str:
    return word.replace("’", "'")


def _spoken_words(text: str, g2p: G2P) -> list[tuple[str, str]]:
    """The space-separated words of written-out text, each with its phonemes (empty if it has none)."""
    words: list[tuple[str, str]] = []
    word = phonemes = ""
    for token in g2p.phonemize_tokens(g2p.tokenize(text)):
        word += token.text
        phonemes += token.phonemes or ""
        if token.whitespace:
            words.append((word, phonemes))
            word = phonemes = ""
    if word:
        words.append((word, phonemes))
    return words


def _readable(sentence: str) -> str:
    """The sentence without what the rules cannot read or take seconds for."""
    text = "".join(_plain_digit(character) for character in sentence)
    text = re.sub(r"([^\w\s.])\1{2,}", r"\1", text)
    text = re.sub(r"([^\w\s]{3})[^\w\s]+", r"\1", text)
    text = re.sub(rf"\d(?:[,.]?\d){{{MAX_DIGITS},}}", lambda run: " ".join(filter(str.isdigit, run.group())), text)
    return re.sub(rf"(\S{{{MAX_RUN}}})(?=\S)", r"\1 ", text)


def _plain_digit(character: str) -> str:
    """Digits such as ² and ① as 2 and 1: the rules take them for numbers and then fail to read them."""
    if character.isdigit() and not character.isascii():
        return str(unicodedata.digit(character))
    return character


def _cut(sounds: list[Sound]) -> Iterator[tuple[Sound, ...]]:
    """Split where a phrase would pass `MAX_PHONEMES`, if possible after a break mark."""
    phrase: list[Sound] = []
    for sound in _without_long(sounds):
        if phrase and _length(phrase) + len(sound.phonemes) > MAX_PHONEMES:
            marks = [i for i, s in enumerate(phrase, 1) if s.phonemes and s.phonemes[-1] in BREAK_MARKS]
            end = marks[-1] if marks else len(phrase)
            yield tuple(phrase[:end])
            phrase = phrase[end:]
        phrase.append(sound)
    if phrase:
        yield tuple(phrase)


def _without_long(sounds: list[Sound]) -> Iterator[Sound]:
    for sound in sounds:
        yield Sound(sound.written, sound.phonemes[:MAX_PHONEMES])
        for start in range(MAX_PHONEMES, len(sound.phonemes), MAX_PHONEMES):
            yield Sound((), sound.phonemes[start : start + MAX_PHONEMES])


def _length(phrase: list[Sound]) -> int:
    return sum(len(sound.phonemes) + 1 for sound in phrase)
