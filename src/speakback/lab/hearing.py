"""What a server hears of the user: edges of voice, scores of pauses, transcripts; each late, and at times wrong."""

from collections.abc import Callable
from random import Random

from speakback.lab.clock import Clock, Timer
from speakback.lab.evidence import (
    MIN_SILENCE_MS,
    MIN_SPEECH_MS,
    OFFSET_SEEN_MS,
    ONSET_SEEN_MS,
    SHORT_MS,
    Evidence,
)
from speakback.lab.latencies import Latencies
from speakback.lab.personas import Persona
from speakback.lab.voice import Stretch
from speakback.timebase import TurnId
from speakback.turn.actions import CommitTurn, ExaminePause, OpenTurn
from speakback.turn.events import (
    EchoJudged,
    EndOfTurnScored,
    Event,
    OverlapHeard,
    PauseTranscribed,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.words import Repair

ECHO_JUDGED_MS = 250
"""Into a voice over the agent's, its level tells whether it is the agent's own (`python -m benchmarks echo`: within 300
ms of 9 in 10 users as loud as the echo, and of all who are louder)."""
PARTIAL_EVERY_MS = 500
"""Of new speech, the words so far are read again."""


class Hearing:
    """Listens to the user's voice and to the noises of their room, and tells the core."""

    def __init__(
        self,
        clock: Clock,
        evidence: Evidence,
        latencies: Latencies,
        persona: Persona,
        rng: Random,
        *,
        tell: Callable[[Event], None],
        agent_is_heard: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._evidence = evidence
        self._latencies = latencies
        self._persona = persona
        self._rng = rng
        self._tell = tell
        self._agent_is_heard = agent_is_heard
        self._edge = Timer(clock)
        self._partial = Timer(clock)
        self._sounding: list[Stretch] = []
        """What the VAD can hear at present."""
        self._latest: Stretch | None = None
        """What it heard last."""
        self._reading = 0.0
        """Chance, drawn for each stretch, of how its words are read."""
        self._voiced = False
        self._turn_id: TurnId | None = None
        self._turn_has_words = False
        self._turn_repair = Repair.DROP
        self._transcript_ms = 0
        """When the transcript of the latest pause is there."""

    # ---- voices -------------------------------------------------------------------------------

    def voice_began(self, stretch: Stretch) -> None:
        """Something begins to sound; the VAD is sure of it a little later."""
        is_short = stretch.due_ms - stretch.start_ms < SHORT_MS
        if is_short and self._rng.random() < self._persona.unheard:
            return
        self._sounding.append(stretch)
        self._latest = stretch
        if self._persona.echo:
            self._clock.at(self._clock.now_ms + ECHO_JUDGED_MS, lambda _: self._judge_echo(stretch))
        self._reading = self._rng.random()
        if self._voiced:
            self._edge.cancel()  # a silence too short to be one
            self._note_words(stretch)
        elif len(self._sounding) == 1:
            self._edge.set(self._clock.now_ms + ONSET_SEEN_MS.ms(self._rng), self._voice_started)

    def voice_ended(self, stretch: Stretch) -> None:
        """Something falls silent."""
        if stretch not in self._sounding:
            return
        self._sounding.remove(stretch)
        if self._sounding:
            return
        if self._voiced:
            self._edge.set(self._clock.now_ms + OFFSET_SEEN_MS.ms(self._rng), self._voice_stopped)
        else:
            self._edge.cancel()  # too short to be speech

    def _voice_started(self) -> None:
        self._voiced = True
        stretch = self._sounding[-1]
        echo = self._evidence.echo(stretch) if self._persona.echo else None
        if self._turn_id is not None:
            self._note_words(stretch)
        now_ms = self._clock.now_ms
        if self._agent_is_heard():
            self._partial.set(now_ms - MIN_SPEECH_MS + PARTIAL_EVERY_MS, self._read_partial)
        self._tell(SpeechStarted(now_ms - MIN_SPEECH_MS, echo))

    def _voice_stopped(self) -> None:
        self._voiced = False
        self._partial.cancel()
        self._tell(SpeechStopped(self._clock.now_ms - MIN_SILENCE_MS))
        self._read_overlap()

    def _note_words(self, stretch: Stretch) -> None:
        self._turn_has_words = self._evidence.has_words(stretch) or self._turn_has_words
        if stretch.repair is not Repair.DROP:
            self._turn_repair = self._evidence.repair(stretch)

    # ---- words over the agent -----------------------------------------------------------------

    def agent_began(self) -> None:
        """The agent's voice begins to sound; words over it matter from now on."""
        if self._voiced and not self._partial.is_set:
            self._partial.set(self._clock.now_ms + PARTIAL_EVERY_MS, self._read_partial)

    def _read_partial(self) -> None:
        if self._agent_is_heard():
            self._read_overlap()
            self._partial.set(self._clock.now_ms + PARTIAL_EVERY_MS, self._read_partial)

    def _read_overlap(self) -> None:
        stretch, turn_id = self._latest, self._turn_id
        if stretch is None or turn_id is None or not self._agent_is_heard():
            return
        spoken_ms = (self._clock.now_ms if stretch.end_ms is None else stretch.end_ms) - stretch.start_ms
        words = self._evidence.heard_words(stretch, spoken_ms, self._reading)
        if words is not None:
            self._later(self._latencies.transcript.ms(self._rng), OverlapHeard(turn_id, words))
        self._judge_echo(stretch)

    def _judge_echo(self, stretch: Stretch) -> None:
        if self._persona.echo and self._turn_id is not None and self._agent_is_heard():
            self._tell(EchoJudged(self._turn_id, self._evidence.echo(stretch)))

    # ---- what the core asks for ---------------------------------------------------------------

    def open_turn(self, action: OpenTurn) -> None:
        """The voice that is heard opens a turn."""
        self._turn_id = action.turn_id
        self._turn_has_words, self._turn_repair = False, Repair.DROP
        if self._latest is not None:
            self._note_words(self._latest)

    def examine_pause(self, action: ExaminePause) -> None:
        """Score the pause and transcribe what came before it."""
        stretch = self._latest
        assert stretch is not None, "a pause comes after voice"
        score = self._evidence.end_of_turn(stretch, self._persona.open_ended)
        scored = EndOfTurnScored(action.turn_id, action.pause, score.probability, score.unfinished)
        self._later(self._latencies.end_of_turn.ms(self._rng), scored)
        wait_ms = self._latencies.transcript.ms(self._rng)
        self._transcript_ms = self._clock.now_ms + wait_ms
        self._later(wait_ms, PauseTranscribed(action.turn_id, action.pause, self._turn_has_words))

    def commit_turn(self, action: CommitTurn) -> None:
        """Bring the final transcript; it is that of the pause, unless the user is still speaking."""
        wait_ms = self._latencies.transcript.ms(self._rng) if self._voiced else self._transcript_ms - self._clock.now_ms
        self._later(max(wait_ms, 1), TurnTranscribed(action.turn_id, self._turn_has_words, self._turn_repair))
        self.close_turn(action.turn_id)

    def close_turn(self, turn_id: TurnId) -> None:
        """The turn is over, or forgotten. Voice that goes on is noticed as new."""
        if turn_id != self._turn_id:
            return
        self._turn_id = None
        if self._voiced and self._sounding:
            self._voiced = False
            self._partial.cancel()
            self._edge.set(self._clock.now_ms + MIN_SPEECH_MS, self._voice_started)
        elif self._voiced:
            self._voiced = False
            self._edge.cancel()

    # ---- within -------------------------------------------------------------------------------

    def _later(self, wait_ms: int, event: Event) -> None:
        self._clock.at(self._clock.now_ms + wait_ms, lambda _: self._tell(event))
