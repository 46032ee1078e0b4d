"""One reply on one line: what is said, what is heard of it, and when waiting is over."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk
from speakback.providers.adapters.elevenlabs.alignment import read_alignment
from speakback.providers.adapters.elevenlabs.contexts import ContextState
from speakback.providers.adapters.elevenlabs.feed import Feed
from speakback.providers.adapters.elevenlabs.formats import AudioDecoder, AudioFormat
from speakback.providers.adapters.elevenlabs.options import Patience
from speakback.providers.adapters.elevenlabs.sockets import Heard, Line, Wake
from speakback.providers.adapters.elevenlabs.words import WordTimer
from speakback.providers.audio_tags import without_tags
from speakback.providers.errors import Failure, ProviderError


@dataclass(frozen=True, slots=True)
class Manner:
    """How a voice's utterances are said and heard."""

    audio_format: AudioFormat
    patience: Patience
    written: Callable[[str], str]
    """What is sent of a clause."""


class Books:
    """An utterance's audio and words so far, made into chunks. Positions are samples at 24 kHz."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.timer = WordTimer()
        self._format = audio_format
        self._decoder = AudioDecoder(audio_format)
        self._begun_at = 0
        """Where the audio of this decoder begins."""
        self.handed = 0
        """Audio that was handed out."""

    @property
    def position(self) -> int:
        """Audio that came so far."""
        return self._begun_at + self._decoder.position

    def add(self, audio: bytes, alignment: object) -> list[SpeechChunk]:
        """Audio came, and perhaps the times of what is said in it."""
        characters = read_alignment(alignment, self.position)
        if characters and self.timer.is_repetition(characters):
            return []
        samples = self._decoder.push(audio)
        if characters:
            self.timer.align(characters)
        elif not self.timer.is_aligned:
            self.timer.guess(self.position)
        return self._chunks(samples, finished=False)

    def finish(self) -> list[SpeechChunk]:
        """All audio of what was expected so far has come; more may follow in another stream of bytes."""
        rest = self._decoder.finish()
        self.timer.spread(self.position)
        chunks = self._chunks(rest, finished=True)
        self._begun_at, self._decoder = self.handed, AudioDecoder(self._format)
        return chunks

    def _chunks(self, samples: Samples, *, finished: bool) -> list[SpeechChunk]:
        self.handed += len(samples)
        words, ends = self.timer.take(self.handed, finished=finished)
        if not len(samples) and not words and not ends:
            return []
        nothing = np.zeros(0, np.float32)
        return [SpeechChunk(samples, words, ends > 0), *(SpeechChunk(nothing, (), True) for _ in range(ends - 1))]


class Utterance:
    """Says a feed on a line. Used once."""

    def __init__(self, line: Line, feed: Feed, manner: Manner) -> None:
        self._line = line
        self._feed = feed
        self._manner = manner
        self._books = Books(manner.audio_format)
        self._said = 0
        self._is_finishing = False
        self._quiet_since_s = self._now_s()
        """When something last came, or was asked for."""
        self._audio_since_said = False

    async def chunks(self) -> AsyncGenerator[SpeechChunk, None]:
        """What is heard, to the end of the feed. Raises `ProviderError`, and what ends the feed."""
        self._feed.tell(self._line)
        while True:
            self._say_what_is_new()
            what = await self._next()
            if isinstance(what, ProviderError):
                raise what
            if isinstance(what, Heard):
                self._quiet_since_s = self._now_s()
                if what.audio:
                    for chunk in self._hear(what):
                        yield chunk
                if what.is_final:
                    break
            elif what is None:
                break
        self._check_whole()
        for chunk in self._books.finish():
            yield chunk

    # ---- saying -------------------------------------------------------------------------------

    def _say_what_is_new(self) -> None:
        if self._feed.failure is not None:
            raise self._feed.failure
        for batch in self._feed.batches[self._said :]:
            # One space behind each: the service joins texts as they are.
            self._line.say("".join(f"{self._manner.written(clause)} " for clause in batch))
            for clause in batch:
                self._books.timer.expect(without_tags(clause))
            self._said += 1
            self._audio_since_said = False
            self._quiet_since_s = self._now_s()
        if self._feed.is_over and not self._is_finishing:
            self._is_finishing = True
            self._quiet_since_s = self._now_s()
            self._line.finish()

    # ---- hearing ------------------------------------------------------------------------------

    def _hear(self, what: Heard) -> list[SpeechChunk]:
        chunks = self._books.add(what.audio, what.alignment)
        self._audio_since_said = True
        timer = self._books.timer
        self._line.heard(of_last_words=timer.last_clause_begun or not timer.is_aligned)
        return chunks

    async def _next(self) -> Heard | ProviderError | Wake | None:
        """What comes next; None where nothing more will come, though the service did not say so."""
        patience_s = self._patience_s()
        deadline_s = None if patience_s is None else self._quiet_since_s + patience_s
        try:
            async with asyncio.timeout_at(deadline_s):
                return await self._line.inbox.get()
        except TimeoutError:
            return self._after_silence()

    def _patience_s(self) -> float | None:
        """How long the silence may last; None while nothing is awaited but more to say."""
        patience = self._manner.patience
        if self._line.state is ContextState.FLUSHED or self._is_owed():
            return patience.first_audio_s
        return patience.final_s if self._is_finishing else None

    def _is_owed(self) -> bool:
        timer = self._books.timer
        return timer.is_aligned and timer.is_owed(self._books.position)

    def _after_silence(self) -> Wake | None:
        """Decide what a long silence is: a dead connection, a lost end marker, or words that were spelled otherwise."""
        timer = self._books.timer
        awaits_words = self._line.state is ContextState.FLUSHED or self._is_owed()
        if awaits_words and not (self._audio_since_said and timer.may_be_complete(self._books.position)):
            self._line.socket.distrust()
            seconds = self._manner.patience.first_audio_s
            raise self._error(Failure.LATE, f"no audio came for {seconds:g} s after it was asked for")
        self._quiet_since_s = self._now_s()
        if awaits_words:
            timer.spread(self._books.position)
            self._line.heard(of_last_words=True)
            return Wake()
        return None

    def _check_whole(self) -> None:
        if not self._is_finishing:
            raise self._error(Failure.BROKE_OFF, "the service ended the utterance before all was said to it")
        if not self._books.handed:
            raise self._error(Failure.BAD_ANSWER, "the service made no sound, and said nothing of an error")
        timer = self._books.timer
        if timer.is_aligned and not timer.may_be_complete(self._books.position):
            raise self._error(Failure.BROKE_OFF, "the service ended the utterance before it had spoken all of it")

    def _error(self, failure: Failure, reason: str) -> ProviderError:
        return self._line.socket.where.error(failure, reason)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
