"""Any history at all: the core stays legal, bounded, and owes nothing in the end.

`witness.py` judges each step. One test tries every event in every pair of states under every strategy; in the other
Hypothesis draws whole histories, guided (the natural next event, waits that land on deadlines, ids that are stale,
current, or from the future) so that they spend time in every pair of states that can be reached, in which every
action is returned and every deadline passes: the test asserts that they do.
"""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from typing import cast, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from speakback.config import Settings
from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import Action, CommitReason, DropReason, FaultCode, StopReason
from speakback.turn.barge_in import BargeIn, Overlap, OverlapEvidence, Verdict
from speakback.turn.config import Idle, TurnConfig
from speakback.turn.drafts import Drafts
from speakback.turn.endpointing import EndpointingPolicy, FixedEndpointing, PauseEvidence
from speakback.turn.events import (
    ConversationResumed,
    DraftSettled,
    EchoJudged,
    EndOfTurnScored,
    EndOfTurnUnscored,
    Event,
    InputCleared,
    InputCommitted,
    NoScore,
    OverlapHeard,
    PauseTranscribed,
    ReplyAudible,
    ReplyCancelled,
    ReplyFailed,
    ReplyFinished,
    ReplyProgressed,
    ReplyRequested,
    SilenceObserved,
    SpeechStarted,
    SpeechStopped,
    TranscriptionFailed,
    TurnTranscribed,
)
from speakback.turn.left_open import AwaitedTurn, Debt, LeftOpen
from speakback.turn.records import Deadline
from speakback.turn.strategies import STRATEGIES
from speakback.turn.tables import Agent, User
from speakback.turn.words import HeardWords, Repair, Unfinished
from tests.turn.witness import CountingCore, States, Witness

HISTORIES = settings(max_examples=300, stateful_step_count=35, derandomize=True, database=None, deadline=None)

EVENT_TYPES: tuple[type[Event], ...] = get_args(Event)
GRID: list[States] = [states for states in product(User, Agent) if states != (User.SILENT, Agent.PAUSED)]
"""Every pair of states that can be reached; `test_grid.py` proves that the missing one cannot."""
GRID_WITHOUT_HOLD = [(user, agent) for user, agent in GRID if agent is not Agent.PAUSED]

STOPPABLE = ("heard answer", "unheard answer", "apology")
OUTCOMES = (
    {kind.__name__ for kind in get_args(Action)}
    | {f"turn ended: {reason.value}" for reason in CommitReason}
    | {f"turn dropped: {reason.value}" for reason in DropReason}
    | {"turn dropped, something else owed"}
    | {f"answer begun: {repair.value}" for repair in Repair}
    | {f"{what} stopped: {reason.value}" for what, reason in product(STOPPABLE, StopReason)}
    | {f"fault: {code.value}" for code in FaultCode}
)
"""All that a core can do that depends on its history, as the witness words it."""


@dataclass(frozen=True)
class FailingPolicy:
    """Somebody else's policy, on a bad day."""

    def silence_ms(self, evidence: PauseEvidence) -> int:
        raise RuntimeError("no idea")


@dataclass(frozen=True)
class NonsensePolicy:
    """Somebody else's policy, which no type checker saw."""

    def silence_ms(self, evidence: PauseEvidence) -> int:
        return -5 if evidence.probability is None else cast(int, float("nan"))


class FailingOverlap(Overlap):
    """Fails on a coin's toss."""

    def verdict(self, evidence: OverlapEvidence) -> Verdict:
        if evidence.since_onset_ms % 2:
            raise RuntimeError("no idea")
        return super().verdict(evidence)


class NonsenseOverlap(Overlap):
    """Never makes up its mind, wants to look again in the past, and calls that a verdict."""

    def verdict(self, evidence: OverlapEvidence) -> Verdict:
        return Verdict.HOLD if evidence.is_voiced else cast(Verdict, "backchannel")

    def next_look_ms(self, evidence: OverlapEvidence) -> int | None:
        return evidence.since_onset_ms - 1


BAD_ENDPOINTING = (
    cast(EndpointingPolicy, FailingPolicy()),
    cast(EndpointingPolicy, NonsensePolicy()),
    FixedEndpointing(24 * 3600 * 1000),
)


def quick(config: TurnConfig) -> TurnConfig:
    """The strategy, on a small scale of time."""
    return replace(
        config,
        max_turn_ms=4000,
        transcript_timeout_ms=2000,
        first_audio_timeout_ms=3000,
        stall_timeout_ms=1500,
        tool_timeout_ms=2500,
        idle=Idle(wait_ms=1700, reprompts=1),
    )


QUICK = {name: quick(config) for name, config in STRATEGIES.items()}
configs = st.builds(
    lambda config, changes: replace(config, **changes),
    st.sampled_from([*QUICK.values(), QUICK[Settings().turn.strategy]]),
    st.fixed_dictionaries(
        {},
        optional={
            "endpointing": st.sampled_from(BAD_ENDPOINTING),
            "overlap": st.sampled_from([FailingOverlap(), NonsenseOverlap()]),
            "auto_reply": st.sampled_from([True, False]),
            "idle": st.sampled_from([Idle(), Idle(wait_ms=600, reprompts=2, goodbye=False)]),
            "drafts": st.sampled_from([Drafts(enabled=False), Drafts(free_tokens=0)]),
        },
    ),
)
ages_ms = st.sampled_from([0, 0, 50, 300, -200, 9000])
"""How long ago something began or ended that is reported now; also nonsense."""
scores = st.sampled_from([0.0, 0.4, 0.9, 1.0, -1.0, float("nan")])
heard_or_not = st.sampled_from([None, HeardWords.NONE, *HeardWords])
late = st.sampled_from([0, 1])
of_the_client = st.sampled_from(
    [ReplyRequested(), ReplyCancelled(), InputCommitted(True), InputCommitted(False), InputCleared()]
)
anywhere = st.none() | st.sampled_from(GRID)


def breaks(latest_turn: TurnId) -> list[LeftOpen]:
    """What a conversation may have left open on an earlier connection; the last one cannot be."""
    first, second, third = (TurnId(latest_turn + ahead) for ahead in (1, 2, 3))
    heard, unheard = AwaitedTurn(second, is_owed=True, interrupted=True), AwaitedTurn(third, False, False)
    debts = [Debt(first), Debt(first, failed=True), Debt(first, repair=Repair.RESUME), Debt(first, interruptible=False)]
    return [
        LeftOpen(),
        *(LeftOpen(debt, agent_has_spoken=True) for debt in debts),
        LeftOpen(Debt(first, repair=Repair.REPHRASE), (heard, unheard)),
        LeftOpen(Debt(None), (AwaitedTurn(first, is_owed=True, interrupted=False),)),
        LeftOpen(awaited=(AwaitedTurn(first, is_owed=False, interrupted=True),), waits_for_tool=True),
        LeftOpen(waits_for_tool=True),
        LeftOpen(Debt(second)),
    ]


def anything(witness: Witness, age_ms: int = 0, probability: float = 0.5) -> list[Event]:
    """Every event there is, about what is over, what is going on, and what was never begun."""
    then_ms = witness.now_ms - age_ms
    events: list[Event] = [SpeechStarted(then_ms), SpeechStarted(then_ms, echo=0.9), SpeechStopped(then_ms)]
    events += [SilenceObserved(age_ms), InputCommitted(True), InputCommitted(False), InputCleared(), ReplyCancelled()]
    events += [ReplyRequested(interruptible=interruptible) for interruptible in (True, False)]
    latest_turn, latest_reply = witness.last_turn, witness.voices.last_reply
    for turn_id in map(TurnId, (0, latest_turn - 1, latest_turn, latest_turn + 1)):
        for pause in (witness.pauses - 1, witness.pauses, witness.pauses + 1):
            events += [
                EndOfTurnScored(turn_id, pause, probability, kind) for kind in (Unfinished.NO, Unfinished.COUNTING)
            ]
            events += [EndOfTurnUnscored(turn_id, pause, because) for because in NoScore]
            events += [PauseTranscribed(turn_id, pause, has_words) for has_words in (True, False)]
        events += [OverlapHeard(turn_id, kind) for kind in HeardWords]
        events += [EchoJudged(turn_id, echo) for echo in (0.0, 1.0, float("nan"))]
        events += [TurnTranscribed(turn_id, True, repair) for repair in Repair]
        events += [TurnTranscribed(turn_id, False), TranscriptionFailed(turn_id)]
    for reply_id in map(ReplyId, (0, latest_reply - 1, latest_reply, latest_reply + 1)):
        events += [kind(reply_id) for kind in (ReplyAudible, ReplyProgressed, ReplyFinished, ReplyFailed)]
        events += [ReplyFinished(reply_id, called_tool=True), DraftSettled(reply_id, True, 5, 20)]
    events += [ConversationResumed(left_open) for left_open in breaks(latest_turn)]
    assert {type(event) for event in events} == set(EVENT_TYPES)
    return events


EVERYWHERE = [
    (name, states, over)
    for name, config in STRATEGIES.items()
    for states in (GRID if config.barge_in is BargeIn.GRADED else GRID_WITHOUT_HOLD)
    for over in ([False, True] if states[0] is not User.SILENT and states[1] is Agent.SPEAKING else [False])
    if not (over and config.barge_in is BargeIn.IMMEDIATE)
]
"""Each pair of states, and where both speak also whether the user began last, which makes it an overlap to judge."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "states", "over"), EVERYWHERE)
def test_every_event_in_every_pair_of_states(name: str, states: States, over: bool) -> None:
    for number in range(len(anything(Witness(CountingCore(QUICK[name]))))):
        witness = Witness(CountingCore(QUICK[name]))
        witness.come_to((User.ENDING, Agent.SPEAKING))
        if over:
            witness.speak_over(states[0], voiced_ms=0)
        else:
            witness.come_to(states)
        assert (witness.core.user, witness.core.agent) == states
        witness.handle(anything(witness)[number])
        witness.check_liveness(answering=True)
        witness.check_liveness(answering=False)


class Histories(RuleBasedStateMachine):
    """Whatever may happen to a conversation, in any order."""

    tried: Counter[States] = Counter()
    outcomes: Counter[str] = Counter()
    passed: Counter[tuple[Deadline, int]] = Counter()

    @initialize(config=configs)
    def begin(self, config: TurnConfig) -> None:
        self.witness = Witness(CountingCore(config))

    @rule(age_ms=ages_ms, probability=scores)
    def the_user_goes_on(self, age_ms: int, probability: float) -> None:
        """The natural next event of the user's side."""
        witness, then_ms = self.witness, self.witness.now_ms - age_ms
        if witness.core.user is User.SPEAKING:
            witness.handle(SpeechStopped(then_ms))
        elif witness.core.user is User.SILENT or age_ms:
            witness.handle(SpeechStarted(then_ms))
        else:
            witness.handle(PauseTranscribed(witness.last_turn, witness.pauses, True))
            witness.handle(EndOfTurnScored(witness.last_turn, witness.pauses, probability))

    @rule(brings=st.sampled_from(["words", "noise", "a failure", "nothing", "a clearing"]), late_ms=late)
    def the_user_takes_a_whole_turn(self, brings: str, late_ms: int) -> None:
        """From wherever the user is, over whatever the agent does."""
        witness = self.witness
        if witness.core.user is User.SILENT:
            witness.handle(SpeechStarted(witness.now_ms))
        if brings == "a clearing":
            witness.handle(InputCleared())
            return
        if witness.core.user is User.SPEAKING:
            witness.handle(SpeechStopped(witness.now_ms))
        while witness.core.user is not User.SILENT:
            self.time_passes_to_a_deadline(late_ms)
        for turn_id in sorted(witness.untranscribed):
            if brings != "nothing":
                failed = brings == "a failure"
                witness.handle(TranscriptionFailed(turn_id) if failed else TurnTranscribed(turn_id, brings == "words"))

    @rule(
        voiced_ms=st.sampled_from([0, 200, 400, 750, 1000]),
        heard=heard_or_not,
        echo=st.none() | st.sampled_from([0.1, 0.9]),
        probability=scores,
        reply_age_ms=st.sampled_from([0, 800]),
        looks=st.sampled_from([0, 2, 4]),
        late_ms=late,
    )
    def the_user_speaks_over_the_agent(
        self,
        voiced_ms: int,
        heard: HeardWords | None,
        echo: float | None,
        probability: float,
        reply_age_ms: int,
        looks: int,
        late_ms: int,
    ) -> None:
        witness = self.witness
        witness.speak_over(User.SPEAKING, voiced_ms, reply_age_ms)
        if heard is not None and witness.last_turn:
            witness.handle(OverlapHeard(witness.last_turn, heard))
        if witness.core.user is User.SPEAKING:
            witness.handle(SpeechStopped(witness.now_ms))
            witness.handle(EndOfTurnScored(witness.last_turn, witness.pauses, probability))
        if echo is not None:
            witness.handle(EchoJudged(witness.last_turn, echo))
        for _ in range(looks):
            self.time_passes_to_a_deadline(late_ms)

    @rule(has_words=st.sampled_from([True, True, False]), repair=st.sampled_from(Repair))
    def the_user_interrupts_the_agent(self, has_words: bool, repair: Repair) -> None:
        self.the_user_speaks_over_the_agent(400, HeardWords.CONTENT, None, 0.9, reply_age_ms=800, looks=0, late_ms=0)
        while self.witness.core.user is not User.SILENT:
            self.time_passes_to_a_deadline(offset_ms=0)
        self.the_transcripts_come(has_words, repair)

    @rule(called_tool=st.booleans(), times=st.sampled_from([1, 2, 4]), offset_ms=late)
    def nothing_follows_a_reply(self, called_tool: bool, times: int, offset_ms: int) -> None:
        """The user does not answer, or the tool does not."""
        witness = self.witness
        witness.come_to((User.SILENT, Agent.SPEAKING))
        for _ in range(times):
            while witness.active is not None:
                ended = ReplyFinished(witness.active.reply_id, called_tool)
                witness.handle(ended if witness.active.heard else ReplyAudible(witness.active.reply_id))
            self.time_passes_to_a_deadline(offset_ms)

    @rule(has_words=st.sampled_from([True, True, False]), repair=st.sampled_from(Repair))
    def the_transcripts_come(self, has_words: bool, repair: Repair) -> None:
        for turn_id in sorted(self.witness.untranscribed):
            self.witness.handle(TurnTranscribed(turn_id, has_words, repair))

    @rule(well=st.sampled_from([True, True, False]), has_words=st.booleans(), calls_tool=st.booleans())
    def the_agent_goes_on(self, well: bool, has_words: bool, calls_tool: bool) -> None:
        """The natural next answer to what the core asked for."""
        witness = self.witness
        if witness.untranscribed:
            turn_id = (min if has_words else max)(witness.untranscribed)
            witness.handle(TurnTranscribed(turn_id, has_words) if well else TranscriptionFailed(turn_id))
        elif witness.active is not None:
            reply_id = witness.active.reply_id
            on = ReplyFinished(reply_id, calls_tool) if witness.active.heard else ReplyAudible(reply_id)
            witness.handle(on if well else ReplyFailed(reply_id))

    @rule()
    def the_user_pauses_at_what_may_be_the_end(self) -> None:
        """After words that were read, with the floor free: the place for a draft."""
        witness = self.witness
        witness.come_to((User.SILENT, Agent.IDLE))
        witness.come_to((User.ENDING, Agent.IDLE))
        witness.handle(PauseTranscribed(witness.last_turn, witness.pauses, True))
        witness.handle(EndOfTurnScored(witness.last_turn, witness.pauses, 0.6))

    @rule(promoted=st.booleans())
    def a_draft_is_settled(self, promoted: bool) -> None:
        for reply_id in sorted(self.witness.voices.unsettled):
            self.witness.handle(DraftSettled(reply_id, promoted, tokens=30, characters=100))

    @rule(
        data=st.data(),
        kind=st.sampled_from(EVENT_TYPES),
        states=anywhere,
        age_ms=ages_ms,
        probability=scores,
        late_ms=st.sampled_from([0, 0, 0, 7]),
    )
    def anything_happens(
        self,
        data: st.DataObject,
        kind: type[Event],
        states: States | None,
        age_ms: int,
        probability: float,
        late_ms: int,
    ) -> None:
        self.come_to(states)
        of_this_kind = [event for event in anything(self.witness, age_ms, probability) if type(event) is kind]
        self.witness.handle(data.draw(st.sampled_from(of_this_kind)), late_ms)

    @rule(states=anywhere, event=of_the_client)
    def the_client_has_its_say(self, states: States | None, event: Event) -> None:
        self.come_to(states)
        self.witness.handle(event)

    @rule()
    def the_last_event_comes_twice(self) -> None:
        if self.witness.last_event is not None:
            self.witness.handle(self.witness.last_event)

    @rule(offset_ms=st.sampled_from([-1, 0, 0, 1, 900]))
    def time_passes_to_a_deadline(self, offset_ms: int) -> None:
        due_ms = self.witness.core.next_deadline()
        self.witness.tick_too_early()
        if offset_ms >= 0 and due_ms is not None:
            self.witness.tick(max(due_ms + offset_ms, self.witness.now_ms))

    @rule(wait_ms=st.sampled_from([1, 100, 450, 30_000]))
    def time_passes_without_a_tick(self, wait_ms: int) -> None:
        """The timer is late; events come first."""
        self.witness.now_ms += wait_ms

    @rule(config=configs)
    def the_client_configures(self, config: TurnConfig) -> None:
        self.witness.configure(config)

    def come_to(self, states: States | None) -> None:
        config = self.witness.core.config
        can_hold = config.barge_in is BargeIn.GRADED and type(config.overlap) is Overlap
        if states is not None and (can_hold or states[1] is not Agent.PAUSED):
            self.witness.come_to(states)

    def teardown(self) -> None:
        if hasattr(self, "witness"):  # Hypothesis may give up before `begin`
            for (user, agent, _), times in self.witness.tried.items():
                self.tried[user, agent] += times
            self.outcomes.update(self.witness.outcomes)
            self.passed.update(self.witness.core.passed)
            self.witness.check_liveness(answering=True)
            self.witness.check_liveness(answering=False)


@pytest.mark.slow
@pytest.mark.timeout(120)  # some 10 s of computing, on a machine that may be busy
def test_any_history_is_legal_bounded_and_settled_in_the_end() -> None:
    for counts in (Histories.tried, Histories.outcomes, Histories.passed):
        counts.clear()
    run_state_machine_as_test(Histories, settings=HISTORIES)
    assert set(Histories.tried) == set(GRID), "exactly the pairs of states that can be reached"
    assert min(Histories.tried.values()) >= 20, f"too few events in some: {Histories.tried}"
    assert set(Histories.outcomes) == OUTCOMES, "everything the core can do was done"
    assert set(Histories.passed) >= set(product(Deadline, (0, 1))), "every deadline was met, and just missed"
