"""A live session's trace is reproduced, whatever happened in it."""

import asyncio
from pathlib import Path

from speakback.session import notices as n
from speakback.session.driver import Session
from speakback.session.settings import ReplyOptions
from speakback.session.trace import traces_in
from speakback.turn.config import TurnConfig
from speakback.turn.events import ReplyRequested
from speakback.turn.replay import first_difference
from speakback.turn.trace_format import RecordedTrace, read_trace
from tests.session.scripted import ANSWER, BRIEF, LONG, QUESTION, Client, says, scripted, utterance


def read_one(folder: Path) -> RecordedTrace:
    (path,) = folder.iterdir()
    with path.open("rb") as file:
        return read_trace(file, path.name)


async def test_a_session_leaves_a_trace_that_is_reproduced(tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    async with traces_in(folder) as begin_trace:
        engines = scripted(says(LONG), says("It is noon."))
        session = Session(engines, BRIEF, session_id="sess_1", correlation_id="corr-1", begin_trace=begin_trace)
        client, running = Client(session), asyncio.create_task(session.run())
        session.configure(BRIEF)
        session.append_audio(utterance(QUESTION))
        await client.until_heard(200)
        session.request_reply(ReplyOptions(), "a client's own id")
        session.append_audio(utterance(ANSWER))
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        session.close()
        await running
    trace = await asyncio.to_thread(read_one, folder)
    assert trace.end is not None
    assert trace.end.truncated == ""
    assert first_difference(trace) is None
    happened = [type(step.event) for step in trace.steps]
    assert {TurnConfig, ReplyRequested} < set(happened)
    assert trace.steps[0].now_ms >= 0
    assert "own id" not in repr(trace)
