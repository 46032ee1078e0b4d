"""From what the page's call told to the benchmark's figures; and the line that jitters."""

import asyncio
from typing import Any

import pytest

from benchmarks.jittery_line import jittery
from benchmarks.page import Heard, findings, heard
from benchmarks.page_browser import FirstPaint, longest_computing_ms

OFFSET_MS = 25.0


def served(kind: str, **fields: object) -> dict[str, Any]:
    return {"kind": "server", "offsetMs": OFFSET_MS, "event": {"type": kind, **fields}}


def told(kind: str, **fields: object) -> dict[str, Any]:
    return {"kind": kind, "offsetMs": OFFSET_MS, **fields}


TOLD = [
    served("input_audio_buffer.speech_stopped", item_id="item_1", audio_end_ms=2000),
    served("speakback.audio_begin", item_id="item_2", response_id="resp_1"),
    told("audible", itemId="item_2", atMs=2560.0, arrivedMs=2550.0),
    served("speakback.latency", item_id="item_1", response_id="resp_1", ttfb_ms=500),
    served("speakback.audio_begin", item_id="item_4", response_id="resp_2"),
    told("audible", itemId="item_4", atMs=9000.0, arrivedMs=8990.0),
    told("silenced", itemId="item_4", atMs=9100.0, askedMs=9088.0),
    told("underrun", itemId="item_4", atMs=9050.0, missingMs=8.0),
    told("stats", rttMs=3.0, worstLongTaskMs=0),
    told("stats", rttMs=5.0, worstLongTaskMs=61.0),
]


def test_what_the_page_adds_is_counted_from_the_servers_notion_of_the_end() -> None:
    found = heard(TOLD)
    assert found == Heard(
        beyond_server_ms=(2560 - 25 - 2000 - 500,),
        silent_ms=(12.0,),
        underruns=1,
        missing_ms=8.0,
        worst_task_ms=61.0,
        round_trip_ms=4.0,
        replies=2,
    )


def test_goals_are_those_of_the_issue() -> None:
    good = heard(TOLD[:4])
    figures = {one.what: one for one in findings(good, heard(TOLD), FirstPaint(300, 20_000, 110_000), 5, 23.0).figures}
    assert figures["first sound at the page beyond the server's TTFB, p95"].met is True
    assert figures["underruns on a line with 50 ms of jitter"].met is False
    assert figures["longest task of the page's main thread"].met is False
    assert figures["longest by its own computing, on the good line"].met is True
    assert figures["bytes that the first paint needs"].met is True


def test_the_longest_task_is_the_pages_and_counts_only_what_it_computed() -> None:
    def thread(tid: int, name: str, *computed_us: int) -> list[dict[str, Any]]:
        named = {"name": "thread_name", "pid": tid, "tid": tid, "args": {"name": name}}
        task = {"name": "ThreadControllerImpl::RunTask", "pid": tid, "tid": tid, "ph": "X", "dur": 90_000}
        return [named, *({**task, "tdur": us} for us in computed_us), {**task, "name": "Paint", "tdur": 80_000}]

    page = thread(1, "CrRendererMain", 4000, 23_000, 9000, 9000)
    face, sound = thread(2, "CrRendererMain", 30_000), thread(3, "AudioWorklet", 70_000)
    assert longest_computing_ms([*page, *face, *sound]) == 23.0
    assert longest_computing_ms([]) == 0.0


async def test_a_jittery_line_carries_everything_in_order_and_late() -> None:
    received = bytearray()
    done = asyncio.Event()

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            received.extend(piece)
            writer.write(piece)
        writer.close()
        done.set()

    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    sent = bytes(range(256)) * 40
    async with listener, jittery(listener.sockets[0].getsockname()[1], 5.0) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        for at in range(0, len(sent), 512):
            writer.write(sent[at : at + 512])
            await writer.drain()
        writer.write_eof()
        echoed = await reader.read(-1)
        await done.wait()
        writer.close()
    assert bytes(received) == sent
    assert echoed == sent


async def test_a_line_that_is_cut_ends_both_sides() -> None:
    ended = asyncio.Event()

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        while await reader.read(100):
            pass
        writer.close()
        ended.set()

    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    async with listener, jittery(listener.sockets[0].getsockname()[1], 1.0) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        assert await reader.readexactly(5) == b"hello"
        await line.cut()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        await ended.wait()
        writer.close()
