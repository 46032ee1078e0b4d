"""The parts of the benchmark beside a peer that need neither a server nor a peer."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scripted_server
from benchmarks.peers import stubs
from benchmarks.peers.candidates import CANDIDATES, WITH_JSON, Candidate, Mode, Side
from benchmarks.peers.cell import Cell
from benchmarks.peers.clips import NoClips, at_level, find_clips, frames, longest_dip_ms, voiced_extent
from benchmarks.peers.environment import REQUIREMENTS, environment_folder
from benchmarks.peers.figures import BASE_TURNS, Carried, Point, carried, figures
from benchmarks.peers.loop_lag import Lag, summary
from benchmarks.peers.plan import is_hopeless, order
from benchmarks.peers.tables import row, verdict
from benchmarks.peers.talk import FRAME_MS, PATIENCE_MS, SILENCE, Clip, Talk, Turn
from benchmarks.peers.wires import INTERRUPTED, BinaryWire, Heard, JsonWire, RawWire
from speakback.audio.pcm import Samples
from speakback.gateway.binary import AudioFrame, Kind, unpack
from speakback.gateway.realtime.client_events import AudioAppend, SessionUpdate, read
from speakback.session.chunker import ClauseChunker

SPEECH = b"\1" * 640
CLIP = Clip("five frames", (SPEECH,) * 5)
PIPECAT, SPEAKBACK = CANDIDATES[:2]


# ---- one caller's side ----------------------------------------------------------------------------


def hand_over(talk: Talk, from_ms: float, frames: int) -> list[bytes]:
    return [talk.frame(from_ms + n * FRAME_MS) for n in range(frames)]


def first_turn(talk: Talk) -> None:
    """Said from 0 to 80 ms, answered at 500."""
    assert hand_over(talk, 0, 6) == [SPEECH] * 5 + [SILENCE]
    talk.audio(500)


def test_a_clip_is_said_and_answered() -> None:
    talk = Talk([CLIP], first_clip=0, starts_at_ms=0)
    first_turn(talk)
    (turn,) = talk.turns
    assert turn.ttfb_ms == 420  # from the frame with the last sample
    assert turn.barge_in_ms is None


def test_after_two_seconds_of_the_answer_the_caller_cuts_in() -> None:
    talk = Talk([CLIP], first_clip=0, starts_at_ms=0)
    first_turn(talk)
    assert talk.frame(2499) == SILENCE
    assert hand_over(talk, 2500, 5) == [SPEECH] * 5
    talk.audio(2540)
    talk.interrupted(2600)
    talk.audio(2620)  # its fade
    talk.audio(3000)
    turn = talk.turns[1]
    assert (turn.barge_in_ms, turn.ttfb_ms) == (120, 420)
    assert turn.told_ms == 2600


def test_what_goes_on_uninterrupted_is_no_answer() -> None:
    talk = Talk([CLIP], first_clip=0, starts_at_ms=0)
    first_turn(talk)
    hand_over(talk, 2500, 5)
    talk.audio(2700)
    talk.audio(4000)
    turn = talk.turns[1]
    assert (turn.stopped_ms, turn.told_ms, turn.answered_ms) == (4000, None, None)


def test_an_answer_into_the_clip_spoils_the_turn() -> None:
    talk = Talk([CLIP], first_clip=0, starts_at_ms=0)
    hand_over(talk, 0, 3)
    talk.audio(50)
    hand_over(talk, 60, 2)
    talk.audio(600)
    assert talk.turns[0].is_spoiled
    assert talk.turns[0].ttfb_ms is None


def test_without_an_answer_the_caller_goes_on_and_does_not_cut_in() -> None:
    talk = Talk([CLIP], first_clip=0, starts_at_ms=0)
    hand_over(talk, 0, 5)
    assert talk.frame(80 + PATIENCE_MS - 1) == SILENCE
    assert talk.frame(80 + PATIENCE_MS) == SPEECH
    assert [turn.is_barge_in for turn in talk.turns] == [False, False]


def test_one_that_is_ending_waits_for_its_answer_and_begins_nothing() -> None:
    talk = Talk([CLIP], first_clip=0, starts_at_ms=0)
    hand_over(talk, 0, 5)
    talk.is_ending = True
    was_over = talk.is_over
    talk.audio(500)
    assert (was_over, talk.is_over) == (False, True)
    assert talk.frame(9000) == SILENCE
    assert len(talk.turns) == 1


# ---- wires ----------------------------------------------------------------------------------------


def test_our_wires_speak_our_protocol() -> None:
    binary, text = BinaryWire(), JsonWire()
    for opening in (*binary.opening(), *text.opening()):
        assert isinstance(read(opening.encode()), SessionUpdate)
    assert unpack(binary.frame(SPEECH, 7)) == AudioFrame(Kind.USER_AUDIO, 7, SPEECH)
    assert isinstance(read(text.frame(SPEECH, 7).encode()), AudioAppend)


@pytest.mark.parametrize(
    ("wire", "message", "heard"),
    [
        (RawWire(), SPEECH, Heard.AUDIO),
        (RawWire(), INTERRUPTED, Heard.INTERRUPTED),
        (BinaryWire(), SPEECH, Heard.AUDIO),
        (BinaryWire(), json.dumps({"type": "input_audio_buffer.speech_started"}), Heard.INTERRUPTED),
        (BinaryWire(), json.dumps({"type": "response.done"}), Heard.OTHER),
        (JsonWire(), json.dumps({"type": "response.output_audio.delta", "delta": ""}), Heard.AUDIO),
        (JsonWire(), json.dumps({"type": "response.output_audio_transcript.delta", "delta": ""}), Heard.OTHER),
        (JsonWire(), json.dumps({"type": "input_audio_buffer.speech_started"}), Heard.INTERRUPTED),
    ],
)
def test_what_a_message_means(wire: RawWire | BinaryWire | JsonWire, message: bytes | str, heard: Heard) -> None:
    assert wire.heard(message) is heard


# ---- clips ----------------------------------------------------------------------------------------


def tone(ms: int) -> Samples:
    return np.asarray(np.sin(np.arange(16 * ms) * 0.3), np.float32)


def test_a_clip_is_cut_to_what_is_audible() -> None:
    quiet = np.zeros(16 * 100, np.float32)
    assert len(voiced_extent(np.concatenate([quiet, tone(500), quiet]))) == 16 * 500
    assert len(voiced_extent(quiet[:0])) == 0
    assert longest_dip_ms(np.concatenate([tone(200), quiet, tone(200)])) == 100
    assert longest_dip_ms(tone(300)) == 0


def test_clips_have_the_same_level_and_whole_frames() -> None:
    loud = at_level(tone(130))
    assert 10 * np.log10(np.mean(loud**2)) == pytest.approx(-20, abs=0.01)
    assert [len(frame) for frame in frames(loud)] == [640] * 7


def test_a_folder_without_transcripts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoClips, match="no transcripts.json"):
        find_clips(tmp_path)


# ---- figures --------------------------------------------------------------------------------------


def answered(wait_ms: float) -> Turn:
    return Turn(is_barge_in=False, began_ms=0, ended_ms=100, answered_ms=100 + wait_ms)


def cell_of(
    candidate: Candidate = SPEAKBACK,
    sessions: int = 10,
    wait_ms: float = 400,
    late_ms: float = 0,
    lost: str = "",
    turns: int = BASE_TURNS,
) -> Cell:
    still = Lag(p50_ms=0, p99_ms=0, max_ms=0)
    return Cell(
        candidate=candidate, sessions=sessions, turns=(answered(wait_ms),) * turns, window_s=10, server_cores=0.5,
        own_cores=0.1, others_cores=0, idle_bytes=10**8, full_bytes=3 * 10**8, lag=still, joining=still,
        late_ms=(late_ms,) * 100, lost=(lost,) if lost else (),
    )  # fmt: skip


def test_figures_of_a_cell() -> None:
    found = figures(cell_of())
    assert found.ttfb is not None
    assert (found.ttfb.p50, found.ttfb.n, found.barge_in) == (400, BASE_TURNS, None)
    assert (found.cores_per_session, found.bytes_per_session) == (0.05, 2 * 10**7)
    assert found.is_trusted


def test_who_is_never_answered_waited_as_long_as_he_did() -> None:
    waited = Turn(is_barge_in=False, began_ms=0, ended_ms=100)
    found = figures(replace(cell_of(), turns=(waited,)))
    assert found.ttfb is not None
    assert (found.ttfb.p99, found.unanswered) == (PATIENCE_MS, 1)


def test_callers_that_were_late_or_lost_are_not_trusted() -> None:
    assert not figures(cell_of(late_ms=11)).is_trusted
    assert not figures(cell_of(lost="ConnectionError")).is_trusted
    assert "not trusted" in row(cell_of(late_ms=11), figures(cell_of(late_ms=11)))[0]


def test_where_p99_has_risen() -> None:
    base = Point(1, BASE_TURNS, 400)
    assert carried([base, Point(5, 9, 420), Point(10, 9, 580)]) == Carried(base, 7.5, is_reached=True)
    assert carried([base, Point(5, 9, 420), Point(50, 9, 499)]) == Carried(base, 50, is_reached=False)
    assert carried([base]) is None


def test_nothing_is_measured_from_the_p99_of_a_few_turns() -> None:
    assert carried([Point(1, BASE_TURNS - 1, 400), Point(5, 99, 420)]) is None
    few = [cell_of(PIPECAT, 1, turns=5), cell_of(PIPECAT, 10, 600), cell_of(SPEAKBACK, 1), cell_of(SPEAKBACK, 100)]
    assert f"fewer than {BASE_TURNS} turns in the first" in verdict(Mode.VAD_ONLY, few)


@pytest.mark.parametrize(
    ("ours_ms", "said"),
    [(420, "at least 18.2 times (at least 8 is met"), (1400, ": 2.0 times (at least 8 is not met")],
)
def test_the_verdict(ours_ms: float, said: str) -> None:
    cells = [
        cell_of(PIPECAT, 1),
        cell_of(PIPECAT, 10, 600),
        cell_of(SPEAKBACK, 1),
        cell_of(SPEAKBACK, 100, ours_ms),
    ]
    others = cell_of(WITH_JSON, 100, 5000)
    found = verdict(Mode.VAD_ONLY, [*cells, others, cell_of(SPEAKBACK, 90, 5000, late_ms=99)])
    assert said in found
    base = f"400 ms with 1, of {BASE_TURNS} turns"
    assert f"above its own with the fewest sessions (Pipecat {base}, Speakback {base})" in found


# ---- the plan -------------------------------------------------------------------------------------


def test_the_sides_take_turns_and_the_first_alternates() -> None:
    planned = order(CANDIDATES[:2], {Side.PIPECAT: (1, 5), Side.SPEAKBACK: (10, 50, 100)})
    assert planned == [(PIPECAT, 1), (SPEAKBACK, 10), (SPEAKBACK, 50), (PIPECAT, 5), (SPEAKBACK, 100)]


def test_what_has_risen_too_far_is_not_run_with_more() -> None:
    risen = [cell_of(PIPECAT, 1), cell_of(PIPECAT, 10, 1500)]
    assert is_hopeless(risen, PIPECAT)
    assert not is_hopeless(risen, SPEAKBACK)
    assert not is_hopeless(risen[:1], PIPECAT)


# ---- the servers' parts ---------------------------------------------------------------------------


def test_the_stubs_reply() -> None:
    assert "".join(stubs.TOKENS) == " ".join(stubs.SENTENCES)
    assert len(stubs.TOKENS) == 20
    assert [stubs.chunks_of(sentence) for sentence in stubs.SENTENCES] == [5] * 4
    assert len(stubs.tone_pcm16(stubs.CHUNK_S)) == 24_000


def test_both_servers_have_the_same_stubs() -> None:
    theirs_s = (stubs.STT_S, stubs.FIRST_TOKEN_S, stubs.TOKEN_S, stubs.FIRST_CHUNK_S, stubs.CHUNK_S)
    assert [round(1000 * seconds) for seconds in theirs_s] == [
        scripted_server.TEXT_AFTER_MS,
        scripted_server.FIRST_TOKEN_MS,
        scripted_server.TOKEN_MS,
        scripted_server.SOUND_AFTER_MS,
        scripted_server.CHUNK_MS,
    ]
    assert (stubs.HEARD, stubs.SENTENCES) == (scripted_server.QUESTION, scripted_server.REPLY)
    clauses = ClauseChunker().push("".join(stubs.TOKENS) + " ")
    assert clauses == list(stubs.SENTENCES)  # each is one clause here, too
    assert {1000 * stubs.CHUNK_S * stubs.chunks_of(clause) for clause in clauses} == {scripted_server.CLAUSE_MS}


def test_the_lag_of_a_loop() -> None:
    assert summary([0.001 * n for n in range(100)]) == {"p50_ms": 50, "p99_ms": 99, "max_ms": 99}
    assert summary([]) == {"p50_ms": 0, "p99_ms": 0, "max_ms": 0}


def test_each_list_of_requirements_has_its_own_environment(tmp_path: Path) -> None:
    folder = environment_folder(tmp_path, b"a==1\n")
    assert folder.is_relative_to(tmp_path)
    assert folder != environment_folder(tmp_path, b"a==2\n")


def test_requirements_are_pinned_and_name_no_host() -> None:
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    assert "pipecat-ai==1.14.0" in lines
    assert all("==" in line and "/" not in line for line in lines)
