"""A scripted conversation: literal times and events in, actions out, with the openings that many tests share."""

from dataclasses import dataclass, field, replace

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import Action, FaultCode, ReportFault
from speakback.turn.barge_in import BargeIn, Overlap, OverlapEvidence, Verdict
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.endpointing import FixedEndpointing
from speakback.turn.events import Event, ReplyAudible, SpeechStarted, SpeechStopped, TurnTranscribed
from speakback.turn.tables import Agent, User
from speakback.turn.words import HeardWords

WAIT_MS = 500
"""The silence that ends a turn under `PLAIN`."""

PLAIN = TurnConfig(endpointing=FixedEndpointing(WAIT_MS), barge_in=BargeIn.IMMEDIATE)
POLITE = replace(PLAIN, barge_in=BargeIn.NEVER)
ASKED_ONLY = replace(PLAIN, auto_reply=False)


@dataclass(frozen=True, slots=True)
class PlainOverlap(Overlap):
    """A graded policy as plain as can be, for tests of what the core makes of verdicts; the real one may be tuned."""

    duck_ms: int = 120
    provisional_ms: int = 350
    young_reply_ms: int = 600
    young_provisional_ms: int = 150
    last_ms: int = 900

    def verdict(self, evidence: OverlapEvidence) -> Verdict:
        since_ms = evidence.since_onset_ms
        words = HeardWords.ECHO if (evidence.echo or 0) >= 0.6 else evidence.words
        if words is HeardWords.BACKCHANNEL and evidence.is_voiced and since_ms >= 1400:
            return Verdict.INTERRUPTION
        if words is HeardWords.NONE and evidence.is_voiced and since_ms < self.last_ms:
            words = None
        if words is not None:
            return _TAKEN_FOR[words]
        if not evidence.is_voiced and evidence.voiced_ms < 700 and (evidence.end_of_turn or 1) >= 0.15:
            return Verdict.BACKCHANNEL if since_ms >= self.last_ms else Verdict.OPEN
        holds_at_ms = self.provisional_ms
        if evidence.reply_age_ms < self.young_reply_ms:
            holds_at_ms = self.young_provisional_ms
        return Verdict.HOLD if since_ms >= holds_at_ms else Verdict.OPEN

    def next_look_ms(self, evidence: OverlapEvidence) -> int | None:
        is_young = evidence.reply_age_ms < self.young_reply_ms
        looks = (self.young_provisional_ms if is_young else self.provisional_ms, 1400)
        return min((look for look in looks if look > evidence.since_onset_ms), default=None)

    def ducks(self, evidence: OverlapEvidence) -> bool:
        return evidence.is_voiced and evidence.since_onset_ms >= self.duck_ms

    def is_conclusive(self, evidence: OverlapEvidence) -> bool:
        return evidence.since_onset_ms >= self.last_ms


_TAKEN_FOR = {
    HeardWords.NONE: Verdict.NOISE,
    HeardWords.BACKCHANNEL: Verdict.BACKCHANNEL,
    HeardWords.REMARK: Verdict.BACKCHANNEL,
    HeardWords.ECHO: Verdict.ECHO,
    HeardWords.CONTENT: Verdict.INTERRUPTION,
    HeardWords.HALT: Verdict.INTERRUPTION,
}
OVERLAP = PlainOverlap()
GRADED = replace(PLAIN, barge_in=BargeIn.GRADED, overlap=OVERLAP)


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
