"""The whole of a turn-taking strategy as one frozen value."""

from dataclasses import dataclass

from speakback.turn.barge_in import BargeIn
from speakback.turn.endpointing import EndpointingPolicy


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """How a session takes turns. Every field can be overridden by its dotted name (`strategies.py`)."""

    endpointing: EndpointingPolicy
    barge_in: BargeIn
    auto_reply: bool = True
    """Whether a turn that ended by endpointing is answered without being asked."""
    stop_fade_ms: int = 20
    """Length of the fade when a reply is cut short; shorter clicks, longer lingers."""
    max_turn_ms: int = 60_000
    """A turn ends at this length and is transcribed; it is answered as soon as the user lets the agent speak."""
    transcript_timeout_ms: int = 10_000
    """From a turn's end to its transcript, else the agent apologises."""
    first_audio_timeout_ms: int = 15_000
    """From a reply's start to its first sign of life, else the agent apologises."""
    stall_timeout_ms: int = 10_000
    """Between two signs of life of a reply, else the agent apologises."""
