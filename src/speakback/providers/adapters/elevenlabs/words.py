"""The words of an utterance and when they are spoken: what was sent, timed by what the service says. Pure.

The words are those that were sent, never those that came back; the alignment only anchors them in the audio. So
the text that is heard is the text that was written, whatever a service spells out, leaves away or repeats.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from speakback.audio.speech import SpokenWord
from speakback.providers.adapters.elevenlabs.alignment import TimedCharacter
from speakback.timebase import VOICE_HZ, ms_to_samples

LOOK_AHEAD_WORDS = 12
"""How far a word that came back is sought among those that were sent."""
CHARACTER_SAMPLES = ms_to_samples(65, VOICE_HZ)
"""Guessed length of a character, the space behind a word included, where no alignment tells: 15 characters a second."""
TOLERANCE_SAMPLES = ms_to_samples(300, VOICE_HZ)
"""By so much may a word seem to end behind the last audio: its end may be a guess."""
LEAST_CHARACTER_SAMPLES = ms_to_samples(20, VOICE_HZ)
"""No letter is said faster than this, whatever it is spelled like."""
LEFT_OVER_WORDS = 2
"""A clause of which so few words found no anchor may still have been said in full: marks and numbers are respelled."""


@dataclass(slots=True)
class _Expected:
    text: str
    ends_clause: bool


@dataclass(slots=True)
class _Open:
    """The word whose letters are coming in."""

    letters: str
    start: int
    end: int
    begun_as: _Expected | None = None
    """What it was handed out as already, as its first letters told which word it is."""


class WordTimer:
    """Gives each word that was sent its place in the audio. Positions are samples at 24 kHz from the reply's first."""

    def __init__(self) -> None:
        self._expected: deque[_Expected] = deque()
        self._timed: deque[SpokenWord] = deque()
        self._clause_ends: deque[int] = deque()
        self._open: _Open | None = None
        self._in_tag = False
        self._reached = 0
        """Where the last timed word ends."""
        self._handed_to = 0
        self._last_clause = 0
        self.unended_clauses = 0
        """Clauses that were sent and are not told to be at their end."""
        self.is_aligned = False
        """Whether any alignment came."""
        self._guessed = False
        self._unplaced = False
        """Whether something was said, since the last word that found its place, that nobody sent."""

    @property
    def last_clause_begun(self) -> bool:
        """Whether some of the clause that was sent last is spoken."""
        return len(self._expected) < self._last_clause

    def may_be_complete(self, to: int) -> bool:
        """Whether, with audio up to `to`, so little is missing that it may have been said under another spelling."""
        letters = sum(map(str.isalnum, "".join(word.text for word in self._expected)))
        has_room = to - self._reached >= letters * LEAST_CHARACTER_SAMPLES
        is_begun = self.last_clause_begun or self._unplaced
        is_respelled = len(self._expected) <= LEFT_OVER_WORDS and is_begun and has_room
        return (not self._expected or is_respelled) and not self._ends_behind(to)

    def is_owed(self, to: int) -> bool:
        """Whether audio must still come behind `to`: for words without a place, or with a place beyond it."""
        return self.unended_clauses > 0 or self._ends_behind(to)

    def expect(self, clause: str) -> None:
        """This clause (as it is heard: without tags) was sent. One without a word is passed over."""
        words = clause.split()
        if not words:
            return
        self._expected += (_Expected(word, number == len(words)) for number, word in enumerate(words, 1))
        self._last_clause = len(words)
        self.unended_clauses += 1

    def is_repetition(self, characters: Sequence[TimedCharacter]) -> bool:
        """Whether these say something where all that was sent has been said: a service that began anew."""
        says_words = any(one.character.isalnum() for one in characters)
        return says_words and not self._expected and self._open is None and not self._guessed

    def align(self, characters: Sequence[TimedCharacter]) -> None:
        """The service tells when these are spoken."""
        for one in characters:
            self.is_aligned = True
            if one.character == "[":
                self._close_word()
                self._in_tag = True
            elif self._in_tag:
                self._in_tag = one.character != "]"
            elif one.character.isspace():
                self._close_word()
            else:
                self._add_letter(one)
        self._begin_open_word()

    def guess(self, to: int) -> None:
        """There is audio up to `to` and nothing tells what is said in it: words at an ordinary pace."""
        self._guessed = True
        while self._expected and self._reached < to:
            length = CHARACTER_SAMPLES * (len(self._expected[0].text) + 1)
            self._time(self._expected.popleft(), self._reached, self._reached + length)

    def spread(self, to: int) -> None:
        """All has been spoken by `to`: the words that found no place so far lie between the last one and there."""
        self._guessed = True
        self._close_word()
        self._fill(len(self._expected), to)

    def take(self, to: int, *, finished: bool = False) -> tuple[tuple[SpokenWord, ...], int]:
        """The audio up to `to` is handed out: the words that begin in it, and how many clauses end with it."""
        words: list[SpokenWord] = []
        while self._timed and (finished or self._timed[0].start_samples < to):
            word = self._timed.popleft()
            latest = max(to - 1, self._handed_to)
            start = min(max(word.start_samples, self._handed_to), latest)
            words.append(SpokenWord(word.text, start, max(word.end_samples, start)))
        ends = 0
        while self._clause_ends and (finished or self._clause_ends[0] <= to):
            self._clause_ends.popleft()
            ends += 1
        self._handed_to = to
        return tuple(words), ends

    # ---- within -------------------------------------------------------------------------------

    def _ends_behind(self, to: int) -> bool:
        return any(end > to + TOLERANCE_SAMPLES for end in self._clause_ends)

    def _add_letter(self, one: TimedCharacter) -> None:
        if self._open is None:
            self._open = _Open("", one.start_samples, one.end_samples)
        self._open.letters += one.character
        self._open.end = one.end_samples
        word = self._open.begun_as or (self._expected[0] if self._expected else None)
        if word is not None and self._open.letters == word.text:
            self._close_word()  # whole, though no space follows

    def _close_word(self) -> None:
        word, self._open = self._open, None
        if word is None:
            return
        if word.begun_as is not None:
            self._reached = word.end
            if word.begun_as.ends_clause and self._clause_ends:
                self._clause_ends[-1] = word.end
            return
        ahead = [expected.text for expected in self._expected][:LOOK_AHEAD_WORDS]
        self._unplaced = word.letters not in ahead
        if not self._unplaced:
            self._fill(ahead.index(word.letters), word.start)
            self._time(self._expected.popleft(), word.start, word.end)

    def _begin_open_word(self) -> None:
        """A frame ends within a word: its first letters tell which; what the rest will take is guessed."""
        word = self._open
        if word is None or word.begun_as is not None or not self._expected:
            return
        expected = self._expected[0]
        if expected.text.startswith(word.letters):
            rest = CHARACTER_SAMPLES * (len(expected.text) - len(word.letters))
            self._time(self._expected.popleft(), word.start, word.end + rest)
            word.begun_as = expected

    def _fill(self, count: int, to: int) -> None:
        """Spread the next `count` words from the last one to `to`."""
        begin, span = self._reached, max(to - self._reached, 0)
        for number in range(count):
            start, end = begin + span * number // count, begin + span * (number + 1) // count
            self._time(self._expected.popleft(), start, end)

    def _time(self, expected: _Expected, start: int, end: int) -> None:
        start = max(start, self._timed[-1].start_samples if self._timed else 0)
        end = max(end, start)
        self._timed.append(SpokenWord(expected.text, start, end))
        self._reached = max(self._reached, end)
        if expected.ends_clause:
            self._clause_ends.append(end)
            self.unended_clauses -= 1
