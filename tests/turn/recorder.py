"""Records a core as a session does, without a disk: calls and timers in, the bytes of a trace out."""

import zlib
from dataclasses import dataclass, field

from speakback.timebase import ReplyId, TurnId
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.drafts import Drafts
from speakback.turn.endpointing import FixedEndpointing
from speakback.turn.events import (
    DraftSettled,
    EndOfTurnScored,
    Event,
    OverlapHeard,
    PauseTranscribed,
    ReplyAudible,
    ReplyFinished,
    ReplyProgressed,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.trace_format import SCHEMA, Step, TraceEnd, TraceHeader, anonymous, write_line
from speakback.turn.words import HeardWords, Unfinished

START_MS = 86_400_123
"""What a clock shows when a session starts."""
LATE_MS = 2
"""By how much each timer is late."""
RECORDED_UNDER = TurnConfig(endpointing=FixedEndpointing(500), barge_in=BargeIn.GRADED, drafts=Drafts())


@dataclass
class Recorder:
    """Times are counted from the session's start."""

    config: TurnConfig = RECORDED_UNDER
    learned_pauses_ms: tuple[int, ...] = ()
    lines: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._core = TurnCore(self.config, learned_pauses_ms=self.learned_pauses_ms)
        header = TraceHeader(SCHEMA, "1.2.3", 7, self.config, self.learned_pauses_ms)
        self.lines.append(write_line(header))

    def at(self, now_ms: int, event: Event | TurnConfig, *, timers_fire: bool = True) -> None:
        """Let timers fire until then, and `event` happen; its times count from the session's start, too."""
        while (
            timers_fire and (due_ms := self._core.next_deadline()) is not None and due_ms + LATE_MS <= START_MS + now_ms
        ):
            self._record(due_ms + LATE_MS, None)
        # The inverse of what the trace does with a step.
        self._record(START_MS + now_ms, anonymous(Step(0, event, (), None), -START_MS).event)

    def tick(self, now_ms: int) -> None:
        """A timer fires, whether or not anything is due."""
        self._record(START_MS + now_ms, None)

    def ended(self, truncated: str = "") -> bytes:
        """The whole file."""
        end = TraceEnd(len(self.lines) - 1, zlib.crc32(b"".join(self.lines)), truncated)
        return b"".join((*self.lines, write_line(end)))

    def _record(self, now_ms: int, event: Event | TurnConfig | None) -> None:
        match event:
            case None:
                actions = self._core.tick(now_ms)
            case TurnConfig():
                actions = self._core.configure(event, now_ms)
            case _:
                actions = self._core.handle(event, now_ms)
        self.lines.append(
            write_line(anonymous(Step(now_ms, event, tuple(actions), self._core.next_deadline()), START_MS))
        )


def conversation(config: TurnConfig = RECORDED_UNDER) -> Recorder:
    """Two turns with a draft, a backchannel and an interruption; a request that is refused; a new configuration."""
    first, backchannel, second = TurnId(1), TurnId(2), TurnId(3)
    talk = Recorder(config)
    talk.at(1000, SpeechStarted(900))
    talk.at(1900, SpeechStopped(1800))
    talk.at(1950, EndOfTurnScored(first, 1, 0.9, Unfinished.NO))
    talk.at(1960, PauseTranscribed(first, 1, has_words=True))
    talk.at(2600, TurnTranscribed(first, has_words=True))
    talk.at(2650, DraftSettled(ReplyId(1), promoted=True, tokens=12, characters=40))
    talk.at(2700, ReplyAudible(ReplyId(1)))
    talk.at(2740, ReplyProgressed(ReplyId(1)))
    talk.at(3000, ReplyRequested("a client's own id"))
    talk.at(4000, SpeechStarted(3900, echo=0.1))
    talk.at(4300, SpeechStopped(4200))
    talk.at(4500, OverlapHeard(backchannel, HeardWords.BACKCHANNEL))
    talk.at(6000, SpeechStarted(5900, echo=None))
    talk.at(6500, OverlapHeard(second, HeardWords.CONTENT))
    talk.at(7200, SpeechStopped(7100))
    talk.at(7210, config)
    talk.at(8200, TurnTranscribed(second, has_words=True))
    talk.at(8400, ReplyAudible(ReplyId(2)))
    talk.at(9000, ReplyFinished(ReplyId(2)))
    return talk
