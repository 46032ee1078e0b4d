"""The three times of Speakback, and the ids that name things in them.

`now_ms` is monotonic and always passed in; media time is an integer count of samples; wall time is
for logs only. They are never mixed: a function says which one it takes in its parameter's name.
"""

from typing import NewType

EAR_HZ = 16_000
"""Rate at which every model listens (VAD, end of turn, speech to text)."""

VOICE_HZ = 24_000
"""Rate at which every voice speaks, and at which the playout ledger counts."""

LEDGER_FRAME_MS = 20
"""The playout ledger counts in frames of this length."""

TurnId = NewType("TurnId", int)
"""A user turn within a session, counted from 1."""

ReplyId = NewType("ReplyId", int)
"""An agent reply within a session, counted from 1."""


def samples_to_ms(samples: int, rate_hz: int) -> int:
    """Milliseconds (rounded down) that `samples` last at `rate_hz`."""
    return samples * 1000 // rate_hz


def ms_to_samples(ms: int, rate_hz: int) -> int:
    """Samples (rounded down) in `ms` milliseconds at `rate_hz`."""
    return ms * rate_hz // 1000
