"""The agent's side: makes replies as late as its providers do, drafts them when told, and plays them."""

from collections.abc import Callable, Sequence
from random import Random

from speakback.evaluate.baseline import RateName, load_baseline
from speakback.lab.clock import Clock, Timer
from speakback.lab.latencies import Latencies
from speakback.lab.playing import Playing
from speakback.lab.records import DraftRecord, ReplyRecord
from speakback.lab.turn_plans import Phrase, plan_turn
from speakback.timebase import ReplyId
from speakback.turn.actions import Apologise, DiscardDraft, Reprompt, SayGoodbye, StartDraft, StartReply
from speakback.turn.events import DraftSettled, Event, ReplyAudible, ReplyFinished, ReplyProgressed
from speakback.turn.words import Repair

PROGRESS_EVERY_MS = 5000
SAME_WORDS = 0.97
"""Share of drafts whose pause is the turn's end and whose final transcript says the same. It is mostly the same pass
over the same audio; assumption."""
PROMOTION_MS = 10
"""From the order to speak a draft that is ready to its first sample at the client."""
TOKENS_PER_WORD, CHARACTERS_PER_WORD = 1.33, 5.5
FIRST_CLAUSE_CHARACTERS = 40
FIXED_MS = 1200
"""Length of an apology, a prompt or a goodbye; they are not written but only spoken."""


class Agent:
    """One conversation's agent. `rng` is its alone."""

    def __init__(self, clock: Clock, latencies: Latencies, rng: Random, tell: Callable[[Event], None]) -> None:
        self.playing = Playing(clock, rng, self._play_finished)
        self.replies: list[ReplyRecord] = []
        self.drafts: list[DraftRecord] = []
        self._clock = clock
        self._latencies = latencies
        self._rng = rng
        self._texts = Random(rng.getrandbits(64))
        self._tell = tell
        self._reply: ReplyRecord | None = None
        self._rests: dict[ReplyId, tuple[Phrase, ...]] = {}
        """What was left of the reply that was stopped last."""
        self._draft: tuple[DraftRecord, list[Phrase]] | None = None
        self._audible = Timer(clock)
        self._progress = Timer(clock)

    @property
    def reply(self) -> ReplyRecord | None:
        """The reply under way, audible or not."""
        return self._reply

    # ---- replies ------------------------------------------------------------------------------

    def start_reply(self, action: StartReply) -> None:
        """Make a reply, from its draft if there is one and it fits."""
        rest = self._rests.get(action.repairs) if action.repairs is not None else None
        if action.repair is not Repair.DROP and rest:
            self._begin(action.reply_id, rest, self._making_ms())
            return
        drafted = self._draft
        if drafted is None or drafted[0].reply_id != action.reply_id:
            self._begin(action.reply_id, plan_turn(self._texts), self._making_ms())
            return
        draft, phrases = drafted
        promoted = self._rng.random() < SAME_WORDS
        self._settle(draft, phrases, promoted=promoted)
        wait_ms = max(draft.ready_ms - self._clock.now_ms, PROMOTION_MS) if promoted else self._making_ms()
        self._begin(action.reply_id, phrases, wait_ms)

    def say_fixed(self, action: Apologise | Reprompt | SayGoodbye) -> None:
        """Speak a sentence that needs no model."""
        self._begin(action.reply_id, [Phrase(FIXED_MS, 0, None)], self._latencies.first_audio.ms(self._rng))

    def stop_reply(self) -> None:
        """Cut the reply short."""
        reply, self._reply = self._reply, None
        assert reply is not None, "only a reply that was begun is stopped"
        self._audible.cancel()
        self._progress.cancel()
        reply.stopped_ms = self._clock.now_ms
        if reply.audible_ms is not None:
            self.playing.halt()
            self._rests = {reply.reply_id: self.playing.unsaid}

    def hold_reply(self) -> None:
        """Be silent, and keep the rest."""
        assert self._reply is not None, "only a reply that sounds is held"
        self._reply.holds.append((self._clock.now_ms, None))
        self._progress.cancel()
        self.playing.halt()

    def resume_reply(self) -> None:
        """Go on with the rest."""
        assert self._reply is not None, "only a reply that is held is resumed"
        held_ms, _ = self._reply.holds.pop()
        self._reply.holds.append((held_ms, self._clock.now_ms))
        self._progress.set(self._clock.now_ms + PROGRESS_EVERY_MS, self._progressed)
        self.playing.resume()

    def _begin(self, reply_id: ReplyId, phrases: Sequence[Phrase], wait_ms: int) -> None:
        self._reply = reply = ReplyRecord(reply_id)
        self.replies.append(reply)
        self._audible.set(self._clock.now_ms + wait_ms, lambda: self._play(reply, phrases))

    def _play(self, reply: ReplyRecord, phrases: Sequence[Phrase]) -> None:
        reply.audible_ms = self._clock.now_ms
        self._progress.set(self._clock.now_ms + PROGRESS_EVERY_MS, self._progressed)
        self.playing.play(phrases)
        self._tell(ReplyAudible(reply.reply_id))

    def _progressed(self) -> None:
        if self._reply is not None:
            self._progress.set(self._clock.now_ms + PROGRESS_EVERY_MS, self._progressed)
            self._tell(ReplyProgressed(self._reply.reply_id))

    def _play_finished(self) -> None:
        self._progress.cancel()
        if (reply := self._reply) is not None:  # else it was stopped within its last words
            self._reply = None
            reply.finished = True
            self._tell(ReplyFinished(reply.reply_id))

    def _making_ms(self) -> int:
        parts = (self._latencies.first_token, self._latencies.first_clause, self._latencies.first_audio)
        return sum(part.ms(self._rng) for part in parts)

    # ---- drafts -------------------------------------------------------------------------------

    def start_draft(self, action: StartDraft) -> None:
        """Prepare a reply privately."""
        first_token_ms = self._clock.now_ms + self._latencies.first_token.ms(self._rng)
        clause_ms = first_token_ms + self._latencies.first_clause.ms(self._rng)
        ready_ms = clause_ms + self._latencies.first_audio.ms(self._rng)
        draft = DraftRecord(action.reply_id, first_token_ms, clause_ms, ready_ms)
        self.drafts.append(draft)
        self._draft = draft, plan_turn(self._texts)

    def discard_draft(self, action: DiscardDraft) -> None:
        """Stop working on it."""
        if self._draft is not None and self._draft[0].reply_id == action.reply_id:
            self._settle(*self._draft, promoted=False)

    def _settle(self, draft: DraftRecord, phrases: Sequence[Phrase], *, promoted: bool) -> None:
        """A draft ends; its cost is what was done of it by now."""
        self._draft = None
        spoken_ms = sum(phrase.duration_ms for phrase in phrases)
        words = spoken_ms / 60_000 * load_baseline().rates[RateName.WORDS_PER_MIN].pooled
        written_ms = max(self._clock.now_ms - draft.first_token_ms, 0)
        draft.promoted = promoted
        draft.tokens = round(min(words * TOKENS_PER_WORD, written_ms / 1000 * self._latencies.tokens_per_s))
        has_clause = self._clock.now_ms >= draft.clause_ms
        draft.characters = round(min(words * CHARACTERS_PER_WORD, FIRST_CLAUSE_CHARACTERS)) if has_clause else 0
        settled = DraftSettled(draft.reply_id, promoted, draft.tokens, draft.characters)
        self._clock.at(self._clock.now_ms, lambda _: self._tell(settled))
