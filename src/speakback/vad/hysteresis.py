"""Where speech starts and stops, from the scores of frames: pure, and counted on the sample clock."""

from dataclasses import dataclass
from typing import TypeAlias

from speakback.timebase import EAR_HZ, ms_to_samples

FRAME_SAMPLES = 512
"""Samples at 16 kHz that the VAD scores at once (32 ms); what Silero v5 and v6 were trained on."""


@dataclass(frozen=True, slots=True)
class VadConfig:
    """When scores become speech. Two thresholds, so that a score that wavers does not make edges."""

    threshold: float = 0.5
    """A frame at or above it is speech."""
    release_threshold: float = 0.35
    """A frame of ongoing speech below it is silence."""
    min_speech_ms: int = 96
    """Speech must last this long to start an utterance: three frames."""
    min_silence_ms: int = 128
    """Silence must last this long to stop it. It is not the end of the turn, only the begin of a pause."""


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """Speech began at this sample of the input."""

    sample: int


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """Speech ended before this sample of the input."""

    sample: int


Edge: TypeAlias = VoiceStarted | VoiceStopped


class Hysteresis:
    """Turns one score a frame into edges; an edge is dated back to where it was, not when it was sure."""

    def __init__(self, config: VadConfig) -> None:
        self._min_speech_samples = ms_to_samples(config.min_speech_ms, EAR_HZ)
        self._min_silence_samples = ms_to_samples(config.min_silence_ms, EAR_HZ)
        self._config = config
        self.voiced = False
        self._candidate: int | None = None
        """First sample of the run that may become the next edge."""

    def push(self, probability: float, frame_start_sample: int) -> Edge | None:
        """Take in the score of the frame that begins at `frame_start_sample`; frames come in order, without gaps."""
        for_change = probability < self._config.release_threshold if self.voiced else self._is_speech(probability)
        if not for_change:
            against = self._is_speech(probability) if self.voiced else probability < self._config.release_threshold
            if against:
                self._candidate = None
            return None
        if self._candidate is None:
            self._candidate = frame_start_sample
        lasted = frame_start_sample + FRAME_SAMPLES - self._candidate
        if lasted < (self._min_silence_samples if self.voiced else self._min_speech_samples):
            return None
        sample, self._candidate = self._candidate, None
        self.voiced = not self.voiced
        return VoiceStarted(sample) if self.voiced else VoiceStopped(sample)

    @property
    def is_silent(self) -> bool:
        """Whether there is no voice, and not the beginning of any."""
        return not self.voiced and self._candidate is None

    def restart(self) -> None:
        """Forget the past: speech that goes on is noticed as new."""
        self.voiced = False
        self._candidate = None

    def _is_speech(self, probability: float) -> bool:
        return probability >= self._config.threshold
