"""A simulated person: speaks, pauses, listens, and reacts to what is audible of the other, as people do.

Durations, rates and shares are drawn from the human baseline (`draws.py`), through the person's place in it
(`personas.py`). A person hears the other's voice, and hears coming when a stretch will end; they know nothing else of
the other side. Two such persons can talk with each other: that conversation is the ceiling of this model.
"""

from collections import deque
from enum import Enum
from random import Random

from speakback.evaluate.baseline import Quantity
from speakback.lab.clock import Clock, Timer
from speakback.lab.draws import answer_draw, draw_of, habits
from speakback.lab.impulses import Impulses, impulses_of
from speakback.lab.personas import Persona
from speakback.lab.turn_plans import Phrase, plan_spelling, plan_turn, with_correction
from speakback.lab.voice import After, Sound, Stretch, Voice
from speakback.turn.words import Repair

SIMULTANEOUS_MS = 200
"""Who began this long ago was not heard yet: both start at once."""
ENDING_MS = 500
"""Who speaks into the other's last words does not contend for the floor (the baseline's terminal overlap)."""
HALTING = 0.2
"""Share of interruptions that tell the other to stop ("wait"). Assumption."""
REPHRASE, RESUME = 0.15, 0.05
"""Shares of interruptions that ask to hear it again, and that give the floor back. Assumptions; people ask for repair
every 1.4 minutes (Dingemanse 2015), mostly without interrupting."""
PATIENCE_MS = (3000, 8000)
"""How long an answer is waited for until one speaks again. Assumption: gaps over 2 s are rarer than 1 in 100 among
people, so the baseline does not say."""

BROKEN_OFF_BEYOND = 0.9
"""Who did not ask for the floor waits for longer than this share of people's pauses (1.0 s) until they hold it to be
theirs because the other fell silent in the midst of a word. Assumption."""


class Stance(Enum):
    """What a person is doing."""

    LISTENING = "listening"
    """The other has the floor."""
    SPEAKING = "speaking"
    PAUSING = "pausing"
    """Within a turn."""
    WAITING = "waiting"
    """For an answer to a turn that is over."""


class Person:
    """One side of a conversation. `rng` is theirs alone."""

    def __init__(self, clock: Clock, persona: Persona, rng: Random) -> None:
        self.persona = persona
        self.voice = Voice(clock)
        self.stance = Stance.LISTENING
        self.turns_said = 0
        """Turns said to their ends, with an answer due."""
        self.turns_unanswered = 0
        """Of these, those after which patience ran out."""
        self._clock = clock
        self._rng = rng
        self._plans = Random(rng.getrandbits(64))
        self._impulses: Impulses = impulses_of(persona, rng)
        self._other: Stretch | None = None
        """What of the other sounds now."""
        self._unsaid: deque[Phrase] = deque()
        self._interrupts = False
        self._next_step = Timer(clock)
        self._contention = Timer(clock)
        self._interruption = Timer(clock)
        self._backchannel = Timer(clock)
        self._backchannel_end = Timer(clock)

    def open_conversation(self, at_ms: int) -> None:
        """Say the first turn then."""
        self._next_step.set(at_ms, self._take_floor)

    # ---- hearing the other --------------------------------------------------------------------

    def voice_began(self, stretch: Stretch) -> None:
        """The other begins to sound. A backchannel asks for nothing."""
        if stretch.sound is not Sound.SPEECH:
            return
        self._other = stretch
        if self.stance is Stance.SPEAKING:
            self._contend(stretch, began_second=False)
        elif self.stance is not Stance.PAUSING:
            self._listen(stretch)

    def voice_ended(self, stretch: Stretch) -> None:
        """The other falls silent."""
        if stretch.sound is not Sound.SPEECH:
            return
        self._other = None
        if self.stance is not Stance.LISTENING:
            return
        self._interruption.cancel()
        if stretch.after is After.BREAK_OFF:  # nobody heard that coming
            self._backchannel.cancel()
            wait_ms = draw_of(Quantity.PAUSE).late_ms(self._rng, BROKEN_OFF_BEYOND)
            self._next_step.set(self._clock.now_ms + wait_ms, self._take_floor)
        elif stretch.after is After.GO_ON:
            self._next_step.set(self._clock.now_ms + self._rng.randint(*PATIENCE_MS), self._take_floor)
            if (at_ms := self._impulses.entry_after(stretch, self._rng)) is not None:
                self._interruption.set(at_ms, self._enter_pause)
            if (at_ms := self._impulses.backchannel_after(stretch, self._rng)) is not None:
                self._plan_backchannel(at_ms)

    def _listen(self, stretch: Stretch) -> None:
        self.stance = Stance.LISTENING
        self._next_step.cancel()
        self._interruption.cancel()
        if stretch.is_last:
            self._next_step.set(self._answer_ms(stretch), self._take_floor)
        if (at_ms := self._impulses.interruption_in(stretch, self._rng)) is not None:
            self._interruption.set(at_ms, self._interrupt)
        if (at_ms := self._impulses.backchannel_in(stretch, self._rng)) is not None:
            self._plan_backchannel(at_ms)

    def _answer_ms(self, stretch: Stretch) -> int:
        """When to answer a turn that ends with this stretch: never before it could be heard."""
        heard_ms = max(stretch.start_ms + SIMULTANEOUS_MS, self._clock.now_ms)
        return max(heard_ms, stretch.due_ms + answer_draw(stretch.act).ms(self._rng))

    # ---- while listening ----------------------------------------------------------------------

    def _plan_backchannel(self, at_ms: int) -> None:
        if not self._backchannel.is_set:
            self._backchannel.set(at_ms, self._say_backchannel)

    def _say_backchannel(self) -> None:
        if self.stance is not Stance.LISTENING or self.voice.stretch is not None:
            return
        now_ms = self._clock.now_ms
        duration_ms = draw_of(Quantity.BACKCHANNEL_DURATION).ms(self._rng)
        self.voice.begin(Stretch(Sound.BACKCHANNEL, now_ms, now_ms + duration_ms))
        self._backchannel_end.set(now_ms + duration_ms, self.voice.end)

    def _interrupt(self) -> None:
        if self.stance is Stance.LISTENING and self._other is not None:
            self._interrupts = True
            self._take_floor()

    def _enter_pause(self) -> None:
        if self.stance is Stance.LISTENING and self._other is None:
            self._take_floor()

    # ---- speaking -----------------------------------------------------------------------------

    def _take_floor(self) -> None:
        """Say a turn, or what is left of one that was given up."""
        if self.stance is Stance.WAITING:
            self.turns_unanswered += 1
        if not self._unsaid:
            self._unsaid.extend(self._planned())
        self._interruption.cancel()
        self._backchannel.cancel()
        self._backchannel_end.cancel()  # the turn follows on its heels
        self._say()

    def _planned(self) -> list[Phrase]:
        persona, rng = self.persona, self._plans
        if rng.random() < persona.spelling:
            return plan_spelling(rng)
        phrases = plan_turn(rng, pause_stretch=persona.pause_stretch, open_ended=persona.open_ended)
        return with_correction(phrases, rng) if rng.random() < persona.corrections else phrases

    def _say(self) -> None:
        phrase, now_ms = self._unsaid[0], self._clock.now_ms
        stretch = Stretch(
            Sound.SPEECH,
            now_ms,
            now_ms + phrase.duration_ms,
            after=After.GO_ON if len(self._unsaid) > 1 else After.END,
            act=phrase.act,
            unfinished=phrase.unfinished,
            seems_final=phrase.seems_final,
        )
        if self.stance is not Stance.PAUSING:
            self._word(stretch)
        self.stance = Stance.SPEAKING
        self._next_step.set(stretch.due_ms, self._phrase_over)
        self.voice.begin(stretch)
        if self._other is not None and self.stance is Stance.SPEAKING:
            self._contend(self._other, began_second=True)

    def _word(self, stretch: Stretch) -> None:
        """How the turn that begins with this stretch begins."""
        rng = self._rng
        if self._interrupts:
            self._interrupts = False
            stretch.halts = rng.random() < HALTING
            chance = rng.random()
            if chance < REPHRASE + RESUME:
                stretch.repair = Repair.REPHRASE if chance < REPHRASE else Repair.RESUME
        if not stretch.halts and rng.random() < habits().listener_openers:
            stretch.opener_ms = draw_of(Quantity.BACKCHANNEL_DURATION).ms(rng)

    def _phrase_over(self) -> None:
        phrase = self._unsaid.popleft()
        self._contention.cancel()
        self.voice.end()
        now_ms = self._clock.now_ms
        if self._unsaid and self._other is None:
            self.stance = Stance.PAUSING
            self._next_step.set(now_ms + phrase.pause_ms, self._go_on)
            return
        if not self._unsaid:
            self.turns_said += 1
        if self._other is not None:
            self._listen(self._other)
        else:
            self.stance = Stance.WAITING
            self._next_step.set(now_ms + self._rng.randint(*PATIENCE_MS), self._take_floor)

    def _go_on(self) -> None:
        """The pause is over. If the other has come in meanwhile, the floor is theirs as often as among people."""
        other = self._other
        if (
            other is not None
            and self._clock.now_ms - other.start_ms > SIMULTANEOUS_MS
            and self._rng.random() < habits().floor_taken
        ):
            self._listen(other)
        else:
            self._say()

    # ---- both at once -------------------------------------------------------------------------

    def _contend(self, other: Stretch, *, began_second: bool) -> None:
        """Who gives way, and when. The other's backchannels and last words are no contest."""
        own = self.voice.stretch
        now_ms = self._clock.now_ms
        if own is None:
            return
        first = other if began_second else own
        if first.is_last and first.due_ms - now_ms <= ENDING_MS:
            return
        if now_ms - first.start_ms <= SIMULTANEOUS_MS:
            gives_way, after = self._rng.random() < 0.5, Quantity.COLLISION
        else:
            gives_way, after = began_second or self._rng.random() < habits().floor_taken, Quantity.YIELD_TIME
        if gives_way:
            self._contention.set(now_ms + draw_of(after).ms(self._rng), self._give_way)

    def _give_way(self) -> None:
        own, other = self.voice.stretch, self._other
        if self.stance is not Stance.SPEAKING or own is None or other is None:
            return
        phrase = self._unsaid.popleft()
        left_ms = max(own.due_ms - self._clock.now_ms, 300)
        self._unsaid.appendleft(Phrase(left_ms, phrase.pause_ms, phrase.act, phrase.unfinished))
        own.after, own.act = After.BREAK_OFF, None
        self._next_step.cancel()
        self.voice.end()
        self._listen(other)
