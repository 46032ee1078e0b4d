"""What reaches the core, when, and that it is caused by what sounded."""

from random import Random

import pytest

from speakback.lab.clock import Clock
from speakback.lab.evidence import Evidence
from speakback.lab.hearing import Hearing
from speakback.lab.latencies import HOSTED
from speakback.lab.personas import EVERYDAY, Persona
from speakback.lab.voice import After, Sound, Stretch, Voice
from speakback.timebase import TurnId
from speakback.turn.actions import CommitReason, CommitTurn, ExaminePause, OpenTurn
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

ATTENTIVE = Persona("attentive", unheard=0.0)
TURN = TurnId(1)


class Line:
    """A voice, a hearing, and what it told."""

    def __init__(self, seed: int = 1, persona: Persona = ATTENTIVE, *, agent_is_heard: bool = False) -> None:
        self.clock = Clock()
        self.voice = Voice(self.clock)
        self.told: list[tuple[int, Event]] = []
        self.hearing = Hearing(
            self.clock,
            Evidence(0.88, Random(seed)),
            HOSTED,
            persona,
            Random(seed),
            tell=self._tell,
            agent_is_heard=lambda: agent_is_heard,
        )
        self.voice.is_heard_by(self.hearing)

    def _tell(self, event: Event) -> None:
        self.told.append((self.clock.now_ms, event))
        if isinstance(event, SpeechStarted):
            self.hearing.open_turn(OpenTurn(TURN, event.onset_ms))
        if isinstance(event, SpeechStopped):
            self.hearing.examine_pause(ExaminePause(TURN, 1, event.end_ms))

    def sounds(self, start_ms: int, end_ms: int, sound: Sound = Sound.SPEECH) -> None:
        def begin(_: int) -> None:
            self.voice.begin(Stretch(sound, start_ms, end_ms, after=After.END))
            self.clock.at(end_ms, lambda _: self.voice.end())

        self.clock.at(start_ms, begin)

    def run(self, until_ms: int = 20_000) -> None:
        while (next_ms := self.clock.next_ms) is not None and next_ms < until_ms:
            self.clock.step()

    def of(self, kind: type) -> list[tuple[int, Event]]:
        return [(at_ms, event) for at_ms, event in self.told if isinstance(event, kind)]


@pytest.mark.parametrize("seed", range(20))
def test_edges_are_late_and_dated_back_a_little_late(seed: int) -> None:
    line = Line(seed)
    line.sounds(1000, 3000)
    line.run()
    ((started_ms, started),) = line.of(SpeechStarted)
    ((stopped_ms, stopped),) = line.of(SpeechStopped)
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert 96 <= started_ms - 1000 <= 183
    assert 0 <= started.onset_ms - 1000 <= 87
    assert 155 <= stopped_ms - 3000 <= 234
    assert 27 <= stopped.end_ms - 3000 <= 106


def test_a_click_is_no_speech() -> None:
    line = Line()
    line.sounds(1000, 1090)
    line.run()
    assert line.told == []


def test_a_gap_shorter_than_the_vad_needs_is_no_pause() -> None:
    line = Line()
    line.sounds(1000, 2000)
    line.sounds(2100, 3000)
    line.run()
    assert len(line.of(SpeechStarted)) == 1
    assert len(line.of(SpeechStopped)) == 1


def test_a_pause_is_scored_and_transcribed_later() -> None:
    line = Line()
    line.sounds(1000, 3000)
    line.run()
    ((stopped_ms, _),) = line.of(SpeechStopped)
    ((scored_ms, _),) = line.of(EndOfTurnScored)
    ((read_ms, read),) = line.of(PauseTranscribed)
    assert stopped_ms < scored_ms
    assert stopped_ms < read_ms
    assert isinstance(read, PauseTranscribed)
    assert read.has_words


def test_the_transcript_of_a_turn_is_that_of_its_pause() -> None:
    line = Line()
    line.sounds(1000, 3000)
    line.run()
    ((read_ms, _),) = line.of(PauseTranscribed)
    line.clock.now_ms = read_ms + 100
    line.hearing.commit_turn(CommitTurn(TURN, 3000, CommitReason.ENDPOINT))
    line.run()
    ((final_ms, final),) = line.of(TurnTranscribed)
    assert final_ms == read_ms + 101
    assert isinstance(final, TurnTranscribed)
    assert final.has_words


def test_words_over_the_agent_are_read_each_half_second_and_at_the_pause() -> None:
    line = Line(agent_is_heard=True)
    line.sounds(1000, 3000)
    line.run()
    assert 4 <= len(line.of(OverlapHeard)) <= 5
    assert min(at_ms for at_ms, _ in line.of(OverlapHeard)) > 1500
    assert Line(agent_is_heard=False).of(OverlapHeard) == []


def test_a_turn_that_was_ended_in_the_midst_of_speech_is_followed_by_a_new_one() -> None:
    line = Line()
    line.sounds(1000, 5000)
    line.run(2000)
    line.hearing.commit_turn(CommitTurn(TURN, 2000, CommitReason.TOO_LONG))
    line.run()
    assert len(line.of(SpeechStarted)) == 2
    assert len(line.of(TurnTranscribed)) == 1


def test_the_closing_of_an_earlier_turn_changes_nothing() -> None:
    line = Line()
    line.sounds(1000, 5000)
    line.run(2000)
    line.hearing.close_turn(TurnId(0))
    line.run()
    assert len(line.of(SpeechStarted)) == 1


def test_echo_is_judged_only_where_a_caller_has_any() -> None:
    with_echo = Line(persona=Persona("echo", echo=0.5, unheard=0.0), agent_is_heard=True)
    without = Line(persona=EVERYDAY, agent_is_heard=True)
    for line in (with_echo, without):
        line.sounds(1000, 3000)
        line.run()
    assert with_echo.of(EchoJudged)
    assert not without.of(EchoJudged)
    ((_, started),) = without.of(SpeechStarted)
    assert isinstance(started, SpeechStarted)
    assert started.echo is None


def test_what_is_short_and_faint_is_missed() -> None:
    line = Line(persona=Persona("distant", unheard=1.0))
    line.sounds(1000, 1500)
    line.sounds(4000, 4700)
    line.run()
    assert len(line.of(SpeechStarted)) == 1
