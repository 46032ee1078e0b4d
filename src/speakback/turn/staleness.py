"""Which events come too late. The one place where they are dropped."""

from speakback.timebase import ReplyId, TurnId
from speakback.turn.events import (
    DraftSettled,
    EchoJudged,
    EndOfTurnScored,
    EndOfTurnUnscored,
    Event,
    OverlapHeard,
    PauseTranscribed,
    ReplyAudible,
    ReplyFailed,
    ReplyFinished,
    ReplyProgressed,
    SpeechStopped,
    TranscriptionFailed,
    TurnTranscribed,
)
from speakback.turn.state import State
from speakback.turn.tables import User


class UnknownId(Exception):
    """An event names a turn or reply that was never begun."""


def is_stale(state: State, event: Event) -> bool:
    """Whether `event` is about something that is over. The one place where late events are dropped."""
    match event:
        case ReplyAudible(reply_id) | ReplyProgressed(reply_id) | ReplyFinished(reply_id) | ReplyFailed(reply_id):
            _check_reply(state, reply_id)
            return state.reply is None or state.reply.reply_id != reply_id
        case DraftSettled(reply_id):
            _check_reply(state, reply_id)
            return reply_id not in state.unsettled_drafts
        case TurnTranscribed(turn_id) | TranscriptionFailed(turn_id):
            _check_turn(state, turn_id)
            return turn_id not in state.untranscribed
        case EndOfTurnScored(turn_id, pause) | EndOfTurnUnscored(turn_id, pause) | PauseTranscribed(turn_id, pause):
            _check_turn(state, turn_id)
            turn = state.turn if state.user is User.ENDING else None
            return turn is None or (turn.turn_id, turn.pause) != (turn_id, pause)
        case OverlapHeard(turn_id) | EchoJudged(turn_id):
            _check_turn(state, turn_id)
            return state.turn is None or state.turn.turn_id != turn_id or state.turn.overlap is None
        case SpeechStopped():
            return state.user is User.SILENT  # the turn was ended or dropped while its voice went on
        case _:
            return False


def _check_reply(state: State, reply_id: ReplyId) -> None:
    if not 0 < reply_id <= state.last_reply_id:
        raise UnknownId(f"reply {reply_id}")


def _check_turn(state: State, turn_id: TurnId) -> None:
    if not 0 < turn_id <= state.last_turn_id:
        raise UnknownId(f"turn {turn_id}")
