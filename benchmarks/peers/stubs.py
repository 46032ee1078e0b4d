"""What the stub services of Pipecat's server do: the same as `benchmarks.scripted_server`, and a test holds that.

The standard library only, for Pipecat's environment has none of ours.
"""

import math
from array import array

STT_S = 0.050
"""From the end of a segment to its words."""
STT_TTFS_P99_S = 0.3
"""From the end of speech to its words, as Pipecat wants to be told: its VAD's silence and the time above."""
FIRST_TOKEN_S = 0.050
TOKEN_S = 0.005
"""Between one token and the next."""
FIRST_CHUNK_S = 0.050
"""From a sentence to the first chunk of its audio; all others are there as soon as they are taken."""
CHUNK_S = 0.5
SECONDS_PER_WORD = 0.5
"""2.5 s for each sentence, wherever it is cut."""

VOICE_HZ = 24_000
EAR_HZ = 16_000

HEARD = "Could you tell me when the next train to London leaves?"
SENTENCES = (
    "It opens again at nine.",
    "You can come by tram.",
    "Tickets cost only eight euros.",
    "Small children need not pay.",
)
"""Five words each, a token a word."""
TOKENS = tuple(" ".join(SENTENCES).replace(" ", "\n ").split("\n"))

_TONE_HZ = 200
_TONE_LEVEL = 3000


def tone_pcm16(seconds: float) -> bytes:
    """Audible sound at 24 kHz as little-endian PCM16; whole periods of it join without a click."""
    samples = (round(_TONE_LEVEL * math.sin(2 * math.pi * _TONE_HZ * n / VOICE_HZ)) for n in range(_samples(seconds)))
    return array("h", samples).tobytes()


def chunks_of(text: str) -> int:
    """How many chunks the audio of `text` has."""
    return max(1, round(len(text.split()) * SECONDS_PER_WORD / CHUNK_S))


def _samples(seconds: float) -> int:
    return round(seconds * VOICE_HZ)
