"""The sound of a pause is scored only where that can change when the turn ends, and only for as long as it can.

Cheaper evidence comes first: what the endpointing policy does with a score at all, the length of the speech, and, over
the agent, the words (`turn/scoring.py`). A score that does not come in time leaves the silence rule to decide.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from speakback.providers.errors import ProviderError
from speakback.providers.urgency import Purpose, Urgency, urgent
from speakback.providers.workers import Overdue, Shed
from speakback.session import notices as n
from speakback.session.ports import Ports
from speakback.session.settings import SessionSettings
from speakback.session.user_turn import UserTurn
from speakback.timebase import EAR_HZ, samples_to_ms
from speakback.turn import events as ev
from speakback.turn.scoring import Spared, scored_within
from speakback.turn.words import Unfinished

MARGIN_MS = 10
"""By so much a score must come before the silence rule decides."""


class Pause(NamedTuple):
    """A pause of the open turn."""

    number: int
    """Of the turn's pauses, from 1."""
    end: int
    """Position of the last voiced sample before it."""
    end_ms: int
    """When that came in."""


class _Asking(NamedTuple):
    """A question that is being answered."""

    turn: UserTurn
    pause: Pause
    task: "asyncio.Task[None]"


class PauseScores:
    """The score of a session's present pause. `scored` is told of it: (turn, number of the pause, score)."""

    def __init__(
        self,
        ports: Ports,
        *,
        settings: Callable[[], SessionSettings],
        scored: Callable[[UserTurn, int, float], None],
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._scored = scored
        self._asking: _Asking | None = None

    def ask(self, turn: UserTurn, pause: Pause) -> None:
        """Have the pause scored, if it is worth it."""
        self.drop()
        if not turn.can_be_scored:
            return
        within_ms = self._within(turn, pause, Unfinished.NO)
        if isinstance(within_ms, Spared):
            self._tell(turn, pause, within_ms.value)
            return
        limit_ms = self._settings().hearing.score_within_ms
        silence_ms = within_ms - MARGIN_MS if limit_ms is None else min(within_ms - MARGIN_MS, limit_ms)
        left_ms = pause.end_ms + silence_ms - self._ports.now_ms()
        if left_ms > 0:
            self._asking = _Asking(turn, pause, self._ports.spawn(self._ask(turn, pause, left_ms)))
        else:
            self._give_up(turn, pause, ev.NoScore.LATE)

    def words_came(self, turn: UserTurn, pause: Pause, words: Unfinished) -> None:
        """The words up to the pause are read: they may make the score needless."""
        if self._asking is not None and isinstance(self._within(turn, pause, words), Spared):
            self.drop(Spared.WORDS.value)

    def spare(self, turn: UserTurn, pause: Pause, because: Spared) -> None:
        """It was not worth asking."""
        if turn.can_be_scored:
            self._tell(turn, pause, because.value)

    def drop(self, because: str = "moot") -> None:
        """Nothing hangs on it any more: the voice came back, or the turn is over."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.task.cancel()
            self._tell(asking.turn, asking.pause, because)

    async def _ask(self, turn: UserTurn, pause: Pause, left_ms: int) -> None:
        try:
            async with asyncio.timeout(left_ms / 1000):
                with urgent(Purpose(Urgency.PAUSE, left_ms)):
                    score = await turn.score(pause.end)
        except TimeoutError:
            self._give_up(turn, pause, ev.NoScore.LATE)
        except (Overdue, Shed):
            self._give_up(turn, pause, ev.NoScore.BUSY)
        except ProviderError as problem:
            self._ports.log.warning("the end of turn was not scored", problem=str(problem))
            self._give_up(turn, pause, ev.NoScore.FAILED)
        else:
            self._asking = None
            self._tell(turn, pause, "scored", score)
            if score is not None:
                self._scored(turn, pause.number, score)

    def _within(self, turn: UserTurn, pause: Pause, words: Unfinished) -> int | Spared:
        spoken_ms = samples_to_ms(pause.end - turn.onset, EAR_HZ)
        return scored_within(self._settings().turn.endpointing, spoken_ms, words)

    def _give_up(self, turn: UserTurn, pause: Pause, because: ev.NoScore) -> None:
        self._asking = None
        self._tell(turn, pause, because.value)
        self._ports.happened(ev.EndOfTurnUnscored(turn.turn_id, pause.number, because))

    def _tell(self, turn: UserTurn, pause: Pause, outcome: str, score: float | None = None) -> None:
        audio_ms = samples_to_ms(pause.end, EAR_HZ)
        self._ports.notify(n.PauseWeighed(turn.item_id, pause.number, outcome, score, audio_ms))
