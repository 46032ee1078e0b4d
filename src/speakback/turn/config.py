"""The whole of a turn-taking strategy as one frozen value."""

from dataclasses import dataclass

from speakback.turn.barge_in import BargeIn, Overlap
from speakback.turn.drafts import Drafts
from speakback.turn.endpointing import EndpointingPolicy


@dataclass(frozen=True, slots=True)
class Idle:
    """What the agent does when the user does not answer."""

    wait_ms: int = 10_000
    """Silence after the agent's last words until it speaks up."""
    reprompts: int = 0
    """How often it does so before it gives up; 0: it waits in silence for ever."""
    goodbye: bool = True
    """Whether giving up is taking leave and closing the session; else the agent waits in silence."""


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """How a session takes turns. Every field can be overridden by its dotted name (`strategies.py`)."""

    endpointing: EndpointingPolicy
    barge_in: BargeIn
    overlap: Overlap = Overlap()
    """How speech over the agent is judged where `barge_in` is graded."""
    drafts: Drafts = Drafts(enabled=False)
    idle: Idle = Idle()
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
    tool_timeout_ms: int = 30_000
    """From a tool call to the client's request for the reply to its result, else the agent apologises."""
