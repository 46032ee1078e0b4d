"""The command `speakback evaluate`."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.caller.speech_intervals import find_speech
from speakback.cli.conversation_files import conversations_in
from speakback.cli.main import EXIT_REFUSED, app
from speakback.evaluate.timeline import Ipu, Timeline
from speakback.providers.adapters.hibari import Hibari
from speakback.timebase import VOICE_HZ, ms_to_samples
from tests.evaluate.test_figures import small_talk
from tests.providers.voices import spoken
from tests.turn.recorder import conversation

NEAR_MS = 100
"""How far the edges of the VAD may lie from those of the sound; a voice fades in and out."""
PHONE_HZ = 8000
USER_SAYS = {"Could you tell me what time it is, please?": 500, "Thank you, that is all that I need.": 8000}
AGENT_SAYS = {"The train leaves at a quarter past eight.": 4200, "You are welcome, and have a nice day.": 11_500}
"""And when."""
CALL_MS = 15_000


def evaluated(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)], env={"COLUMNS": "160"})


class Form(TypedDict):
    """What is printed with --json."""

    sources: list[dict[str, object]]
    seed: int
    figures: dict[str, dict[str, float | None]]
    counts: dict[str, int]
    notes: list[str]


def in_json(*arguments: str | Path) -> Form:
    result = evaluated(*arguments, "--json")
    assert result.exit_code == 0, result.output
    form: Form = json.loads(result.stdout)
    return form


async def side(lines: dict[str, int]) -> tuple[Samples, list[tuple[int, int]]]:
    """One side of a call, and where there is speech in it by its energy."""
    voice = Hibari()
    track = np.random.default_rng(1).normal(0, 1e-4, ms_to_samples(CALL_MS, VOICE_HZ)).astype(np.float32)
    speech_ms = []
    for text, at_ms in lines.items():
        audio = (await spoken(voice, text)).audio_24k
        at = ms_to_samples(at_ms, VOICE_HZ)
        track[at : at + len(audio)] += audio
        found = find_speech(audio)
        speech_ms.append((at_ms + found[0].start_ms, at_ms + found[-1].end_ms))
    await voice.aclose()
    return track, speech_ms


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, int]], list[tuple[int, int]]]:
    """A telephone recording of real speech, and where it is on each side."""
    (user, user_ms), (agent, agent_ms) = asyncio.run(side(USER_SAYS)), asyncio.run(side(AGENT_SAYS))
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    tracks = [resample(track, VOICE_HZ, PHONE_HZ) for track in (user, agent)]
    soundfile.write(path, np.stack(tracks, axis=1), PHONE_HZ)
    return path, user_ms, agent_ms


def turns(ipus: tuple[Ipu, ...]) -> list[tuple[int, int]]:
    """IPUs of one line joined."""
    joined: list[tuple[int, int]] = []
    for ipu in ipus:
        if joined and ipu.start_ms - joined[-1][1] < 1000:
            joined[-1] = (joined[-1][0], ipu.end_ms)
        else:
            joined.append((ipu.start_ms, ipu.end_ms))
    return joined


def near(found: list[tuple[int, int]], truth: list[tuple[int, int]]) -> bool:
    return np.shape(found) == np.shape(truth) and bool(np.abs(np.subtract(found, truth)).max() <= NEAR_MS)


def as_line(timeline: Timeline) -> str:
    sides = {
        name: [[ipu.start_ms, ipu.end_ms, ipu.kind.value] for ipu in ipus]
        for name, ipus in (("user", timeline.user), ("agent", timeline.agent))
    }
    return json.dumps({"duration_ms": timeline.duration_ms, **sides}) + "\n"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace-000007.jsonl"
    path.write_bytes(conversation().ended())
    return path


def test_both_sides_of_a_recording_are_heard(call: tuple[Path, list[tuple[int, int]], list[tuple[int, int]]]) -> None:
    path, user_ms, agent_ms = call
    (heard,) = conversations_in(path, None, agent_is_left=False)
    assert heard.timeline.duration_ms == CALL_MS
    assert near(turns(heard.timeline.user), user_ms), (heard.timeline.user, user_ms)
    assert near(turns(heard.timeline.agent), agent_ms), (heard.timeline.agent, agent_ms)
    (swapped,) = conversations_in(path, None, agent_is_left=True)
    assert swapped.timeline == heard.timeline.swapped()


def test_a_recording_of_two_files_is_the_same(call: tuple[Path, object, object], tmp_path: Path) -> None:
    path, *_ = call
    sides, rate_hz = soundfile.read(path, dtype="int16")
    user, agent = tmp_path / "user.flac", tmp_path / "agent.flac"
    soundfile.write(user, sides[:, 0], rate_hz)
    soundfile.write(agent, sides[: 13 * rate_hz, 1], rate_hz)
    one, other = in_json(path), in_json("--tracks", user, agent)
    assert other["counts"] == one["counts"]
    assert other["figures"] == one["figures"]
    left = in_json(path, "--agent-left")["figures"]["FTO between turns, p50 ms"]
    assert left != one["figures"]["FTO between turns, p50 ms"]


def test_a_trace_is_measured(trace: Path) -> None:
    result = evaluated(trace)
    assert result.exit_code == 0, result.output
    assert "1 conversation, 0.1 minutes" in result.stdout
    assert "people" in result.stdout
    assert "fto_turn, too few events: 2 of 160" in result.stdout
    assert "Of a trace are not known" in result.stdout
    assert "Of a recording" not in result.stdout
    form = in_json(trace)
    assert form["counts"] | {"replies": 2, "replies truncated": 1, "turns committed": 2} == form["counts"]


def test_several_files_are_one_set(trace: Path, tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(as_line(small_talk(turns)) for turns in (60, 70, 80)))
    form = in_json(path, trace)
    assert form["counts"]["conversations"] == 4
    assert form["figures"]["T1 response timing"]["value"] is not None
    assert form["figures"]["composite"]["low"] is not None
    assert [source["source"] for source in form["sources"]] == ["timeline", "trace"]
    assert any("are of 1 of 4 conversations" in note for note in form["notes"])


def test_a_trace_that_breaks_off_is_scored_as_far_as_it_goes(trace: Path) -> None:
    trace.write_bytes(trace.read_bytes()[:-200])
    result = evaluated(trace)
    assert result.exit_code == 0, result.output
    assert "trace-000007.jsonl: breaks off without its last line" in result.stdout


def mono(path: Path) -> None:
    soundfile.write(path, np.zeros(800), PHONE_HZ)


def three(path: Path) -> None:
    soundfile.write(path, np.zeros((800, 3)), PHONE_HZ)


def no_audio(path: Path) -> None:
    soundfile.write(path, np.zeros((0, 2)), PHONE_HZ)


def changed(path: Path) -> None:
    path.write_bytes(conversation().ended().replace(b'"onset_ms":900', b'"onset_ms":800'))


def torn(path: Path) -> None:
    lines = conversation().lines
    path.write_bytes(b"".join((*lines[:3], lines[3][:20] + b"\n", *lines[4:])))


def of_tomorrow(path: Path) -> None:
    path.write_bytes(conversation().ended().replace(b'"schema":1', b'"schema":99', 1))


def header_only(path: Path) -> None:
    path.write_bytes(conversation().lines[0])


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("gone.wav", lambda path: None, "there is no such file"),
        ("text.wav", lambda path: path.write_text("hello"), "cannot be read as audio"),
        ("mono.wav", mono, "has 1 channel; a call has two"),
        ("three.flac", three, "has 3 channels; a call has two"),
        ("empty.wav", no_audio, "holds no audio"),
        ("gone.jsonl", lambda path: None, "cannot be read (No such file or directory)"),
        ("empty.jsonl", lambda path: path.touch(), "is empty"),
        ("words.jsonl", lambda path: path.write_text("hello\n"), "is neither a trace nor a file of timelines"),
        ("bytes.jsonl", lambda path: path.write_bytes(b"\xff\xfe\n"), "is neither a trace nor a file of timelines"),
        ("deep.jsonl", lambda path: path.write_text("[" * 200_000), "is neither a trace nor a file of timelines"),
        ("call.json", lambda path: path.write_text('{"turns":[]}\n'), "is neither a trace nor a file of timelines"),
        ("nothing.jsonl", header_only, "nothing happened in this session"),
        ("torn.jsonl", torn, "line 4: this is not JSON as a trace has it"),
        ("tomorrow.jsonl", of_tomorrow, "schema 99"),
        ("changed.jsonl", changed, "the file was changed"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_a_message(
    tmp_path: Path, name: str, write: Callable[[Path], object], message: str
) -> None:
    write(tmp_path / name)
    result = evaluated(tmp_path / name)
    assert result.exit_code == EXIT_REFUSED
    assert name in result.stderr
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_tracks_have_one_channel_each(tmp_path: Path) -> None:
    three(tmp_path / "three.wav")
    result = evaluated("--tracks", tmp_path / "three.wav", tmp_path / "three.wav")
    assert result.exit_code == EXIT_REFUSED
    assert "a track of one side has one" in result.stderr


def test_nothing_to_score_is_refused() -> None:
    result = evaluated()
    assert result.exit_code == EXIT_REFUSED
    assert "name a trace" in result.stderr
