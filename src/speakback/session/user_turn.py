"""One user turn while it is open: its audio, the passes of speech to text over it, and the end-of-turn evidence.

Each pass reads the turn from its beginning to some end. A pass for the same end is made once, whoever
asks; a pass for a later end replaces it. A long turn is frozen at a pause, so passes stay short.
"""

import asyncio
from dataclasses import replace

import numpy as np

from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.providers.end_of_turn import EndOfTurnModel
from speakback.providers.stt import SpeechToText, Transcript
from speakback.providers.urgency import Purpose, Urgency, urgent
from speakback.session.agreement import AgreedWords
from speakback.session.asking import Answered
from speakback.session.latency import TurnMarks
from speakback.session.ports import Spawn
from speakback.session.snapshot import AwaitedSpeech
from speakback.session.turn_audio import TurnAudio
from speakback.timebase import EAR_HZ, TurnId, ms_to_samples, samples_to_ms
from speakback.turn.end_of_turn import end_of_turn_probability, word_completeness

SCORED_TAIL_MS = 50
"""Silence kept after the last voiced sample for Smart Turn: 0 to 100 ms discriminates best, more only
makes it say "ended"."""
SCORED_MS = 8_000
TRANSCRIBED_TAIL_MS = 120
"""Audio kept after the last voiced sample for speech to text: the VAD may cut a soft last sound."""
FIRST_PASS_EARLY_MS = 250
"""By so much the first pass of a turn comes sooner than the later ones: "wait" is not to be waited for."""
FREEZE_AFTER_MS = 12_000
"""At a pause behind this much audio the text so far is kept, and later passes begin there."""


class UserTurn:
    """A turn's audio and what is known of it. Its tasks belong to the session (`spawn`)."""

    def __init__(
        self,
        turn_id: TurnId,
        item_id: str,
        audio: TurnAudio,
        *,
        onset: int,
        start: int,
        stt: SpeechToText,
        end_of_turn: EndOfTurnModel | None,
        language: str,
        spawn: Spawn,
        text_before: str = "",
    ) -> None:
        self.turn_id = turn_id
        self.item_id = item_id
        self.onset = onset
        """Position of the first voiced sample."""
        self.start = start
        """Position from which the turn is transcribed: some audio before the onset."""
        self.marks = TurnMarks()
        self.agreed = AgreedWords()
        self.echo = 1.0
        """How likely it is the agent's own voice, as far as its level tells; 1: nothing speaks against it."""
        self.began_as_echo = False
        self.is_announced = False
        """Whether the client knows of it."""
        self.pause_text = ""
        """What was read up to the present pause."""
        self._audio = audio
        self._stt = stt
        self._end_of_turn = end_of_turn
        self._language = language
        self._spawn = spawn
        self.confidence: float | None = None
        self._pause = 0
        self._acoustic: float | None = None
        self._words: float | None = None
        self._frozen = Transcript(text_before, (), None)
        self._pass_start = start
        self._pass_end = onset - ms_to_samples(FIRST_PASS_EARLY_MS, EAR_HZ)
        self._pass: asyncio.Task[Transcript] | None = None
        self._pass_audio = np.zeros(0, np.float32)
        """What the latest pass reads: of a turn that is over all that is left of its sound."""
        self._pass_is_for = Purpose(Urgency.PARTIAL)

    def transcribed_to(self, end: int, urgency: Urgency = Urgency.PAUSE) -> "asyncio.Task[Transcript]":
        """The pass that reads the turn up to position `end`, begun now unless it is there already and did not fail."""
        if self._pass is None or self._pass_end != end or _failed(self._pass):
            self.drop_pass()
            self._pass_end = end
            heard_to = end + ms_to_samples(TRANSCRIBED_TAIL_MS, EAR_HZ)
            self._pass_is_for = Purpose(urgency)
            with urgent(self._pass_is_for):
                self._pass_audio = self._audio.slice(self._pass_start, heard_to)
                self._pass = self._spawn(self._read(self._pass_audio))
        self._pass_is_for.hasten(urgency)
        return self._pass

    def as_answered(self) -> Answered:
        """The turn as the reply to it knows it."""
        return Answered(self.marks.of_the_turn(), self.item_id, self.confidence)

    def as_awaited(self) -> AwaitedSpeech:
        """The turn, which is over, as it is kept until its transcript is there."""
        seconds = samples_to_ms(max(self._pass_end - self.onset, 0), EAR_HZ) / 1000
        return AwaitedSpeech(self.item_id, self._frozen.text, pcm16_from_samples(self._pass_audio), seconds)

    def let_go(self) -> None:
        """Its sound is needed no more."""
        self._pass_audio = self._pass_audio[:0].copy()

    def due_for_partial(self, position: int, interval_ms: int) -> bool:
        """Whether enough new speech came in for another pass, and none is under way."""
        idle = self._pass is None or self._pass.done()
        return idle and position - self._pass_end >= ms_to_samples(interval_ms, EAR_HZ)

    def drop_pass(self) -> None:
        """Let the pass under way end unheard."""
        if self._pass is not None and not self._pass.done():
            self._pass.cancel()

    def begin_pause(self, pause: int) -> None:
        """The voice fell silent: what was found out about earlier pauses no longer counts."""
        self._pause, self._acoustic, self._words = pause, None, None
        self.pause_text = ""

    def weigh(self, pause: int, *, acoustic: float | None = None, text: str | None = None) -> float | None:
        """Add to the evidence on a pause; the probability that the turn is over, None where it cannot be said."""
        if pause != self._pause:
            return None
        if acoustic is not None:
            self._acoustic = acoustic
        if text is not None:
            self._words = word_completeness(text)
            self.pause_text = text
        return end_of_turn_probability(self._acoustic, self._words)

    def go_on(self) -> None:
        """Speech goes on after a pause; a turn that has grown long keeps its text so far and is read on from here."""
        self.begin_pause(self._pause)
        if self._pass is None or not self._pass.done() or _failed(self._pass):
            return
        if self._pass_end - self._pass_start >= ms_to_samples(FREEZE_AFTER_MS, EAR_HZ):
            self._frozen = self._pass.result()
            self._pass_start = self._pass_end
            self._pass = None

    @property
    def can_be_scored(self) -> bool:
        """Whether there is a model for it."""
        return self._end_of_turn is not None

    def pauses_at(self, pause: int) -> bool:
        """Whether that is its latest pause."""
        return self._pause == pause

    async def score(self, end: int) -> float | None:
        """How likely the turn is over by its sound up to `end`; None without a model. Raises `ProviderError`."""
        if self._end_of_turn is None:
            return None
        heard_to = end + ms_to_samples(SCORED_TAIL_MS, EAR_HZ)
        return await self._end_of_turn.score(
            self._audio.slice(max(self.start, heard_to - ms_to_samples(SCORED_MS, EAR_HZ)), heard_to)
        )

    async def _read(self, audio_16k: Samples) -> Transcript:
        frozen, offset_ms = self._frozen, samples_to_ms(self._pass_start - self.start, EAR_HZ)
        return joined(frozen, await self._stt.transcribe(audio_16k, language=self._language), offset_ms)


def _failed(reading: "asyncio.Task[Transcript]") -> bool:
    return reading.done() and (reading.cancelled() or reading.exception() is not None)


def joined(first: Transcript, second: Transcript, offset_ms: int) -> Transcript:
    """Two transcripts of one turn as one, the second from `offset_ms` on; the confidence is the lesser one."""
    later = tuple(
        replace(word, start_ms=word.start_ms + offset_ms, end_ms=word.end_ms + offset_ms) for word in second.words
    )
    if not first.text:
        return replace(second, words=later)
    if not second.text:
        return first
    known = [part.confidence for part in (first, second) if part.confidence is not None]
    return Transcript(
        text=f"{first.text} {second.text}",
        words=first.words + later,
        confidence=min(known) if known else None,
    )
