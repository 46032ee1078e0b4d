"""What the core's actions do: each one a call to the user's side or the agent's side of the session."""

from collections.abc import Callable
from typing import Protocol

from speakback.providers.llm import Prompt
from speakback.session.asking import APOLOGY, GOODBYE, REPROMPT, Answered, Ask, rephrase_note, resume_note
from speakback.session.latency import TurnMarks
from speakback.session.ports import Ports
from speakback.session.replies import Replies
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.session.user_turns import UserTurns
from speakback.session.warming import Warming
from speakback.timebase import ReplyId, TurnId
from speakback.turn import actions as act
from speakback.turn.words import Repair


class MakePrompt(Protocol):
    """The conversation as the model is given it."""

    def __call__(self, options: ReplyOptions, *, unfinished: str = "", note: str = "") -> Prompt: ...


class Performer:
    """Performs actions, in their order. `settle_stopped` ends each step."""

    def __init__(
        self,
        ports: Ports,
        turns: UserTurns,
        replies: Replies,
        warming: Warming,
        *,
        settings: Callable[[], SessionSettings],
        prompt: MakePrompt,
        end: Callable[[], None],
    ) -> None:
        self._ports = ports
        self._turns = turns
        self._replies = replies
        self._warming = warming
        self._settings = settings
        self._prompt = prompt
        self._end = end
        self._stopping: act.StopReason | None = None
        self.asked = ReplyOptions()
        """What the client's last request said; kept, because a reply that was stopped unheard is begun again."""

    def perform(self, action: act.Action, *, late_ms: int) -> None:
        """Perform one action; `late_ms` is by how much the deadline that led to it was overrun."""
        if not self._perform_on_turn(action, late_ms):
            self._perform_on_reply(action)

    def settle_stopped(self) -> None:
        """A reply that was stopped is settled behind the other actions, so a client hears of the user's speech before
        the reply's end; but before another reply begins."""
        if self._stopping is not None:
            reason, self._stopping = self._stopping, None
            self._replies.settle(reason)

    def _perform_on_turn(self, action: act.Action, late_ms: int) -> bool:
        match action:
            case act.OpenTurn(turn_id):
                self._turns.open(turn_id)
            case act.AnnounceTurn(turn_id):
                self._turns.announce(turn_id)
            case act.ExaminePause(turn_id, pause, end_ms):
                self._turns.examine_pause(turn_id, pause, end_ms)
            case act.ContinueTurn(turn_id):
                self._turns.go_on(turn_id)
            case act.ReportVerdict(turn_id, verdict, after_ms):
                self._turns.judged(turn_id, verdict, after_ms)
            case act.CommitTurn(turn_id, _, reason):
                self._ports.log.info("turn committed", turn_id=turn_id, reason=reason.value)
                self._turns.commit(turn_id, late_ms)
            case act.DropTurn(turn_id, reason):
                self._turns.drop(turn_id, reason)
            case _:
                return False
        return True

    def _perform_on_reply(self, action: act.Action) -> None:
        match action:
            case act.StartDraft(reply_id, turn_id):
                self._begin_draft(reply_id, self._turns.words_so_far(turn_id))
            case act.DiscardDraft(reply_id):
                self._replies.discard_draft(reply_id)
            case act.StartReply(reply_id, turn_id, repair, repairs):
                self._start_reply(reply_id, turn_id, self._ask_for(turn_id, repair, repairs))
            case act.Apologise(reply_id, turn_id):
                self._start_reply(reply_id, turn_id, self._ask_to_say(APOLOGY, turn_id))
            case act.Reprompt(reply_id):
                self._start_reply(reply_id, None, Ask(None, REPROMPT, self._settings().speaks))
            case act.SayGoodbye(reply_id):
                self._start_reply(reply_id, None, Ask(None, GOODBYE, self._settings().speaks))
            case act.DuckReply() | act.RestoreReply():
                self._replies.set_ducked(isinstance(action, act.DuckReply))
            case act.HoldReply():
                self._replies.hold(self._settings().turn.stop_fade_ms)
            case act.ResumeReply():
                self._replies.resume()
            case act.StopReply(_, reason, fade_ms):
                self._replies.cut(fade_ms)
                self._stopping = reason
            case act.EndConversation():
                self._ports.log.info("the conversation ended: the user did not answer")
                self._end()

    def _ask_for(self, turn_id: TurnId | None, repair: Repair, repairs: ReplyId | None) -> Ask | None:
        """A reply to the conversation as it stands, or to what the user wants of the rest of an interrupted one.

        None: the user said nothing, and had heard all there was.
        """
        note = ""
        if repairs is not None:
            rest = self._replies.rest_of(repairs)
            if repair is Repair.RESUME and rest.is_whole:
                if rest.text:
                    return self._ask_to_say(rest.text, turn_id)
                if turn_id is not None and not self._turns.knows(turn_id):
                    return None
            elif rest.text:
                note = resume_note(rest.text) if repair is Repair.RESUME else rephrase_note(rest.text)
        options = self._options(turn_id)
        return Ask(self._prompt(options, note=note), speaks=self._speaks(options), metadata=options.metadata)

    def _ask_to_say(self, text: str, turn_id: TurnId | None) -> Ask:
        options = self._options(turn_id)
        return Ask(None, text, self._speaks(options), options.metadata)

    def _options(self, turn_id: TurnId | None) -> ReplyOptions:
        return self.asked if turn_id is None else ReplyOptions()

    def _speaks(self, options: ReplyOptions) -> bool:
        return self._settings().speaks if options.speaks is None else options.speaks

    def _begin_draft(self, reply_id: ReplyId, words: str) -> None:
        ask = Ask(self._prompt(ReplyOptions(), unfinished=words), speaks=self._settings().speaks)
        self._warming.make_way(ask.prompt)
        self._replies.draft(reply_id, ask)

    def _start_reply(self, reply_id: ReplyId, turn_id: TurnId | None, ask: Ask | None) -> None:
        self.settle_stopped()
        if ask is None:
            self._replies.skip(reply_id)
            return
        turn = self._turns.answered_by(turn_id)
        self._warming.make_way(ask.prompt)
        self._replies.begin(reply_id, ask, Answered(TurnMarks()) if turn is None else turn.as_answered())
