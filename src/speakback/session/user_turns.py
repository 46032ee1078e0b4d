"""The user's side of a session: from audio to turns, their transcripts, and the evidence that they are over.

The counterpart of `replies.py`. The turn core decides when a turn opens, pauses and ends; the driver
calls the methods of the same name here, and what is found out goes back as events.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from speakback.audio.pcm import Samples, samples_from_pcm16
from speakback.providers.errors import ProviderError
from speakback.providers.stt import Passes, Transcript
from speakback.providers.urgency import Urgency
from speakback.session import notices as n
from speakback.session.ears import Ears, HeardEdge
from speakback.session.echo import EchoGuard
from speakback.session.history import History
from speakback.session.items import MessageItem
from speakback.session.pause_scores import Pause, PauseScores
from speakback.session.ports import Ports
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import AwaitedSpeech
from speakback.session.turn_audio import TurnAudio
from speakback.session.user_turn import UserTurn
from speakback.timebase import EAR_HZ, TurnId, ms_to_samples, samples_to_ms
from speakback.turn import events as ev
from speakback.turn.actions import DropReason
from speakback.turn.barge_in import Verdict
from speakback.turn.echo_text import echoes
from speakback.turn.left_open import AwaitedTurn
from speakback.turn.reading import heard_words, repair_wanted, unfinished
from speakback.turn.scoring import Spared, needs_score
from speakback.turn.words import HeardWords
from speakback.vad.hysteresis import VoiceStarted

UNKNOWN_ECHO = 0.5
"""Where the level does not tell: what was told before no longer counts."""
ECHO_STEP = 0.1
"""A change of the echo's likelihood that the core is told of."""
TELLING_WORDS = 3
"""While no echo was found in this session, fewer words than this that are the agent's may be the user's as well."""
TURNS_REMEMBERED = 16
"""Turns kept after their transcript came."""


class UserTurns:
    """The open turn, those whose transcripts are under way, and a few that ended."""

    def __init__(
        self,
        history: History,
        ports: Ports,
        *,
        settings: Callable[[], SessionSettings],
        overheard: Callable[[str], None],
        being_said: Callable[[], str],
        position: int = 0,
    ) -> None:
        self._history = history
        self._settings = settings
        self._ports = ports
        self._overheard = overheard
        """Told what the user has said so far of a turn that is still open."""
        self._being_said = being_said
        """What the agent says at present or said last, as far as it went out."""
        self.echo = EchoGuard()
        self.ears = Ears(
            ports.engines().vad,
            settings().hearing,
            self.echo,
            on_edge=self._on_edge,
            on_frame=self._on_frame,
            position=position,
        )
        self._scores = PauseScores(ports, settings=settings, scored=self._weigh_sound)
        self._turns: dict[TurnId, UserTurn] = {}
        self._transcribed: deque[TurnId] = deque()
        self._open: UserTurn | None = None
        self._unfinished = 0
        self._awaited: dict[TurnId, UserTurn] = {}
        """Those that are over and wait for their transcripts."""
        self._newest: UserTurn | None = None
        """The last turn that was transcribed, until a reply begins."""
        self._edge = 0
        """Position of the last start or stop of voice."""
        self._turn_end = 0
        """Position at which the last turn ended; a new one does not reach back before it."""
        self.last_turn_id = TurnId(0)
        """The latest turn that the core has begun."""

    @property
    def unfinished(self) -> int:
        """How many turns wait for their transcripts."""
        return self._unfinished

    def answered_by(self, turn_id: TurnId | None) -> UserTurn | None:
        """The turn that a reply answers: the one named, or for a client's request the newest, if nothing did yet."""
        newest, self._newest = self._newest, None
        return newest if turn_id is None else self._turns.get(turn_id)

    def awaited(self, turns: Iterable[AwaitedTurn]) -> tuple[AwaitedSpeech, ...]:
        """The sound of those turns, which wait for their transcripts."""
        return tuple(self._awaited[turn.turn_id].as_awaited() for turn in turns)

    def unsettled_sound(self, at_most_ms: int) -> Samples:
        """What was heard and belongs to no turn that is over: the open turn, or the moment before one; its end."""
        audio, turn = self.ears.audio, self._open
        start = self._turn_end
        if turn is not None:
            start = audio.end if turn.began_as_echo and not turn.is_announced else turn.start
        return audio.slice(max(start, audio.end - ms_to_samples(at_most_ms, EAR_HZ)), audio.end)

    def read_again(self, turns: Iterable[AwaitedTurn], speech: Iterable[AwaitedSpeech]) -> None:
        """Turns of an earlier connection wait for their transcripts: read them from the beginning."""
        for waiting, kept in zip(turns, speech, strict=True):
            audio = TurnAudio()
            audio.append(samples_from_pcm16(kept.pcm16))
            onset = audio.end - round(kept.seconds * EAR_HZ)
            turn = self._made(waiting.turn_id, kept.item_id, audio, onset=onset, start=0, text_before=kept.text_before)
            turn.is_announced = True
            turn.marks.committed_ms = self._ports.now_ms()
            self._await(turn, turn.transcribed_to(audio.end, Urgency.COMMITTED), kept.seconds)

    def knows(self, turn_id: TurnId) -> bool:
        """Whether the turn was not dropped."""
        return turn_id in self._turns

    # ---- what the core decided ----------------------------------------------------------------

    def open(self, turn_id: TurnId) -> None:
        """A turn begins at the voice that was just heard; the client learns of it by `announce`."""
        turn = self._open = self._new(turn_id, self._edge)
        now_ms = self._ports.now_ms()
        likelihood = self.echo.likelihood(now_ms)
        is_likely = likelihood is not None and likelihood >= self._settings().turn.overlap.echo_at
        turn.began_as_echo = is_likely or self.echo.lingers(now_ms)
        self.ears.kept_from = turn.start

    def announce(self, turn_id: TurnId) -> None:
        """Tell the client of the turn, and of what is certain of its words already."""
        turn = self._turns[turn_id]
        turn.is_announced = True
        self._ports.notify(n.UserSpeechStarted(turn.item_id, samples_to_ms(turn.onset, EAR_HZ)))
        if turn.agreed.text and self._settings().transcribes:
            self._ports.notify(n.TranscriptGrew(turn.item_id, turn.agreed.text))

    def judged(self, turn_id: TurnId, verdict: Verdict, after_ms: int) -> None:
        """Speech over the agent was taken for something."""
        turn = self._turns[turn_id]
        onset_ms = samples_to_ms(turn.onset, EAR_HZ)
        self._ports.notify(n.OverlapJudged(turn.item_id, verdict.value, onset_ms, after_ms))
        self._ports.log.info("overlap judged", turn_id=turn_id, verdict=verdict.value, after_ms=after_ms)

    def words_so_far(self, turn_id: TurnId) -> str:
        """What was read of an open turn up to its present pause."""
        return self._turns[turn_id].pause_text

    def examine_pause(self, turn_id: TurnId, pause: int, end_ms: int) -> None:
        """The voice fell silent: transcribe and score the turn up to there."""
        turn = self._turns[turn_id]
        turn.marks.speech_ended_ms = end_ms
        turn.begin_pause(pause)
        is_over_agent = not turn.is_announced
        silence = Pause(pause, self._edge, end_ms)
        if not is_over_agent:
            self._scores.ask(turn, silence)
        if is_over_agent or self._ports.engines().stt.passes >= Passes.AT_PAUSES:  # over the agent, words must judge
            reading = turn.transcribed_to(self._edge)
            self._ports.spawn(self._weigh_words(turn, silence, reading, is_over_agent=is_over_agent))

    def go_on(self, turn_id: TurnId) -> None:
        """The voice came back."""
        turn = self._turns[turn_id]
        turn.marks.speech_ended_ms = None
        self._scores.drop()
        turn.go_on()

    def commit(self, turn_id: TurnId, late_ms: int) -> None:
        """The turn is over. `late_ms` is by how much the deadline that ended it was overrun."""
        turn = self._turns.get(turn_id)
        detected = turn is not None
        if turn is None:
            turn = self._new(turn_id, self.ears.audio.start)
        end = self._end_of_voice() if detected else self.ears.audio.end
        turn.marks.committed_ms = self._ports.now_ms()
        if turn.marks.speech_ended_ms is not None:
            turn.marks.endpoint_due_ms = turn.marks.committed_ms - late_ms
        self._open, self._turn_end = None, end
        self._scores.drop()
        final = turn.transcribed_to(end, Urgency.COMMITTED)
        self.ears.forget()
        if detected and turn.is_announced:
            self._ports.notify(n.UserSpeechStopped(turn.item_id, samples_to_ms(end, EAR_HZ)))
        item = MessageItem(turn.item_id, "user", "", spoken=True, status="in_progress")
        previous = self._history.add(item)
        self._ports.notify(n.InputBufferCommitted(turn.item_id, previous))
        self._ports.notify(n.ItemAdded(item, previous))
        self._await(turn, final, samples_to_ms(end - turn.onset, EAR_HZ) / 1000)

    def drop(self, turn_id: TurnId, reason: DropReason) -> None:
        """The turn is to be forgotten."""
        turn = self._turns.pop(turn_id)
        turn.drop_pass()
        if self._open is turn:
            self._open = None
            self._scores.drop()
            if reason is not DropReason.CLEARED:  # then the client's order clears the ears as well
                self._turn_end = self._end_of_voice()
                self.ears.forget()
        if self._history.has(turn.item_id):
            self._history.delete(turn.item_id)
            self._ports.notify(n.ItemDeleted(turn.item_id))

    def _end_of_voice(self) -> int:
        """The position up to which the open turn was voiced."""
        return self.ears.audio.end if self.ears.voiced else self._edge

    # ---- what is heard ------------------------------------------------------------------------

    def _on_edge(self, heard: HeardEdge) -> None:
        self._edge = heard.edge.sample
        if isinstance(heard.edge, VoiceStarted):
            self._ports.happened(ev.SpeechStarted(heard.at_ms, self.echo.likelihood(self._ports.now_ms())))
        else:
            self._ports.happened(ev.SpeechStopped(heard.at_ms))

    def _on_frame(self, silence_ahead_ms: int) -> None:
        turn = self._open
        if turn is None:
            return
        if not turn.is_announced or turn.began_as_echo:
            self._judge_echo(turn)
        if silence_ahead_ms:
            self._ports.happened(ev.SilenceObserved(silence_ahead_ms))
        elif self.ears.voiced and self._ports.engines().stt.passes >= Passes.WHILE_SPEAKING:
            position = self.ears.audio.end
            if turn.due_for_partial(position, self._settings().hearing.partial_interval_ms):
                urgency = Urgency.PARTIAL if turn.is_announced else Urgency.PAUSE  # over the agent, words must judge
                self._ports.spawn(self._read_partial(turn, turn.transcribed_to(position, urgency)))

    def _judge_echo(self, turn: UserTurn) -> None:
        likelihood = self.echo.likelihood(self._ports.now_ms())
        echo = UNKNOWN_ECHO if likelihood is None else likelihood
        if abs(echo - turn.echo) >= ECHO_STEP:
            turn.echo = echo
            self._ports.happened(ev.EchoJudged(turn.turn_id, echo))

    # ---- what is found out --------------------------------------------------------------------

    async def _read_partial(self, turn: UserTurn, reading: "asyncio.Task[Transcript]") -> Transcript | None:
        """Wait for a pass over an open turn; None if it was dropped or failed (the last pass decides that)."""
        await asyncio.wait([reading])
        if reading.cancelled() or turn.turn_id not in self._turns:
            return None
        problem = reading.exception()
        if problem is not None:
            self._ports.log.warning("a partial transcription failed", problem=type(problem).__name__)
            return None
        transcript = reading.result()
        grown = turn.agreed.push(transcript.text)
        if not turn.is_announced:
            self._ports.happened(ev.OverlapHeard(turn.turn_id, self._heard(turn, transcript.text)))
        if grown and turn.is_announced and self._settings().transcribes:
            self._ports.notify(n.TranscriptGrew(turn.item_id, grown))
        if transcript.text and self._open is turn:
            self._overheard(transcript.text)
        return transcript

    def _weigh_sound(self, turn: UserTurn, pause: int, acoustic: float) -> None:
        self._weigh(turn, pause, turn.weigh(pause, acoustic=acoustic))

    async def _weigh_words(
        self, turn: UserTurn, pause: Pause, reading: "asyncio.Task[Transcript]", *, is_over_agent: bool
    ) -> None:
        transcript = await self._read_partial(turn, reading)
        if transcript is None:
            return
        self._weigh(turn, pause.number, turn.weigh(pause.number, text=transcript.text))
        self._ports.happened(ev.PauseTranscribed(turn.turn_id, pause.number, bool(transcript.text)))
        if self._open is not turn or self.ears.voiced or not turn.pauses_at(pause.number):
            return
        if not is_over_agent:
            self._scores.words_came(turn, pause, unfinished(transcript.text))
        elif needs_score(self._heard(turn, transcript.text)):
            self._scores.ask(turn, pause)
        else:
            self._scores.spare(turn, pause, Spared.WORDS)

    def _weigh(self, turn: UserTurn, pause: int, probability: float | None) -> None:
        if probability is not None:
            self._ports.happened(ev.EndOfTurnScored(turn.turn_id, pause, probability, unfinished(turn.pause_text)))

    def _heard(self, turn: UserTurn, text: str) -> HeardWords:
        """What words over the agent are."""
        return HeardWords.ECHO if self._is_echo(turn, text) else heard_words(text)

    def _is_echo(self, turn: UserTurn, text: str) -> bool:
        """Whether they are the agent's own, come back through a loudspeaker, and not the user's in answer to them."""
        is_someone_else = turn.echo < self._settings().turn.overlap.not_echo_below
        if (turn.is_announced and not turn.began_as_echo) or is_someone_else:
            return False
        few = len(text.split()) < TELLING_WORDS
        return not (few and self.echo.path is None) and echoes(text, self._being_said())

    def _await(self, turn: UserTurn, reading: "asyncio.Task[Transcript]", seconds: float) -> None:
        self._unfinished += 1
        self._awaited[turn.turn_id] = turn
        self._ports.spawn(self._finish(turn, reading, seconds))

    async def _finish(self, turn: UserTurn, reading: "asyncio.Task[Transcript]", seconds: float) -> None:
        try:
            await asyncio.wait([reading])
        finally:
            self._unfinished -= 1
        if reading.cancelled():
            return
        self._awaited.pop(turn.turn_id).let_go()
        self._forget_oldest(turn.turn_id)
        problem = reading.exception()
        if problem is not None:
            if self._history.has(turn.item_id):
                self._history.replace(MessageItem(turn.item_id, "user", "", spoken=True, status="incomplete"))
            message = str(problem) if isinstance(problem, ProviderError) else "the server failed to transcribe"
            self._ports.notify(n.TranscriptFailed(turn.item_id, message))
            self._ports.notify(n.Fault("transcription_failed", message, by_client=False))
            self._ports.happened(ev.TranscriptionFailed(turn.turn_id))
            return
        transcript = reading.result()
        turn.marks.transcribed_ms = self._ports.now_ms()
        turn.confidence = transcript.confidence
        self._newest = turn
        if transcript.rejected is not None:
            self._ports.log.info("a transcript was rejected", turn_id=turn.turn_id, reason=transcript.rejected)
        if self._history.has(turn.item_id):
            self._history.replace(MessageItem(turn.item_id, "user", transcript.text, spoken=True))
        if self._settings().transcribes:
            self._ports.notify(n.TranscriptCompleted(turn.item_id, transcript.text, seconds, transcript.confidence))
        repair = repair_wanted(transcript.text)
        has_words = bool(transcript.text) and not self._is_echo(turn, transcript.text)
        self._ports.happened(ev.TurnTranscribed(turn.turn_id, has_words, repair))

    def _new(self, turn_id: TurnId, onset: int) -> UserTurn:
        preroll = ms_to_samples(self._settings().hearing.preroll_ms, EAR_HZ)
        start = max(onset - preroll, self._turn_end, self.ears.audio.start)
        return self._made(turn_id, self._ports.new_id("item"), self.ears.audio, onset=onset, start=start)

    def _made(
        self, turn_id: TurnId, item_id: str, audio: TurnAudio, *, onset: int, start: int, text_before: str = ""
    ) -> UserTurn:
        engines = self._ports.engines()
        turn = UserTurn(
            turn_id,
            item_id,
            audio,
            onset=onset,
            start=start,
            stt=engines.stt,
            end_of_turn=engines.end_of_turn,
            language=self._settings().language,
            spawn=self._ports.spawn,
            text_before=text_before,
        )
        self._turns[turn_id] = turn
        self.last_turn_id = turn_id
        return turn

    def _forget_oldest(self, transcribed: TurnId) -> None:
        self._transcribed.append(transcribed)
        if len(self._transcribed) > TURNS_REMEMBERED:
            self._turns.pop(self._transcribed.popleft(), None)
