"""How a conversation is taken up on another connection, and what one gives for that.

What was heard of a turn that is still open is heard again, before anything that the client sends. Only then does the
core learn what it owes: whoever was in the middle of a sentence is not spoken over.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from speakback.audio.pcm import pcm16_from_samples, samples_from_pcm16
from speakback.session.history import History
from speakback.session.items import Item
from speakback.session.replies import Replies
from speakback.session.settings import ReplyOptions
from speakback.session.snapshot import Snapshot
from speakback.session.user_turns import UserTurns
from speakback.turn import events as ev
from speakback.turn.core import TurnCore
from speakback.turn.left_open import renumbered

HEARD_AGAIN_MS = 60_000
"""Of an open turn this much is kept, from its end: as long as a turn may be by default."""
HEAR_AGAIN_WITHIN_S = 2.0
"""An ear that is slower than this does not hold the conversation up."""


def taken(
    session_id: str,
    last_id: int,
    core: TurnCore,
    history: History,
    turns: UserTurns,
    replies: Replies,
    asked: ReplyOptions,
    *,
    is_played_out: bool = False,
) -> Snapshot:
    """The conversation as it stands; `is_played_out`: the client has, and plays, all that the agent said."""
    broken_off = replies.if_broken_off(is_played_out=is_played_out)
    left_open = core.left_open(broken_off.heard)
    return Snapshot(
        session_id=session_id,
        last_id=last_id,
        client_settings="",
        items=_items(history, replies, broken_off.item),
        learned_pauses_ms=core.learned_pauses_ms,
        left_open=left_open,
        awaited=turns.awaited(left_open.awaited),
        rest=broken_off.rest,
        asked=asked,
        pcm16=pcm16_from_samples(turns.unsettled_sound(HEARD_AGAIN_MS)),
        heard_samples=turns.ears.audio.end,
    )


def _items(history: History, replies: Replies, heard: Item | None) -> tuple[Item, ...]:
    """The history with the reply under way as far as it was heard; without it, where it was not."""
    current_id = None if replies.current is None else replies.current.plan.item_id
    if current_id is None or not history.is_in_progress(current_id):
        return history.items
    as_heard = (heard if item.item_id == current_id else item for item in history.items)
    return tuple(item for item in as_heard if item is not None)


class Resuming:
    """A session on its way back: `begin` when it is made, `run` once it lives. It `is_pending` until the core knows.

    One that has no way back, because it is new, is not pending from the first.
    """

    def __init__(
        self, before: Snapshot, turns: UserTurns, happened: Callable[[ev.Event], None], *, is_pending: bool
    ) -> None:
        self._before = before
        self._turns = turns
        self._happened = happened
        self._heard_again = asyncio.Event()
        self.is_pending = is_pending

    def begin(self, now_ms: int) -> None:
        """Hear again what belongs to no turn that is over."""
        audio_16k = samples_from_pcm16(self._before.pcm16)
        if len(audio_16k):
            self._heard_again = self._turns.ears.hear_again(audio_16k, now_ms)
        else:
            self._heard_again.set()

    async def run(self) -> None:
        """Wait for that, and let turn-taking take up what was left open."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEAR_AGAIN_WITHIN_S):
                await self._heard_again.wait()
        left_open = renumbered(self._before.left_open, self._turns.last_turn_id)
        self.is_pending = False
        self._happened(ev.ConversationResumed(left_open))
        self._turns.read_again(left_open.awaited, self._before.awaited)

    def amend(self, snapshot: Snapshot) -> Snapshot:
        """A snapshot that is taken meanwhile, with what the core does not know yet."""
        if not self.is_pending:
            return snapshot
        before = self._before
        return replace(snapshot, left_open=before.left_open, awaited=before.awaited, rest=before.rest)
