"""The playout ledger of one reply: what was made, sent, played and heard. Pure; counts in frames of 20 ms.

Audio is handed out no more than `LEAD_MS` ahead of real time, so that a reply that is cut short leaves
almost nothing to throw away. What was *played* is what the client acknowledged, or else what the clock
says a client that plays at once must have played. Nothing else may say what was heard.
"""

from dataclasses import dataclass

import numpy as np

from speakback.audio.artifacts import SentAudio
from speakback.audio.fade import fade_out
from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.timebase import LEDGER_FRAME_MS, VOICE_HZ, ms_to_samples, samples_to_ms

FRAME_SAMPLES = ms_to_samples(LEDGER_FRAME_MS, VOICE_HZ)
MESSAGE_SAMPLES = 2 * FRAME_SAMPLES
"""A message carries 40 ms: at half of it the messages, not the bytes, would be the cost."""
LEAD_MS = 80
"""How far ahead of real time audio is sent: two messages, enough to hide a late one."""
WORD_HEARD_AT = 0.5
"""A word counts as heard once this share of it was played: a listener has it before its last sound."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The next message's audio, mono at 24 kHz, and the words that begin in it."""

    audio_24k: Samples
    words: tuple[SpokenWord, ...]


class PlayoutLedger:
    """One reply's books. All times are `now_ms`, all positions samples at 24 kHz from the reply's first."""

    def __init__(self) -> None:
        self._audio: list[Samples] = []
        self._waiting = np.zeros(0, np.float32)
        self._words: list[SpokenWord] = []
        self._complete = False
        self._played_out_ms = 0
        self._acknowledged: tuple[int, int] | None = None
        self._heard_limit: int | None = None
        self.generated_samples = 0
        self.sent_samples = 0
        self.border_samples: list[int] = []
        self.sent: list[SentAudio] = []

    # ---- what comes in ------------------------------------------------------------------------

    def add(self, chunk: SpeechChunk) -> None:
        """Book the next stretch of the reply's audio; ignored after a cut."""
        if self._complete:
            return
        if self.generated_samples:
            self.border_samples.append(self.generated_samples)
        self.generated_samples += len(chunk.audio_24k)
        self._words += chunk.words
        self._waiting = np.concatenate((self._waiting, chunk.audio_24k))

    def complete(self) -> None:
        """No more audio follows; a last piece shorter than a frame may go out."""
        self._complete = True

    def acknowledge(self, played_ms: int, now_ms: int) -> None:
        """The client says that it has played `played_ms` of this reply by now."""
        played = min(ms_to_samples(max(played_ms, 0), VOICE_HZ), self.sent_samples)
        self._acknowledged = (played, now_ms)

    def finish(self) -> None:
        """The reply ran to its end unhindered: what a client that is behind has not played yet, it will."""
        self._acknowledged = None

    def limit_heard(self, audio_end_ms: int) -> None:
        """The client says that no more than this was heard (`truncate`); it knows better than any clock."""
        self._heard_limit = min(ms_to_samples(max(audio_end_ms, 0), VOICE_HZ), self.sent_samples)

    # ---- what goes out ------------------------------------------------------------------------

    def next_due_ms(self, now_ms: int) -> int | None:
        """When the next message should go out; None while there is none to send."""
        if not self._sendable():
            return None
        return max(now_ms, self._played_out_ms - LEAD_MS + samples_to_ms(MESSAGE_SAMPLES, VOICE_HZ))

    def take(self, now_ms: int) -> Outgoing | None:
        """The next message, if it is due; it counts as sent."""
        due_ms = self.next_due_ms(now_ms)
        if due_ms is None or due_ms > now_ms:
            return None
        return self._send(self._waiting[:MESSAGE_SAMPLES], now_ms)

    def cut(self, fade_ms: int, now_ms: int) -> Outgoing | None:
        """End the reply here: a last piece that fades out, if anything was still to come; the rest is dropped."""
        tail = self._waiting[: ms_to_samples(fade_ms, VOICE_HZ)]
        outgoing = None
        if self.sent_samples and len(tail):
            outgoing = self._send(fade_out(tail, len(tail)), now_ms)
        self._waiting = np.zeros(0, np.float32)
        self._complete = True
        return outgoing

    # ---- what can be asked --------------------------------------------------------------------

    @property
    def all_sent(self) -> bool:
        """Whether the reply is complete and all of it went out."""
        return self._complete and not len(self._waiting)

    def remaining_ms(self, now_ms: int) -> int:
        """How long the audio in hand will last: what waits, and what was sent but is not played yet."""
        waiting = samples_to_ms(len(self._waiting), VOICE_HZ)
        return waiting + max(self._played_out_ms - now_ms, 0)

    def played_out_ms(self) -> int:
        """When a client that plays at once has played all that was sent."""
        return self._played_out_ms

    def played_samples(self, now_ms: int) -> int:
        """What was played by now: acknowledged, and since then by the clock."""
        by_clock = self.sent_samples - ms_to_samples(max(self._played_out_ms - now_ms, 0), VOICE_HZ)
        if self._acknowledged is not None:
            played, at_ms = self._acknowledged
            by_clock = min(by_clock, played + ms_to_samples(now_ms - at_ms, VOICE_HZ))
        if self._heard_limit is not None:
            by_clock = min(by_clock, self._heard_limit)
        return min(by_clock, self.sent_samples)

    def heard_text(self, now_ms: int) -> str:
        """The words that were heard by now, as written."""
        played = self.played_samples(now_ms)
        return " ".join(word.text for word in self._words if _heard_from(word) <= played)

    def text_sent(self) -> str:
        """The words that began in what went out, as written."""
        return " ".join(word.text for word in self._words if word.start_samples < self.sent_samples)

    def sent_audio(self) -> Samples:
        """All audio that went out."""
        return np.concatenate(self._audio) if self._audio else np.zeros(0, np.float32)

    # ---- within -------------------------------------------------------------------------------

    def _sendable(self) -> bool:
        return len(self._waiting) >= MESSAGE_SAMPLES or (self._complete and len(self._waiting) > 0)

    def _send(self, audio_24k: Samples, now_ms: int) -> Outgoing:
        start = self.sent_samples
        self.sent_samples += len(audio_24k)
        self._waiting = self._waiting[len(audio_24k) :]
        self._played_out_ms = max(self._played_out_ms, now_ms) + samples_to_ms(len(audio_24k), VOICE_HZ)
        self._audio.append(audio_24k)
        self.sent.append(SentAudio(now_ms, len(audio_24k)))
        words = tuple(word for word in self._words if start <= word.start_samples < self.sent_samples)
        return Outgoing(audio_24k, words)


def _heard_from(word: SpokenWord) -> int:
    return round(word.start_samples + WORD_HEARD_AT * (word.end_samples - word.start_samples))
