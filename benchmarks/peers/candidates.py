"""The servers and modes that stand beside each other, and how each is started."""

import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from benchmarks.peers.wires import BinaryWire, JsonWire, RawWire, Wire


class Side(Enum):
    """Whose server it is."""

    PIPECAT = "Pipecat"
    SPEAKBACK = "Speakback"


class Mode(Enum):
    """What ends a turn; only candidates of the same mode are compared."""

    VAD_ONLY = "VAD only"
    TURN_MODEL = "turn model"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One server in one mode, spoken to in one way."""

    side: Side
    mode: Mode
    wire: Wire = field(compare=False)
    aside: str = ""
    """What sets it apart from the candidate that is compared; empty: it is that one."""

    def __str__(self) -> str:
        return f"{self.side.value}{', ' + self.aside if self.aside else ''}"

    def command(self, peer_python: Path) -> tuple[str, ...]:
        """What starts it; `peer_python` is the interpreter of Pipecat's environment."""
        if self.side is Side.PIPECAT:
            return (str(peer_python), "-m", "benchmarks.peers.pipecat_server", self.mode.name)
        return (sys.executable, "-m", "benchmarks.peers.speakback_server", self.mode.name)


CANDIDATES = (
    Candidate(Side.PIPECAT, Mode.VAD_ONLY, RawWire()),
    Candidate(Side.SPEAKBACK, Mode.VAD_ONLY, BinaryWire()),
    Candidate(Side.PIPECAT, Mode.TURN_MODEL, RawWire()),
    Candidate(Side.SPEAKBACK, Mode.TURN_MODEL, BinaryWire()),
)
WITH_JSON = Candidate(Side.SPEAKBACK, Mode.VAD_ONLY, JsonWire(), aside="JSON")
"""Run once, with the most sessions."""
