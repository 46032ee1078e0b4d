"""How far one voice is in the text that it was given. Pure."""

from dataclasses import dataclass

from speakback.audio.speech import SpeechChunk
from speakback.providers.chain.clause_tape import Place, is_word


@dataclass(frozen=True, slots=True)
class _Given:
    """A clause, or the rest of one, that a voice was given."""

    clause: int
    first_word: int
    ends_at: int
    """How many words it had been given with this one."""


class Progress:
    """How far one voice is in the text it was given, counted in words."""

    def __init__(self, start: Place) -> None:
        self._start = start
        self._given: list[_Given] = []
        self.words_given = 0
        self.words_done = 0
        self._clauses_ended = 0
        self.has_sound_of_clause = False
        """Whether audio came since the last clause ended."""

    def gave(self, clause: int, words: int) -> None:
        """The voice took a clause, or the rest of the one that it begins in."""
        first_word = self._start.word if clause == self._start.clause else 0
        self.words_given += words
        self._given.append(_Given(clause, first_word, self.words_given))

    def spoke(self, chunk: SpeechChunk) -> None:
        """A chunk came. At the end of a clause all its words were spoken, whether they were told or not."""
        self.words_done = min(self.words_done + sum(is_word(word.text) for word in chunk.words), self.words_given)
        self.has_sound_of_clause = not chunk.clause_end and (self.has_sound_of_clause or len(chunk.audio_24k) > 0)
        if chunk.clause_end and self._clauses_ended < len(self._given):
            self.words_done = max(self.words_done, self._given[self._clauses_ended].ends_at)
            self._clauses_ended += 1

    def place(self, held_words: int) -> Place:
        """The first word that was not spoken whole; `held_words` of those that came are not whole.

        A voice that gives no word times is held to be at the start of its clause.
        """
        done = self.words_done - held_words
        before = 0
        for given in self._given:
            if done < given.ends_at:
                return Place(given.clause, given.first_word + max(done - before, 0))
            before = given.ends_at
        return Place(self._given[-1].clause + 1, 0) if self._given else self._start

    def has_untold_end(self, held_words: int) -> bool:
        """Whether all of a clause was spoken, and that it is at its end was not told."""
        whole = sum(given.ends_at <= self.words_done - held_words for given in self._given)
        return whole > self._clauses_ended
