"""One voice's request within an utterance: when it is late, stalled or dead.

Audio comes faster than it is played. So a voice that falls silent is suspected not by the silence alone, but once the
audio in hand will run out before another could begin; and while it waits for text, it is never late.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from speakback.audio.speech import SpeechChunk
from speakback.providers.chain.budget import Cost
from speakback.providers.chain.clause_tape import ClauseTape, Place, words_in
from speakback.providers.chain.feed import Feed, now_ms
from speakback.providers.chain.progress import Progress
from speakback.providers.chain.request import as_provider_error
from speakback.providers.chain.whole_words import WholeWords
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.tts import TextToSpeech

ENDING_MS = 1_500
"""All was spoken: so long a voice may take to say so."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a voice is measured by."""

    late_after_ms: float
    """To the first audio of a clause."""
    stall_ms: float
    """Between audio and audio within a clause."""
    reserve_ms: float
    """What another voice may need to begin."""
    dry_at_ms: Callable[[], float | None]
    """When the audio that went out will be played to its end; None: nothing went out."""


class VoiceRequest:
    """A `Runner` that speaks a tape from some place on, and the `Reader` of that tape."""

    def __init__(
        self,
        name: str,
        engine: TextToSpeech,
        tape: ClauseTape,
        start: Place,
        timing: Timing,
        *,
        wake: Callable[[], None],
        is_second: bool,
    ) -> None:
        self.name = name
        self.is_second = is_second
        self.told_late = False
        self.has_answered = False
        self.words = WholeWords()
        self._progress = Progress(start)
        self._timing = timing
        self._waits_for_text = False
        self._has_all_text = False
        self._characters = 0
        self._first_text_ms: float | None = None
        self._quiet_since_ms = now_ms()
        self._is_over = False
        self.lets_go = False
        """It gave no more for a while: what was held back of its audio may be whole, and goes out."""
        self.feed = Feed(_spoken(engine, tape.read(start, self)), wake)

    # ---- as a reader --------------------------------------------------------------------------

    def waits(self) -> None:
        self._waits_for_text = True

    def took(self, clause: int, text: str) -> None:
        if not self._owes():
            self._quiet_since_ms = now_ms()
        self._waits_for_text = False
        self._progress.gave(clause, words_in(text))
        self._characters += len(text)
        if self._first_text_ms is None:
            self._first_text_ms = now_ms()

    def came_to_the_end(self) -> None:
        self._waits_for_text, self._has_all_text = False, True
        self._quiet_since_ms = now_ms()

    # ---- its audio ----------------------------------------------------------------------------

    def take(self) -> SpeechChunk:
        """What may go out of the next chunk, or of what was held back."""
        if not self.feed.items:
            self.lets_go = False
            return self.words.finish()
        chunk = self.feed.take()
        self._progress.spoke(chunk)
        return self.words.push(chunk)

    def place(self) -> Place:
        """The first word that it has not given whole."""
        return self._progress.place(self.words.held_words())

    def cut(self) -> SpeechChunk:
        """It has failed, and another goes on: what it leaves."""
        ends_clause = self._progress.has_untold_end(self.words.held_words())
        tail = self.words.cut()
        return SpeechChunk(tail.audio_24k, tail.words, clause_end=ends_clause)

    # ---- as a runner --------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """See `Runner`. One that breaks off when all was said is as good as one that ends."""
        has_sound = any(len(chunk.audio_24k) for chunk in self.feed.items)
        if has_sound or (self.has_answered and self.feed.items) or self.lets_go:
            return True
        if not self.feed.ended or self.feed.items or not self._has_all_text:
            return self._is_over
        if self.feed.problem is None:
            return not self._owes() or self._may_let_go()
        return self.has_answered and not self._owes()

    @property
    def has_ended(self) -> bool:
        return self.feed.ended

    @property
    def has_failed(self) -> bool:
        return self.feed.ended and self.feed.problem is not None

    @property
    def may_double(self) -> bool:
        """In the midst of an utterance the budget is not asked: the listener would hear the gap."""
        return self._timing.dry_at_ms() is not None

    def problem(self) -> ProviderError:
        return as_provider_error("tts", self.name, self.feed.problem, otherwise="it ended before all was spoken")

    def late_at_ms(self, waiting_since_ms: float) -> float | None:
        if not self._is_busy() or self._may_let_go():
            return None
        timing, quiet_since_ms = self._timing, self._quiet_ms(waiting_since_ms)
        is_within_clause = self._progress.has_sound_of_clause
        suspect_ms = quiet_since_ms + (timing.stall_ms if is_within_clause else timing.late_after_ms)
        dry_at_ms = timing.dry_at_ms()
        return suspect_ms if dry_at_ms is None else max(suspect_ms, dry_at_ms - timing.reserve_ms)

    def dead_at_ms(self, waiting_since_ms: float, patience_ms: float) -> float | None:
        if self._may_let_go():
            return self._quiet_ms(waiting_since_ms) + self._timing.stall_ms
        if self._has_all_text and not self._owes():
            return self._quiet_ms(waiting_since_ms) + ENDING_MS
        late_at_ms = self.late_at_ms(waiting_since_ms)
        return None if late_at_ms is None else late_at_ms + patience_ms

    def give_up(self) -> ProviderError | None:
        if self._may_let_go():
            self.lets_go = True
            return None
        if self._has_all_text and not self._owes():
            self._is_over = True
            return None
        when = "stopped in its midst" if self.has_answered else "gave no audio"
        waited_ms = now_ms() - self._quiet_since_ms if self.feed.last_ms is None else now_ms() - self.feed.last_ms
        reason = f"it {when} and is given up after {waited_ms:.0f} ms of silence"
        return ProviderError("tts", self.name, reason, failure=Failure.LATE)

    def waited_ms(self) -> float | None:
        return None if self._first_text_ms is None else now_ms() - self._first_text_ms

    def cost(self) -> Cost:
        return Cost(characters=self._characters)

    def cancel(self) -> "asyncio.Task[None]":
        self.feed.cancel()
        return self.feed.task

    # ---- within -------------------------------------------------------------------------------

    def _owes(self) -> bool:
        """Whether it was given words that it has not spoken whole."""
        done = self._progress.words_done - self.words.held_words()
        return done < self._progress.words_given

    def _may_let_go(self) -> bool:
        """Whether all words came, and the last are held back for ends that may be guesses."""
        all_came = self._progress.words_done >= self._progress.words_given
        return self.has_answered and all_came and self.words.held_words() > 0 and self.words.nearly_whole()

    def _is_busy(self) -> bool:
        """Whether it is its turn to do something."""
        return self._owes() or not (self._waits_for_text or self._has_all_text)

    def _quiet_ms(self, waiting_since_ms: float) -> float:
        return max(self._quiet_since_ms, self.feed.last_ms or 0.0, waiting_since_ms)


async def _spoken(engine: TextToSpeech, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
    speech = engine.speak(clauses)
    try:
        async for chunk in speech:
            yield chunk
    finally:
        await speech.aclose()
