"""One client's audio on its way in: one stream at 16 kHz, and of a long message a second at a time.

A message may hold a minute and more. To take that in at once would hold up every other session, so the rest
of it waits here while others have their turn; the next message is read when all of it was heard.
"""

from dataclasses import dataclass

from speakback.audio.pcm import Samples, rms
from speakback.gateway.conversation import Conversation
from speakback.gateway.realtime.formats import IncomingAudio, WireFormat
from speakback.gateway.realtime.refusal import Refusal
from speakback.session.ears import QUIET_MESSAGE_RMS
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms
from speakback.vad.hysteresis import FRAME_SAMPLES

STRETCH_MS = 1000
"""Of a longer message so much is heard at a time: a millisecond or two of work."""


@dataclass(slots=True)
class _Rest:
    """What is left of a long message."""

    data: bytes
    at: int
    """Where it begins."""
    param: str | None
    event_id: str


class UserAudio:
    """Gives a conversation what its client sends."""

    def __init__(self, format: WireFormat, conversation: Conversation) -> None:
        self._format = format
        self._conversation = conversation
        self._stream = IncomingAudio(format)
        self._stretch_bytes = ms_to_samples(STRETCH_MS, format.rate_hz) * format.sample_bytes
        self._rest: _Rest | None = None
        self._short_bytes = FRAME_SAMPLES * format.rate_hz // EAR_HZ * format.sample_bytes
        self._held = b""
        """Of which nothing can be made yet: small messages are taken in together, at no cost of time."""
        self._held_is_quiet = True

    def take(self, data: bytes, param: str | None, event_id: str) -> None:
        """Hear a message, or the first second of a longer one. Raises `Refusal`, and then takes nothing."""
        if not data:
            raise Refusal("invalid_value", "there is no audio in this message", param=param)
        is_whole = len(data) % self._format.sample_bytes == 0
        if is_whole:
            wanted = self._conversation.samples_wanted()
            is_quiet = wanted.if_quiet > wanted.samples and self._held_is_quiet and self._is_quiet(data)
            data, self._held, self._held_is_quiet = self._held + data, b"", True
            if self._stream.would_make(len(data)) < (wanted.if_quiet if is_quiet else wanted.samples):
                self._held, self._held_is_quiet = data, is_quiet
                return
        end = self._stretch_bytes if is_whole else len(data)  # half a sample: then all of it is refused
        try:
            audio_16k = self._stream.push(data[:end])
        except ValueError as problem:
            raise Refusal("invalid_value", str(problem), param=param) from None
        self._hear(audio_16k, param)
        if end < len(data):
            self._rest = _Rest(data, end, param, event_id)

    @property
    def has_more(self) -> bool:
        """Whether something is left of a long message."""
        return self._rest is not None

    def go_on(self) -> bool:
        """Hear the next second of a long message; False: nothing is left. Raises `Refusal`, and drops the rest."""
        rest = self._rest
        if rest is None:
            return False
        stretch = rest.data[rest.at : rest.at + self._stretch_bytes]
        try:
            self._hear(self._stream.push(stretch), rest.param)
        except Refusal as refusal:
            self._rest = None
            left_ms = samples_to_ms((len(rest.data) - rest.at) // self._format.sample_bytes, self._format.rate_hz)
            refusal.message += f"; the last {left_ms} ms of this message were not heard"
            refusal.event_id = rest.event_id
            raise
        rest.at += len(stretch)
        if rest.at == len(rest.data):
            self._rest = None
        return True

    def hear_held(self) -> None:
        """Hear what is held here: there is reason not to wait for more. Raises `Refusal`."""
        held, self._held, self._held_is_quiet = self._held, b"", True
        self._hear(self._stream.push(held), None)

    def flush(self) -> None:
        """Hear what is held here and in the resampler. Raises `Refusal`."""
        self.hear_held()
        self._hear(self._stream.flush(), None)

    def reset(self) -> None:
        """What follows does not belong to what came before."""
        self._held, self._held_is_quiet = b"", True
        self._stream.reset()

    def _is_quiet(self, message: bytes) -> bool:
        return len(message) <= self._short_bytes and rms(self._format.samples(message)) < QUIET_MESSAGE_RMS

    def _hear(self, audio_16k: Samples, param: str | None) -> None:
        if not len(audio_16k):
            return
        try:
            self._conversation.append_audio(audio_16k)
        except ValueError as problem:
            raise Refusal("input_audio_buffer_full", str(problem), param=param) from None
