"""What the core remembers of a conversation, and the small steps that change it. Pure; the decisions are elsewhere."""

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import Action, FaultCode, ReportFault
from speakback.turn.config import TurnConfig
from speakback.turn.drafts import DraftBook
from speakback.turn.records import (
    BegunReply,
    Deadline,
    Draft,
    OpenTurnRecord,
    OverlapRecord,
    Owed,
    Untranscribed,
)
from speakback.turn.tables import AGENT_TABLE, USER_TABLE, Agent, AgentMove, User, UserMove, after

PAUSES_REMEMBERED = 32


class State:
    """One conversation's state. Only the modules of this room change it, and only within a call of the core."""

    def __init__(self, config: TurnConfig, learned_pauses_ms: tuple[int, ...] = ()) -> None:
        self.config = config
        self.user = User.SILENT
        self.agent = Agent.IDLE
        self.learned_pauses_ms = learned_pauses_ms[-PAUSES_REMEMBERED:]
        self.drafts = DraftBook()
        self.turn: OpenTurnRecord | None = None
        self.reply: BegunReply | None = None
        self.draft: Draft | None = None
        self.unsettled_drafts: set[ReplyId] = set()
        self.unanswered: list[Owed] = []
        self.untranscribed: dict[TurnId, Untranscribed] = {}
        """Turns that were committed, oldest first."""
        self.deadlines: dict[Deadline, int] = {}
        self.last_turn_id = 0
        self.last_reply_id = 0
        self.last_end_ms: int | None = None
        """Of the voice of the turn that was committed last."""
        self.prompted: int | None = None
        """How often the user was prompted in vain; None before the agent has said anything."""
        self.now_ms = 0
        self.actions: list[Action] = []
        """What is to be done, gathered within one call of the core."""

    def advance(self, now_ms: int) -> None:
        if now_ms < self.now_ms:
            self.fault(FaultCode.CLOCK_WENT_BACK, f"the clock went back by {self.now_ms - now_ms} ms; ignored")
        self.now_ms = max(self.now_ms, now_ms)

    def move_user(self, move: UserMove) -> None:
        self.user = after(USER_TABLE, self.user, move)

    def move_agent(self, move: AgentMove) -> None:
        self.agent = after(AGENT_TABLE, self.agent, move)

    def open_turn(self) -> OpenTurnRecord:
        assert self.turn is not None, "a user who is not silent has an open turn"
        return self.turn

    def open_overlap(self) -> OverlapRecord:
        overlap = self.open_turn().overlap
        assert overlap is not None
        return overlap

    def begun_reply(self) -> BegunReply:
        assert self.reply is not None, "an agent that can be heard has begun a reply"
        return self.reply

    def user_is_there(self) -> None:
        self.prompted = None if self.prompted is None else 0

    def new_turn_id(self) -> TurnId:
        self.last_turn_id += 1
        return TurnId(self.last_turn_id)

    def new_reply_id(self) -> ReplyId:
        self.last_reply_id += 1
        return ReplyId(self.last_reply_id)

    def arm(self, kind: Deadline, wait_ms: int) -> None:
        self.deadlines[kind] = self.now_ms + wait_ms

    def disarm(self, kind: Deadline) -> None:
        self.deadlines.pop(kind, None)

    def do(self, action: Action) -> None:
        self.actions.append(action)

    def fault(self, code: FaultCode, message: str, request_id: str = "") -> None:
        self.do(ReportFault(code, message, request_id))

    def policy_failed(self, message: str) -> None:
        self.fault(FaultCode.POLICY_FAILED, message)
