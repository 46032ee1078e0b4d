"""Traces on the disk: private, whole, apart from each other, and never in a conversation's way."""

import asyncio
import errno
import stat
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from io import FileIO
from pathlib import Path
from threading import Event as ThreadEvent
from threading import active_count
from threading import enumerate as enumerate_threads
from typing import Any, cast

import pytest
import structlog

from speakback.config import ConfigError
from speakback.session import trace as trace_module
from speakback.session import trace_file
from speakback.session.trace import BeginTrace, Trace, TraceWriter, traces_in, untraced
from speakback.session.trace_file import TraceFile
from speakback.timebase import TurnId
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.events import EndOfTurnScored, Event, ReplyCancelled, SpeechStarted, SpeechStopped
from speakback.turn.replay import first_difference
from speakback.turn.strategies import STRATEGIES
from speakback.turn.trace_format import RecordedTrace, TraceHeader, read_trace

STRATEGY = STRATEGIES["rapid-duplex"]
START_MS = 777_000
LOG: structlog.stdlib.BoundLogger = structlog.get_logger("test")
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "traces"


def read(path: Path) -> RecordedTrace:
    with path.open("rb") as file:
        return read_trace(file, path.name)


@contextmanager
def tracing(folder: Path) -> Iterator[BeginTrace]:
    writer = TraceWriter(folder)
    try:
        yield writer.begin
    finally:
        writer.close()


def one_trace(folder: Path) -> RecordedTrace:
    (path,) = folder.iterdir()
    return read(path)


def warnings(logged: list[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [line for line in logged if line["log_level"] == "warning"]


@dataclass
class Talk:
    """A core and its trace, as the driver holds them."""

    trace: Trace
    core: TurnCore

    @classmethod
    def begun(cls, begin: BeginTrace, strategy: TurnConfig = STRATEGY) -> "Talk":
        return cls(begin(strategy, (), START_MS, LOG), TurnCore(strategy))

    def at(self, ms: int, event: Event | None) -> None:
        now_ms = START_MS + ms
        actions = self.core.tick(now_ms) if event is None else self.core.handle(event, now_ms)
        self.trace.record(now_ms, event, actions, self.core.next_deadline())

    def says_something(self, ms: int = 0) -> None:
        self.at(ms + 100, SpeechStarted(START_MS + ms))
        self.at(ms + 1000, SpeechStopped(START_MS + ms + 900))
        self.at(ms + 3000, None)


async def test_what_was_recorded_is_reproduced(folder: Path) -> None:
    """Here all of it happens on an event loop, which nothing may block."""
    async with traces_in(folder) as begin:
        talk = Talk.begun(begin)
        talk.says_something()
        talk.trace.close()
    trace = await asyncio.to_thread(one_trace, folder)
    assert first_difference(trace) is None
    assert [step.now_ms for step in trace.steps] == [100, 1000, 3000]
    assert trace.end is not None
    assert trace.end.truncated == ""


def test_only_the_servers_account_can_read_it(folder: Path) -> None:
    with tracing(folder) as begin:
        Talk.begun(begin).trace.close()
    (path,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_disk_that_does_not_answer_does_not_keep_the_server_from_stopping(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logged: list[MutableMapping[str, Any]]
) -> None:
    asked, answer = ThreadEvent(), ThreadEvent()

    def hang(file: TraceFile, directory: Path, header: TraceHeader) -> int:
        asked.set()
        answer.wait(10)
        return header.trace

    monkeypatch.setattr(TraceFile, "begin", hang)
    monkeypatch.setattr(trace_module, "CLOSE_TIMEOUT_S", 0.0)
    with tracing(folder) as begin:
        Talk.begun(begin).trace.close()
        assert asked.wait(10)
    answer.set()
    for thread in enumerate_threads():
        if thread.name == "traces":
            thread.join(10)
    assert [line["event"] for line in warnings(logged)] == ["the disk does not answer; traces are left unfinished"]


async def test_where_no_folder_is_named_nothing_is_kept() -> None:
    threads = active_count()
    async with traces_in(None) as begin:
        talk = Talk.begun(begin)
        assert active_count() == threads
        talk.says_something()
        talk.trace.close()
    assert begin is untraced


def test_sessions_that_overlap_have_a_trace_each(folder: Path, logged: list[MutableMapping[str, Any]]) -> None:
    with tracing(folder) as begin:
        talks = [Talk.begun(begin, strategy) for strategy in STRATEGIES.values()]
        for turn in range(5):
            for place, talk in enumerate(talks):
                talk.says_something(10_000 * turn + 100 * place)
        for talk in talks:
            talk.trace.close()
    for number, (path, strategy) in enumerate(zip(sorted(folder.iterdir()), STRATEGIES.values(), strict=True), start=1):
        trace = read(path)
        assert path.name == f"trace-{number:06d}.jsonl"
        assert (trace.header.trace, trace.header.strategy) == (number, strategy)
        assert trace.is_intact
        assert len(trace.steps) == 15
        assert trace.steps[0].now_ms == 100 * number
        assert first_difference(trace) is None
    assert [line["path"] for line in logged if line["event"] == "trace begun"] == sorted(map(str, folder.iterdir()))


def test_numbers_go_on_where_another_server_has_written(folder: Path) -> None:
    with tracing(folder) as begin:
        Talk.begun(begin).trace.close()
    (folder / "trace-notes.jsonl").touch()
    with tracing(folder) as begin:
        (folder / "trace-000002.jsonl").write_text("another's", encoding="ascii")
        Talk.begun(begin).trace.close()
    assert sorted(path.name for path in folder.glob("trace-0*")) == [
        f"trace-00000{number}.jsonl" for number in (1, 2, 3)
    ]
    assert (folder / "trace-000002.jsonl").read_text(encoding="ascii") == "another's"
    assert read(folder / "trace-000003.jsonl").header.trace == 3


def test_a_number_below_one_in_use_is_not_given_again(folder: Path) -> None:
    with tracing(folder):
        pass
    (folder / "trace-000041.jsonl").touch()
    with tracing(folder) as begin:
        Talk.begun(begin).trace.close()
    assert read(folder / "trace-000042.jsonl").header.trace == 42


def test_after_its_end_nothing_is_recorded(folder: Path) -> None:
    with tracing(folder) as begin:
        talk = Talk.begun(begin)
        talk.trace.close()
        talk.trace.close()
        talk.says_something()
    assert one_trace(folder).steps == ()


def test_a_session_that_outlives_the_server_is_said_to(folder: Path) -> None:
    with tracing(folder) as begin:
        Talk.begun(begin).says_something()
    trace = one_trace(folder)
    assert len(trace.steps) == 3
    assert trace.end is not None
    assert trace.end.truncated == trace_module.SERVER_STOPPED


class TestFolder:
    def test_one_that_others_may_enter_is_refused(self, folder: Path) -> None:
        folder.mkdir(parents=True, mode=0o755)
        refusal = r"trace.directory: others may enter .*\(its mode is 755\); run `chmod 700"
        with pytest.raises(ConfigError, match=refusal):
            TraceWriter(folder)

    def test_one_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for place in (tmp_path / "file", tmp_path / "file" / "traces"):
            refusal = r"trace.directory: traces cannot be kept in .* \((File exists|Not a directory)\)"
            with pytest.raises(ConfigError, match=refusal):
                TraceWriter(place)

    def test_one_that_cannot_be_written_to_is_refused(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(dir: Path) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(trace_module, "TemporaryFile", refuse)
        with pytest.raises(ConfigError, match=r"cannot be kept in .* \(Read-only file system\)"):
            TraceWriter(folder)

    def test_one_that_goes_away_costs_the_trace_and_one_line_of_the_log(
        self, folder: Path, logged: list[MutableMapping[str, Any]]
    ) -> None:
        with tracing(folder) as begin:
            folder.rmdir()
            talk = Talk.begun(begin)
            talk.says_something()
            talk.trace.close()
        (warning,) = warnings(logged)
        assert (warning["event"], warning["reason"]) == ("no trace could be begun", "No such file or directory")


class SmallDisk(FileIO):
    """Takes `room` bytes, whole or in part, and no more; what is truncated may be written again."""

    room = 0
    fails_at_close = False

    def write(self, text: Any, /) -> int:
        room = self.room - self.tell()
        if room <= 0:
            raise FULL
        return super().write(text[:room])

    def close(self) -> None:
        was_open = not self.closed
        super().close()
        if was_open and self.fails_at_close:
            raise FULL


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SmallDisk]]:
    class Disk(SmallDisk):
        pass

    monkeypatch.setattr(trace_file, "create", lambda path: Disk(path, "x"))
    return Disk  # type: ignore[return-value]


class TestFullDisk:
    def recorded(self, folder: Path) -> None:
        with tracing(folder) as begin:
            talk = Talk.begun(begin)
            talk.says_something()
            talk.says_something(10_000)
            talk.trace.close()

    def whole(self, folder: Path) -> list[bytes]:
        self.recorded(folder)
        (path,) = folder.iterdir()
        return path.read_bytes().splitlines(keepends=True)

    def test_the_trace_ends_with_a_whole_line_that_says_so(
        self, tmp_path: Path, small_disk: type[SmallDisk], logged: list[MutableMapping[str, Any]]
    ) -> None:
        small_disk.room = 10**6
        lines = self.whole(tmp_path / "whole")
        small_disk.room = sum(map(len, lines[:4])) - 10  # the third step does not fit, and the last line does
        logged.clear()
        self.recorded(tmp_path / "full")
        trace = one_trace(tmp_path / "full")
        assert len(trace.steps) == 2
        assert trace.is_intact
        assert trace.end is not None
        assert trace.end.truncated == "No space left on device"
        assert first_difference(trace) is None
        (warning,) = warnings(logged)
        assert warning["event"] == "the trace broke off; the conversation goes on"
        assert (warning["after_steps"], warning["reason"]) == (2, "No space left on device")

    def test_without_room_for_a_last_line_the_trace_lacks_it(
        self, tmp_path: Path, small_disk: type[SmallDisk], logged: list[MutableMapping[str, Any]]
    ) -> None:
        small_disk.room = 10**6
        lines = self.whole(tmp_path / "whole")
        small_disk.room = sum(map(len, lines[:3])) + 10
        logged.clear()
        self.recorded(tmp_path / "full")
        trace = one_trace(tmp_path / "full")
        assert (len(trace.steps), trace.end) == (2, None)
        assert len(warnings(logged)) == 1

    def test_not_even_the_header_fits(
        self, folder: Path, small_disk: type[SmallDisk], logged: list[MutableMapping[str, Any]]
    ) -> None:
        small_disk.room = 5
        self.recorded(folder)
        assert len(warnings(logged)) == 1

    def test_what_is_said_only_at_the_files_end_is_logged(
        self, folder: Path, small_disk: type[SmallDisk], logged: list[MutableMapping[str, Any]]
    ) -> None:
        small_disk.room, small_disk.fails_at_close = 10**6, True
        self.recorded(folder)
        (warning,) = warnings(logged)
        assert (warning["event"], warning["reason"]) == ("the trace may be incomplete", "No space left on device")


def test_a_disk_that_cannot_keep_up_costs_the_trace_and_one_line_of_the_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch, logged: list[MutableMapping[str, Any]]
) -> None:
    go_on, begin_file = ThreadEvent(), TraceFile.begin

    def slow(file: TraceFile, directory: Path, header: TraceHeader) -> int:
        go_on.wait(10)
        return begin_file(file, directory, header)

    monkeypatch.setattr(TraceFile, "begin", slow)
    monkeypatch.setattr(trace_module, "STEPS_WAITING", 4)
    with tracing(folder) as begin:
        talk = Talk.begun(begin)
        for place in range(10):
            talk.says_something(10_000 * place)
        talk.trace.close()
        (warning,) = warnings(logged)
        go_on.set()
    trace = one_trace(folder)
    assert 3 <= len(trace.steps) <= 4
    assert trace.end is not None
    assert trace.end.truncated == trace_module.FELL_BEHIND == warning["reason"]
    assert first_difference(trace) is None


def test_a_value_that_cannot_be_written_ends_the_trace_only(
    folder: Path, logged: list[MutableMapping[str, Any]]
) -> None:
    with tracing(folder) as begin:
        talk = Talk.begun(begin)
        talk.says_something()
        talk.at(2000, EndOfTurnScored(TurnId(1), 1, cast(float, Decimal("0.5"))))
        talk.says_something(10_000)
        talk.trace.close()
    trace = one_trace(folder)
    assert len(trace.steps) == 3
    assert trace.end is not None
    assert trace.end.truncated == "a Decimal cannot be written as plain data"
    assert len(warnings(logged)) == 1


def test_nothing_of_it_reaches_the_log(folder: Path, logged: list[MutableMapping[str, Any]]) -> None:
    with tracing(folder) as begin:
        talk = Talk.begun(begin)
        talk.at(0, ReplyCancelled("my dog's name"))
        talk.trace.close()
    assert "dog" not in repr(logged)
    assert b"dog" not in next(folder.iterdir()).read_bytes()


def test_two_writers_share_a_folder(folder: Path) -> None:
    """As two servers do."""
    first, second = TraceWriter(folder), TraceWriter(folder)
    for writer in (first, second, first, second):
        talk = Talk.begun(writer.begin)
        talk.says_something()
        talk.trace.close()
    first.close()
    second.close()
    traces = [read(path) for path in sorted(folder.iterdir())]
    assert [trace.header.trace for trace in traces] == [1, 2, 3, 4]
    assert all(trace.is_intact and len(trace.steps) == 3 for trace in traces)
