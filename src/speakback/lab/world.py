"""One conversation in virtual time: a simulated person, a simulated line, and the real turn core between them."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from speakback.evaluate.timeline import Timeline
from speakback.lab.agent import Agent
from speakback.lab.clock import Clock
from speakback.lab.draws import INTERRUPTS_AFTER_MS, INTERRUPTS_BEFORE_MS
from speakback.lab.evidence import Evidence
from speakback.lab.hearing import Hearing
from speakback.lab.latencies import Latencies
from speakback.lab.people import Person
from speakback.lab.personas import Persona
from speakback.lab.records import CallRecord, Encounter
from speakback.lab.room import Room
from speakback.lab.voice import Sound, Stretch, ipus_of
from speakback.timebase import TurnId
from speakback.turn import actions as act
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.events import Event
from speakback.turn.tables import Agent as AgentState

FIRST_WORD_MS = 500
"""The caller opens the conversation."""
OUTCOME_MS = 3000
"""What the agent makes of an encounter is known so long after it; later ones of a conversation are left out."""

Watcher = Callable[[int, Event | None, Sequence[act.Action]], None]
"""Told of each call of the core: when, the event (None: a deadline), and the actions it returned."""


class World:
    """One conversation. The seeds of the caller and of all else are apart, so that strategies meet the same callers."""

    def __init__(
        self,
        config: TurnConfig,
        persona: Persona,
        latencies: Latencies,
        *,
        auc: float,
        seed: str,
        watcher: Watcher | None = None,
    ) -> None:
        self.clock = Clock()
        self.core = TurnCore(config)
        self.person = Person(self.clock, persona, Random(f"{seed}/caller"))
        self.room = Room(self.clock, persona, Random(f"{seed}/room"))
        self.agent = Agent(self.clock, latencies, Random(f"{seed}/agent"), self._tell)
        self.hearing = Hearing(
            self.clock,
            Evidence(auc, Random(f"{seed}/evidence")),
            latencies,
            persona,
            Random(f"{seed}/hearing"),
            tell=self._tell,
            agent_is_heard=self._agent_is_heard,
        )
        self._watcher = watcher
        self._persona = persona
        self._interruptions: list[Encounter] = []
        self._backchannels: list[Encounter] = []
        self._committed: set[TurnId] = set()
        self._dropped: set[TurnId] = set()
        self._faults: Counter[act.FaultCode] = Counter()
        self._is_over = False
        self._end_ms = 0
        self._due_ms = 0
        """When the core wants to be called next, or the end."""
        agent_voice = self.agent.playing.voice
        self.person.voice.is_heard_by(self.hearing)
        self.person.voice.is_heard_by(_Witness(self._user_began))
        self.room.voice.is_heard_by(self.hearing)
        agent_voice.is_heard_by(self.person)
        agent_voice.is_heard_by(self.room)
        agent_voice.is_heard_by(_Witness(lambda _: self.hearing.agent_began()))

    def run(self, duration_ms: int) -> CallRecord:
        """Let the conversation happen, for so long or until the agent ends it."""
        clock, core = self.clock, self.core
        self.person.open_conversation(FIRST_WORD_MS)
        self._end_ms = self._due_ms = duration_ms
        while not self._is_over:
            if clock.step_before(self._due_ms):
                continue
            if self._due_ms == duration_ms:
                break
            clock.now_ms = max(self._due_ms, clock.now_ms)
            self._perform(None, core.tick(clock.now_ms))
        return self._record(min(clock.now_ms + 1, duration_ms) if self._is_over else duration_ms)

    # ---- between the core and the rest --------------------------------------------------------

    def _tell(self, event: Event) -> None:
        self._perform(event, self.core.handle(event, self.clock.now_ms))

    def _perform(self, event: Event | None, actions: Sequence[act.Action]) -> None:
        due_ms = self.core.next_deadline()
        self._due_ms = self._end_ms if due_ms is None or due_ms > self._end_ms else due_ms
        if self._watcher is not None:
            self._watcher(self.clock.now_ms, event, actions)
        for action in actions:
            self._do(action)

    def _do(self, action: act.Action) -> None:
        match action:
            case act.AnnounceTurn() | act.ContinueTurn() | act.DuckReply() | act.RestoreReply() | act.ReportVerdict():
                pass  # nobody in this world takes notice: callers may not even hear that a voice is lowered
            case act.ExaminePause():
                self.hearing.examine_pause(action)
            case act.OpenTurn():
                self.hearing.open_turn(action)
            case act.CommitTurn():
                self._committed.add(action.turn_id)
                self.hearing.commit_turn(action)
            case act.DropTurn():
                self._dropped.add(action.turn_id)
                self.hearing.close_turn(action.turn_id)
            case act.StartReply():
                self.agent.start_reply(action)
            case act.Apologise() | act.Reprompt() | act.SayGoodbye():
                self.agent.say_fixed(action)
            case act.StartDraft():
                self.agent.start_draft(action)
            case act.DiscardDraft():
                self.agent.discard_draft(action)
            case act.StopReply():
                self.agent.stop_reply()
            case act.HoldReply():
                self.agent.hold_reply()
            case act.ResumeReply():
                self.agent.resume_reply()
            case act.EndConversation():
                self._is_over = True
            case act.ReportFault():
                self._faults[action.code] += 1

    def _agent_is_heard(self) -> bool:
        return self.core.agent in (AgentState.SPEAKING, AgentState.PAUSED)

    # ---- keeping the record -------------------------------------------------------------------

    def _user_began(self, stretch: Stretch) -> None:
        reply, playing = self.agent.reply, self.agent.playing
        if reply is None or reply.audible_ms is None:
            return
        sounding = playing.voice.stretch
        if stretch.sound is Sound.BACKCHANNEL:
            self._backchannels.append(Encounter(stretch, sounding, reply))
        elif sounding is not None and self._is_interruption(sounding):
            self._interruptions.append(Encounter(stretch, sounding, reply))

    def _is_interruption(self, sounding: Stretch) -> bool:
        after_ms = self.clock.now_ms - sounding.start_ms
        return after_ms > INTERRUPTS_AFTER_MS and self.agent.playing.remaining_ms > INTERRUPTS_BEFORE_MS

    def _record(self, duration_ms: int) -> CallRecord:
        said, spoken = self.person.voice.past, self.agent.playing.voice.past
        judged_until_ms = duration_ms - OUTCOME_MS
        timeline = Timeline(duration_ms, user=ipus_of(said, duration_ms), agent=ipus_of(spoken, duration_ms))
        return CallRecord(
            persona=self._persona.name,
            timeline=timeline,
            agent_stretches=tuple(spoken),
            interruptions=tuple(met for met in self._interruptions if met.user.start_ms < judged_until_ms),
            backchannels=tuple(met for met in self._backchannels if met.user.start_ms < judged_until_ms),
            speech=tuple(stretch for stretch in said if stretch.sound is Sound.SPEECH),
            replies=tuple(self.agent.replies),
            drafts=tuple(self.agent.drafts),
            turns_said=self.person.turns_said,
            turns_unanswered=self.person.turns_unanswered,
            committed=len(self._committed),
            dropped=len(self._dropped),
            faults=dict(self._faults),
        )


class _Witness:
    """Passes on when a voice begins."""

    def __init__(self, began: Callable[[Stretch], None]) -> None:
        self._began = began

    def voice_began(self, stretch: Stretch) -> None:
        self._began(stretch)

    def voice_ended(self, stretch: Stretch) -> None:
        pass
