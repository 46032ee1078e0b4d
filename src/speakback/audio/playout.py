"""The playout ledger of one reply: what was made, sent, played and heard. Pure; counts in frames of 20 ms.

Audio is handed out at the pace of the client's line (`line.py`), no further ahead of real time than the line needs,
so that a reply that is cut short leaves almost nothing to throw away. What was *played* is what the client
acknowledged, or else what the clock says a client that plays at once must have played. Nothing else may say what was
heard.

A reply that is held and goes on says its cut word again. So what was sent and what was made are counted
apart: `sent_order.py` leads from one to the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from speakback.audio.artifacts import SentAudio
from speakback.audio.fade import fade_out
from speakback.audio.gain import RampedGain
from speakback.audio.line import Acknowledged, Line
from speakback.audio.pcm import Samples
from speakback.audio.sent_order import SentOrder
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.audio.stopping import stop_near
from speakback.timebase import LEDGER_FRAME_MS, VOICE_HZ, ms_to_samples, samples_to_ms

FRAME_SAMPLES = ms_to_samples(LEDGER_FRAME_MS, VOICE_HZ)
ENOUGH_SAMPLES = 2 * FRAME_SAMPLES
"""So much goes out in one message even if the pace asks for more: the first sound waits for nothing, and no client
runs dry while audio for it is at hand."""
MESSAGES_UNDER_WAY = 256
"""So many of the last are looked through for those that a client has not got yet; more of them tell nothing more."""
BELIEVED_MS = 500
"""For so long an acknowledgement speaks for what is played behind it; the next is due after 200 ms."""
PLAYED_OUT_WITHIN_MS = 60_000
"""However late a client plays, what it was sent is over by then."""
WORD_HEARD_AT = 0.5
"""A word counts as heard once this share of it was played: a listener has it before its last sound."""
DUCKED_GAIN = 10 ** (-12 / 20)
"""-12 dB: plainly yielding, and still understood."""
DUCK_RAMP_SAMPLES = ms_to_samples(40, VOICE_HZ)
RESUME_FADE_SAMPLES = ms_to_samples(10, VOICE_HZ)
"""Short, so that the first sound of the word said again is not lost in it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The next message's audio, mono at 24 kHz, and the words that begin in it and were not begun before."""

    audio_24k: Samples
    words: tuple[SpokenWord, ...]


class PlayoutLedger:
    """One reply's books. All times are `now_ms`, all positions samples at 24 kHz from the reply's first.

    Words lie at made positions; whatever a client or a message counts is a sent position.
    """

    def __init__(self, line: Line | None = None) -> None:
        self._line = line or Line()
        """Of the client that this reply goes to; without one, a line of which nothing becomes known."""
        self._audio: list[Samples] = []
        self._kept = np.zeros(0, np.float32)
        """What was made, from `_kept_from` on: what waits, and before it the word that may be said again."""
        self._kept_from = 0
        self._next = 0
        """The made position that goes out next."""
        self._words_begun = 0
        """So many words, in the order in which they are said, were handed out."""
        self._order = SentOrder()
        self._gain = RampedGain()
        self._held = False
        self._after_hold = False
        self._borders: list[int] = []
        self._words: list[SpokenWord] = []
        self._complete = False
        self._is_cut = False
        self._is_finished = False
        self._played_out_ms = 0
        self._acknowledged: tuple[int, int] | None = None
        self._lost: list[tuple[int, int]] = []
        """What went out behind the first sent position up to the second was dropped by the client, unheard."""
        self.generated_samples = 0
        self.sent_samples = 0
        self.sent: list[SentAudio] = []

    # ---- what comes in ------------------------------------------------------------------------

    def add(self, chunk: SpeechChunk) -> None:
        """Book the next stretch of the reply's audio; ignored after a cut."""
        if self._complete:
            return
        if self.generated_samples:
            self._borders.append(self.generated_samples)
        self.generated_samples += len(chunk.audio_24k)
        self._words += chunk.words
        needed_from = stop_near(self._words, self._next, self.generated_samples, 0, 0).goes_on_from
        self._kept = np.concatenate((self._kept[needed_from - self._kept_from :], chunk.audio_24k))
        self._kept_from = needed_from

    def complete(self) -> None:
        """No more audio follows; a last piece shorter than a frame may go out."""
        self._complete = True

    def acknowledge(self, played_ms: int, buffered_ms: int, now_ms: int) -> None:
        """The client says that it has played `played_ms` of this reply by now, and that `buffered_ms` wait in it."""
        played = min(ms_to_samples(max(played_ms, 0), VOICE_HZ), self.sent_samples)
        if not self._is_finished:
            self._acknowledged = (played, now_ms)
        if not (self._is_cut or self._lost):  # else the client may have dropped what is missing
            arrived_ms, missing_ms = self._sent_around(played + ms_to_samples(max(buffered_ms, 0), VOICE_HZ))
            self._line.learn(Acknowledged(now_ms, buffered_ms, arrived_ms, missing_ms))

    def finish(self) -> None:
        """The reply ran to its end unhindered: what a client that is behind has not played yet, it will."""
        self._acknowledged = None
        self._is_finished = True

    def limit_heard(self, audio_end_ms: int) -> None:
        """The client says that no more than this was heard (`truncate`); it knows better than any clock.

        So the rest of what was sent by now is lost. If the reply goes on, what is sent from now on may be heard.
        The last word counts: as long as nothing more was sent, a later call takes the place of an earlier one.
        """
        heard = min(ms_to_samples(max(audio_end_ms, 0), VOICE_HZ), self.sent_samples)
        self._lost = [(behind, to) for behind, to in self._lost if to < self.sent_samples]
        self._lost.append((heard, self.sent_samples))

    def forget_audio(self) -> None:
        """The reply is over, and its audio was looked over: only the books are kept, for a late `limit_heard`."""
        self._audio = []
        self._kept, self._kept_from = np.zeros(0, np.float32), self.generated_samples

    # ---- what goes out ------------------------------------------------------------------------

    def next_due_ms(self, now_ms: int) -> int | None:
        """When the next message should go out; None while there is none to send."""
        if not self._sendable_samples():
            return None
        pace = self._line.pace
        return max(now_ms, self._played_out_ms - pace.lead_ms + pace.message_ms)

    def take(self, now_ms: int) -> Outgoing | None:
        """The next message, if it is due; it counts as sent."""
        due_ms = self.next_due_ms(now_ms)
        if due_ms is None or due_ms > now_ms:
            return None
        return self._send(self._gain.apply(self._made_to(self._next + self._sendable_samples())), now_ms)

    def duck(self) -> None:
        """Lower the voice, from the next message on."""
        self._gain.ramp_to(DUCKED_GAIN, DUCK_RAMP_SAMPLES)

    def restore(self) -> None:
        """Raise the voice to its full level again, from the next message on."""
        self._gain.ramp_to(1.0, DUCK_RAMP_SAMPLES)

    def hold(self, fade_ms: int, boundary_within_ms: int, now_ms: int) -> Outgoing | None:
        """Fall silent until `resume`: at the end of the word under way, if at most `boundary_within_ms` of it are
        still to be sent, else by a fade at once.

        Returns the last message before the silence, if one is needed. Audio may still be added meanwhile.
        """
        if self._held:
            return None
        self._held = True
        return self._stop(fade_ms, boundary_within_ms, now_ms)

    def resume(self) -> None:
        """Go on after a hold, with the word that it cut, from silence to the full level."""
        if self._held:
            self._held = False
            self._after_hold = True
            self._gain.begin_silent(RESUME_FADE_SAMPLES)

    def cut(self, fade_ms: int, boundary_within_ms: int, now_ms: int) -> Outgoing | None:
        """End the reply here, as `hold` does, and drop the rest."""
        outgoing = None if self._held else self._stop(fade_ms, boundary_within_ms, now_ms)
        self._next = self.generated_samples
        self._complete = self._is_cut = True
        return outgoing

    # ---- what can be asked --------------------------------------------------------------------

    @property
    def all_sent(self) -> bool:
        """Whether the reply is complete and all of it went out."""
        return self._complete and self._next == self.generated_samples

    @property
    def border_samples(self) -> list[int]:
        """Sent positions at which one chunk of the voice, or what was said before a hold, meets the next."""
        borders = {sent for made in self._borders for sent in self._order.sent_positions(made, self.sent_samples)}
        return sorted(borders | {joint for joint in self._order.joints() if joint < self.sent_samples})

    def remaining_ms(self, now_ms: int) -> int:
        """How long the audio in hand will last: what waits, and what was sent but is not played yet."""
        waiting = samples_to_ms(self.generated_samples - self._next, VOICE_HZ)
        return waiting + max(self._played_out_ms - now_ms, 0)

    def played_out_ms(self) -> int:
        """When a client that plays at once has played all that was sent."""
        return self._played_out_ms

    def surely_played_ms(self, now_ms: int) -> int:
        """Up to when what the clock says of the client is believed: not long behind its last acknowledgement.

        A client that has always said how far it is, and says nothing any more, may be gone.
        """
        return now_ms if self._acknowledged is None else min(now_ms, self._acknowledged[1] + BELIEVED_MS)

    def played_samples(self, now_ms: int) -> int:
        """How far in what was sent the client is by now: acknowledged, and since then by the clock."""
        by_clock = self.sent_samples - ms_to_samples(max(self._played_out_ms - now_ms, 0), VOICE_HZ)
        if self._acknowledged is not None:
            played, at_ms = self._acknowledged
            by_clock = min(by_clock, played + ms_to_samples(now_ms - at_ms, VOICE_HZ))
        if self._lost and self._lost[-1][1] == self.sent_samples:
            by_clock = min(by_clock, self._lost[-1][0])
        return min(by_clock, self.sent_samples)

    @property
    def held_bytes(self) -> int:
        """The audio that is kept here: what waits, and all that went out."""
        return self._kept.nbytes + sum(sent.nbytes for sent in self._audio)

    def heard_text(self, now_ms: int) -> str:
        """The words that were heard by now, as written."""
        return _written(word for word in self._words if self._is_heard(word, now_ms))

    def text_to_be_heard(self) -> str:
        """The words that will have been heard once the client has played out what it was sent, as written."""
        return self.heard_text(self._played_out_ms + PLAYED_OUT_WITHIN_MS)

    def text_sent(self) -> str:
        """The words that began in what went out, as written."""
        return _written(self._words[: self._words_begun])

    def sent_audio(self) -> Samples:
        """All audio that went out."""
        return np.concatenate(self._audio) if self._audio else np.zeros(0, np.float32)

    # ---- within -------------------------------------------------------------------------------

    def _sendable_samples(self) -> int:
        """How much the next message would carry: whole frames, but at the reply's end; 0 while there is too little."""
        waiting = self.generated_samples - self._next
        message = ms_to_samples(self._line.pace.message_ms, VOICE_HZ)
        if self._held or (not self._complete and waiting < min(message, ENOUGH_SAMPLES)):
            return 0
        return min(waiting if self._complete else waiting - waiting % FRAME_SAMPLES, message)

    def _sent_around(self, arrived: int) -> tuple[int | None, int | None]:
        """When the last message that has arrived was sent, and the first that has not, where `arrived` samples have.

        Half of a message stands for all of it: a resampler on the way keeps a few samples back.
        """
        end, missing_ms = self.sent_samples, None
        for message in islice(reversed(self.sent), MESSAGES_UNDER_WAY):
            if end - message.samples // 2 <= arrived:
                return message.at_ms, missing_ms
            missing_ms = message.at_ms
            end -= message.samples
        return None, missing_ms

    def _made_to(self, end: int) -> Samples:
        return self._kept[self._next - self._kept_from : end - self._kept_from]

    def _stop(self, fade_ms: int, boundary_within_ms: int, now_ms: int) -> Outgoing | None:
        """Send what is needed to fall silent, and go back to the word that it cut."""
        if not self.sent_samples or self._after_hold:
            return None  # nothing sounds
        fade, within = ms_to_samples(fade_ms, VOICE_HZ), ms_to_samples(boundary_within_ms, VOICE_HZ)
        stop = stop_near(self._words, self._next, self.generated_samples, fade, within)
        tail = self._made_to(stop.ends_at)
        outgoing = self._send(fade_out(self._gain.apply(tail), fade), now_ms) if len(tail) else None
        if stop.goes_on_from != self._next:
            self._next = stop.goes_on_from
            self._order.go_back(self.sent_samples, self._next)
        return outgoing

    def _send(self, audio_24k: Samples, now_ms: int) -> Outgoing:
        """Book these samples, which were made from the next position on, as sent."""
        self._next += len(audio_24k)
        self.sent_samples += len(audio_24k)
        self._played_out_ms = max(self._played_out_ms, now_ms) + samples_to_ms(len(audio_24k), VOICE_HZ)
        self._audio.append(audio_24k)
        self.sent.append(SentAudio(now_ms, len(audio_24k), after_hold=self._after_hold))
        self._after_hold = False
        return Outgoing(audio_24k, self._newly_begun())

    def _newly_begun(self) -> tuple[SpokenWord, ...]:
        """The words that begin before the next position and were not handed out yet."""
        first = self._words_begun
        while self._words_begun < len(self._words) and self._words[self._words_begun].start_samples < self._next:
            self._words_begun += 1
        return tuple(self._words[first : self._words_begun])

    def _is_heard(self, word: SpokenWord, now_ms: int) -> bool:
        heard_from = round(word.start_samples + WORD_HEARD_AT * (word.end_samples - word.start_samples))
        return self._order.reaches(heard_from, self.played_samples(now_ms), self._lost)


def _written(words: Iterable[SpokenWord]) -> str:
    return " ".join(word.text for word in words)
