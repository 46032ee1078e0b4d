"""What went over the wire in one exchange, as it is kept: frames with their times, without secrets."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from speakback.emulators.contracts.redaction import header_value, redacted, without_audio

Direction: TypeAlias = Literal["sent", "received"]
FrameKind: TypeAlias = Literal["head", "body", "event", "message", "close"]
"""`head` is of a request, an answer or an upgrade; `event` one of a stream of them; the last two are of sockets."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece of an exchange. `offset_ms` counts from the exchange's beginning."""

    connection: int
    """Of this exchange, from 1."""
    direction: Direction
    kind: FrameKind
    offset_ms: float
    text: str

    def line(self) -> str:
        """As JSON, for a file of such lines."""
        return json.dumps(
            {
                "connection": self.connection,
                "direction": self.direction,
                "kind": self.kind,
                "offset_ms": self.offset_ms,
                "text": self.text,
            },
            ensure_ascii=False,
        )


@dataclass(slots=True)
class Recording:
    """Takes frames as they come. What may not be kept is removed at once, not when a file is written."""

    keys: tuple[str, ...] = field(repr=False)
    keeps_audio: bool = False
    frames: list[Frame] = field(default_factory=list)
    _began_s: float = field(default_factory=time.perf_counter)
    _connections: int = 0

    def connect(self) -> int:
        """The number of one more connection."""
        self._connections += 1
        return self._connections

    def add(self, connection: int, direction: Direction, kind: FrameKind, text: str) -> None:
        """One frame, now."""
        offset_ms = round((time.perf_counter() - self._began_s) * 1000, 1)
        if not self.keeps_audio:
            text = without_audio(text)
        self.frames.append(Frame(connection, direction, kind, offset_ms, redacted(text, self.keys)))

    def add_head(self, connection: int, direction: Direction, first_line: str, headers: Mapping[str, str]) -> None:
        """A first line, then the headers with their names in lower case, a line for each."""
        lines = [f"{name.lower()}: {header_value(name, value)}" for name, value in headers.items()]
        self.add(connection, direction, "head", "\n".join([first_line, *lines]))
