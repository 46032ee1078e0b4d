"""What a client may set for its session, and for one reply."""

from dataclasses import dataclass
from typing import Literal

from speakback.providers.engines import Pins
from speakback.providers.llm import Tool
from speakback.turn.config import TurnConfig
from speakback.vad.hysteresis import VadConfig


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a session listens, apart from its models; the operator's choice, not the client's."""

    vad: VadConfig = VadConfig()
    preroll_ms: int = 400
    """Audio kept from before the VAD was sure: a word's soft beginning."""
    partial_interval_ms: int = 500
    """New speech between two transcriptions of a turn that still goes on."""
    score_within_ms: int | None = None
    """The silence by which the end-of-turn model must have scored it; None: until the turn ends without a score."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """All that shapes a session; replaced as a whole (`Session.configure`), never changed in place."""

    instructions: str
    turn: TurnConfig
    listens: bool = True
    """False: no turn detection by the server; the client commits turns and asks for replies."""
    speaks: bool = True
    """False: replies are text only."""
    language: str = "en"
    transcribes: bool = True
    """False: transcripts are still made (the model reads them), but not sent to the client."""
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    max_tokens: int = 160
    temperature: float = 0.3
    hearing: Hearing = Hearing()
    pins: Pins = Pins()
    """Which providers and regions the session wants."""
    voice: str | None = None
    """The voice of whichever provider has it; None, and the others: each provider's own."""
    follows_floor: bool = False
    """Whether the client is told who is doing what (`FloorChanged`)."""
    follows_plan: bool = False
    """Whether the client is told what a reply is going to say (`ReplyPlanned`)."""


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """What a client may say about one reply; None means as the session says."""

    instructions: str | None = None
    speaks: bool | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: Literal["auto", "none", "required"] | None = None
    max_tokens: int | None = None
    interruptible: bool = True
    """False: the user cannot stop it by speaking."""
    metadata: tuple[tuple[str, str], ...] = ()
