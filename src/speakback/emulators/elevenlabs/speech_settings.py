"""What the first message of a text-to-speech context sets, and no later one may change."""

from dataclasses import dataclass

from speakback.emulators.elevenlabs.buffering import DEFAULT_SCHEDULE, TextBuffer
from speakback.emulators.elevenlabs.errors import changed
from speakback.emulators.elevenlabs.messages import SpeechMessage
from speakback.emulators.elevenlabs.options import Guesses
from speakback.emulators.elevenlabs.wire import FailedEnding

_FIXED = ("voice_settings", "generation_config", "pronunciation_dictionary_locators")


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """The first message of a context."""

    first: SpeechMessage

    def check(self, later: SpeechMessage) -> None:
        """Absent or unchanged is well. Raises `FailedEnding`."""
        for field in _FIXED:
            repeated: object = getattr(later, field)
            if repeated is not None and repeated != getattr(self.first, field):
                raise FailedEnding(changed(field))

    def buffer(self, guesses: Guesses, *, auto_mode: bool) -> TextBuffer:
        """Of the schedule that was asked for."""
        config = self.first.generation_config
        schedule = (config.chunk_length_schedule if config else None) or DEFAULT_SCHEDULE
        return TextBuffer(schedule, auto_mode=auto_mode, try_trigger_minimum=guesses.try_trigger_minimum)
