"""A scripted conversation: literal times and events in, actions out, with the openings that many tests share."""

from dataclasses import dataclass, field, replace

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import Action, FaultCode, ReportFault
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.endpointing import FixedEndpointing
from speakback.turn.events import Event, ReplyAudible, SpeechStarted, SpeechStopped, TurnTranscribed
from speakback.turn.tables import Agent, User

WAIT_MS = 500
"""The silence that ends a turn under `PLAIN`."""

PLAIN = TurnConfig(endpointing=FixedEndpointing(WAIT_MS), barge_in=BargeIn.IMMEDIATE)
POLITE = replace(PLAIN, barge_in=BargeIn.NEVER)
ASKED_ONLY = replace(PLAIN, auto_reply=False)


def turn(number: int) -> TurnId:
    return TurnId(number)


def reply(number: int) -> ReplyId:
    return ReplyId(number)


def faults(actions: list[Action]) -> list[FaultCode]:
    """The codes of the faults among `actions`, in order."""
    return [action.code for action in actions if isinstance(action, ReportFault)]


def without_faults(actions: list[Action]) -> list[Action]:
    return [action for action in actions if not isinstance(action, ReportFault)]


@dataclass
class Conversation:
    """A core under test. `at` gives it one event at a literal time; `wait_until` ticks it."""

    config: TurnConfig = PLAIN
    core: TurnCore = field(init=False)

    def __post_init__(self) -> None:
        self.core = TurnCore(self.config)

    def at(self, now_ms: int, event: Event) -> list[Action]:
        return self.core.handle(event, now_ms)

    def wait_until(self, now_ms: int) -> list[Action]:
        return self.core.tick(now_ms)

    def wait_for_deadline(self) -> list[Action]:
        """Tick exactly when the core asked for it."""
        due_ms = self.core.next_deadline()
        assert due_ms is not None, "the core waits for nothing"
        return self.core.tick(due_ms)

    def is_now(self, user: User, agent: Agent) -> bool:
        return (self.core.user, self.core.agent) == (user, agent)

    # Openings. Each starts from silence; the turn is committed WAIT_MS after `end_ms`.

    def user_says(self, onset_ms: int, end_ms: int) -> list[Action]:
        """One turn from its first voice to its commit; returns the actions of the commit."""
        self.at(onset_ms, SpeechStarted(onset_ms))
        self.at(end_ms, SpeechStopped(end_ms))
        return self.wait_until(end_ms + WAIT_MS)

    @classmethod
    def thinking(cls, config: TurnConfig = PLAIN) -> "Conversation":
        """Turn 1 was said by 2000 and transcribed at 2600; reply 1 was begun then."""
        talk = cls(config)
        talk.user_says(1000, 2000)
        talk.at(2600, TurnTranscribed(turn(1), has_words=True))
        assert talk.is_now(User.SILENT, Agent.THINKING)
        return talk

    @classmethod
    def speaking(cls, config: TurnConfig = PLAIN) -> "Conversation":
        """As `thinking`, and reply 1 is heard from 3000 on."""
        talk = cls.thinking(config)
        talk.at(3000, ReplyAudible(reply(1)))
        assert talk.is_now(User.SILENT, Agent.SPEAKING)
        return talk
