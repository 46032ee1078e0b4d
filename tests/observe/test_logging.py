"""Log lines: their form, their ids, what other libraries may write, and what never gets in."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from speakback.observe.logging import Format, Level, bind_session, configure_logging
from speakback.observe.stalls import Stall, StallLog

SPEECH = "my card number is"

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, own, access = logging.getLogger(), logging.getLogger("speakback"), logging.getLogger("aiohttp.access")
    before = (root.handlers, root.level, own.level, access.disabled)
    yield io.StringIO()
    root.handlers, access.disabled = before[0], before[3]
    root.setLevel(before[1])
    own.setLevel(before[2])
    structlog.reset_defaults()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    configure_logging("info", "auto", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def own_logger() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("speakback.test")
    return logger


def test_off_a_terminal_a_line_is_one_json_object(lines: Lines) -> None:
    own_logger().info("session opened", sessions=3)
    (line,) = lines()
    assert line.pop("timestamp")
    assert line == {"event": "session opened", "level": "info", "logger": "speakback.test", "sessions": 3}


async def test_both_ids_are_on_each_line_of_the_session_and_on_no_other(lines: Lines) -> None:
    async def converse(session_id: str) -> None:
        with bind_session(session_id, f"c-{session_id}"):
            async with asyncio.TaskGroup() as group:
                group.create_task(note("child"))
            logging.getLogger("speakback.standard").info("standard")
        own_logger().info("after")

    async def note(event: str) -> None:
        own_logger().info(event)

    await asyncio.gather(converse("a"), converse("b"))
    ids = {(line["event"], line.get("session_id"), line.get("correlation_id")) for line in lines()}
    assert ids == {
        ("child", "a", "c-a"), ("standard", "a", "c-a"), ("child", "b", "c-b"), ("standard", "b", "c-b"),
        ("after", None, None),
    }  # fmt: skip


def test_speech_and_secrets_are_hidden_also_beside_standard_calls(lines: Lines) -> None:
    own_logger().info("turn committed %s", SPEECH, text=SPEECH, detail={"transcript": SPEECH})
    try:
        raise ValueError(SPEECH)
    except ValueError:
        own_logger().exception("failed")
        logging.getLogger("other").exception("failed elsewhere")
    assert SPEECH not in json.dumps(lines())
    assert len(lines()) == 3
    assert all("ValueError: [message hidden]" in str(line["exception"]) for line in lines()[1:])


def test_local_variables_never_show_on_a_console(stream: io.StringIO) -> None:
    configure_logging("info", "console", stream)
    local = "a local" + " value"
    try:
        raise ValueError(local)
    except ValueError:
        own_logger().exception("failed")
    assert "ValueError" in stream.getvalue()
    assert "a local value" not in stream.getvalue()


@pytest.mark.parametrize(("level", "events"), [("debug", ["d", "i", "w"]), ("info", ["i", "w"]), ("warning", ["w"])])
def test_the_level_is_ours_alone(stream: io.StringIO, level: Level, events: list[str]) -> None:
    configure_logging(level, "json", stream)
    own_logger().debug("d")
    own_logger().info("i")
    own_logger().warning("w")
    logging.getLogger("openai").debug("whole request")
    logging.getLogger("openai").info("request")
    logging.getLogger("aiohttp.access").warning("GET /v1/realtime?token=x")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == events


def test_configuring_again_does_not_double_lines(stream: io.StringIO) -> None:
    formats: list[Format] = ["json", "console", "json"]
    for format in formats:
        configure_logging("info", format, stream)
    own_logger().info("once")
    assert stream.getvalue().count("once") == 1


def test_a_stall_of_the_event_loop_can_be_read_on_a_terminal(stream: io.StringIO) -> None:
    configure_logging("info", "console", stream)
    StallLog(lambda: None)(Stall(0.25, ("a/b.py:1 f",), starved=False, is_over=True))
    assert "a/b.py:1 f" in stream.getvalue()
