"""Any history at all: the core stays legal, bounded, and owes nothing in the end.

`witness.py` judges each step. One test tries every event in every pair of states; in the other Hypothesis draws
whole histories, guided (the natural next event, waits that land on deadlines, ids that are stale, current, or from
the future) so that they spend time in every pair of states that can be reached, which the test asserts.
"""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from typing import cast, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import CommitReason, FaultCode, StopReason
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.endpointing import (
    EndpointingPolicy,
    FixedEndpointing,
    PauseEvidence,
    SemanticEndpointing,
)
from speakback.turn.events import (
    EndOfTurnScored,
    Event,
    InputCleared,
    InputCommitted,
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
from speakback.turn.tables import Agent, User
from tests.turn.witness import States, Witness

HISTORIES = settings(max_examples=250, stateful_step_count=30, derandomize=True, database=None, deadline=None)

EVENT_TYPES: tuple[type[Event], ...] = get_args(Event)
UNREACHABLE = {Agent.PAUSED}
"""No barge-in policy holds the agent's output yet; the graded verdicts will, and must then be taken out of here."""
GRID: list[States] = [(user, agent) for user, agent in product(User, Agent) if agent not in UNREACHABLE]


STOPPABLE = ("heard answer", "unheard answer", "apology")
OUTCOMES = (
    {f"turn ended: {reason.value}" for reason in CommitReason}
    | {"turn dropped", "turn dropped, something else owed", "answer begun", "apology begun"}
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


POLICIES: tuple[EndpointingPolicy, ...] = (
    FixedEndpointing(500),
    SemanticEndpointing(sure_ms=200, doubtful_ms=800, unscored_ms=600),
    FixedEndpointing(24 * 3600 * 1000),
    cast(EndpointingPolicy, FailingPolicy()),
    cast(EndpointingPolicy, NonsensePolicy()),
)
QUICK = TurnConfig(
    endpointing=FixedEndpointing(500),
    barge_in=BargeIn.IMMEDIATE,
    max_turn_ms=4000,
    transcript_timeout_ms=2000,
    first_audio_timeout_ms=3000,
    stall_timeout_ms=1500,
)
configs = st.builds(
    replace,
    st.just(QUICK),
    endpointing=st.sampled_from(POLICIES),
    barge_in=st.sampled_from(BargeIn),
    auto_reply=st.sampled_from([True, True, True, False]),
)
ages_ms = st.sampled_from([0, 0, 50, 300, -200, 9000])
"""How long ago something began or ended that is reported now; also nonsense."""
scores = st.sampled_from([0.0, 0.4, 1.0, -1.0, float("nan")])
anywhere = st.none() | st.sampled_from(GRID)


def anything(witness: Witness, age_ms: int = 0, probability: float = 0.5) -> list[Event]:
    """Every event there is, about what is over, what is going on, and what was never begun."""
    then_ms = witness.now_ms - age_ms
    events: list[Event] = [SpeechStarted(then_ms), SpeechStopped(then_ms), SilenceObserved(age_ms)]
    events += [InputCommitted(True), InputCommitted(False), InputCleared(), ReplyRequested(), ReplyCancelled()]
    for offset in (-1, 0, 1):
        turn_id, reply_id = TurnId(witness.last_turn + offset), ReplyId(witness.last_reply + offset)
        events += [EndOfTurnScored(turn_id, pause, probability) for pause in (witness.pauses, witness.pauses - 1)]
        events += [TurnTranscribed(turn_id, True), TurnTranscribed(turn_id, False), TranscriptionFailed(turn_id)]
        events += [kind(reply_id) for kind in (ReplyAudible, ReplyProgressed, ReplyFinished, ReplyFailed)]
    assert {type(event) for event in events} == set(EVENT_TYPES)
    return events


@pytest.mark.parametrize("states", GRID, ids=lambda states: f"user {states[0].value}, agent {states[1].value}")
@pytest.mark.parametrize("barge_in", BargeIn)
def test_every_event_in_every_pair_of_states(states: States, barge_in: BargeIn) -> None:
    for number in range(len(anything(Witness(TurnCore(QUICK))))):
        witness = Witness(TurnCore(replace(QUICK, barge_in=barge_in)))
        witness.come_to((User.ENDING, Agent.SPEAKING))
        witness.come_to(states)
        witness.handle(anything(witness)[number])
        witness.check_liveness(answering=True)
        witness.check_liveness(answering=False)


class Histories(RuleBasedStateMachine):
    """Whatever may happen to a conversation, in any order."""

    tried: Counter[States] = Counter()
    outcomes: Counter[str] = Counter()

    @initialize(config=configs)
    def begin(self, config: TurnConfig) -> None:
        self.witness = Witness(TurnCore(config))

    @rule(age_ms=ages_ms, probability=scores)
    def the_user_goes_on(self, age_ms: int, probability: float) -> None:
        """The natural next event of the user's side."""
        witness, then_ms = self.witness, self.witness.now_ms - age_ms
        if witness.core.user is User.SPEAKING:
            witness.handle(SpeechStopped(then_ms))
        elif witness.core.user is User.SILENT or age_ms:
            witness.handle(SpeechStarted(then_ms))
        else:
            witness.handle(EndOfTurnScored(witness.last_turn, witness.pauses, probability))

    @rule(brings=st.sampled_from(["words", "noise", "a failure", "nothing", "a clearing"]))
    def the_user_takes_a_whole_turn(self, brings: str) -> None:
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
            self.time_passes_to_a_deadline(offset_ms=0)
        for turn_id in sorted(witness.untranscribed):
            if brings != "nothing":
                failed = brings == "a failure"
                witness.handle(TranscriptionFailed(turn_id) if failed else TurnTranscribed(turn_id, brings == "words"))

    @rule(well=st.sampled_from([True, True, False]), has_words=st.booleans())
    def the_agent_goes_on(self, well: bool, has_words: bool) -> None:
        """The natural next answer to what the core asked for."""
        witness = self.witness
        if witness.untranscribed:
            turn_id = (min if has_words else max)(witness.untranscribed)
            witness.handle(TurnTranscribed(turn_id, has_words) if well else TranscriptionFailed(turn_id))
        elif witness.active is not None:
            reply_id = witness.active.reply_id
            on = ReplyFinished(reply_id) if witness.active.heard else ReplyAudible(reply_id)
            witness.handle(on if well else ReplyFailed(reply_id))

    @rule(data=st.data(), states=anywhere, age_ms=ages_ms, probability=scores, late_ms=st.sampled_from([0, 0, 0, 7]))
    def anything_happens(
        self, data: st.DataObject, states: States | None, age_ms: int, probability: float, late_ms: int
    ) -> None:
        if states is not None:
            self.witness.come_to(states)
        self.witness.handle(data.draw(st.sampled_from(anything(self.witness, age_ms, probability))), late_ms)

    @rule(states=anywhere, cancels=st.booleans())
    def the_client_asks_for_a_reply_or_cancels_it(self, states: States | None, cancels: bool) -> None:
        if states is not None:
            self.witness.come_to(states)
        self.witness.handle(ReplyCancelled() if cancels else ReplyRequested())

    @rule(offset_ms=st.sampled_from([-1, 0, 900]))
    def time_passes_to_a_deadline(self, offset_ms: int) -> None:
        due_ms = self.witness.core.next_deadline()
        if due_ms is not None:
            self.witness.tick(max(due_ms + offset_ms, self.witness.now_ms))

    @rule(wait_ms=st.sampled_from([1, 100, 450, 30_000]))
    def time_passes_without_a_tick(self, wait_ms: int) -> None:
        """The timer is late; events come first."""
        self.witness.now_ms += wait_ms

    @rule(config=configs)
    def the_client_configures(self, config: TurnConfig) -> None:
        self.witness.configure(config)

    def teardown(self) -> None:
        if hasattr(self, "witness"):  # Hypothesis may give up before `begin`
            for (user, agent, _), times in self.witness.tried.items():
                self.tried[user, agent] += times
            self.outcomes.update(self.witness.outcomes)
            self.witness.check_liveness(answering=True)
            self.witness.check_liveness(answering=False)


@pytest.mark.timeout(120)  # some 3 s of computing, on a machine that may be busy
def test_any_history_is_legal_bounded_and_settled_in_the_end() -> None:
    Histories.tried.clear()
    Histories.outcomes.clear()
    run_state_machine_as_test(Histories, settings=HISTORIES)
    assert set(Histories.tried) == set(GRID), "exactly the pairs of states that can be reached"
    assert min(Histories.tried.values()) >= 20, f"too few events in some: {Histories.tried}"
    assert set(Histories.outcomes) == OUTCOMES, "everything the core can do was done"
