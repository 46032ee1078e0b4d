"""Reads the files that `speakback evaluate` takes. Imported once the verb runs: it imports all that hears."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from speakback import weights
from speakback.audio.pcm import Samples
from speakback.caller.recording import load_side, load_sides
from speakback.evaluate.conversation import Conversation, Source, from_trace, from_voice
from speakback.evaluate.timeline import TimelineError
from speakback.evaluate.timeline_file import read_timelines
from speakback.timebase import EAR_HZ, samples_to_ms
from speakback.turn.plain_data import TYPE
from speakback.turn.trace_format import TraceError, TraceHeader, read_trace
from speakback.vad.hysteresis import VadConfig
from speakback.vad.silero import SileroVad
from speakback.vad.voiced import voiced_ms

TEXT_SUFFIXES = frozenset({".jsonl", ".json"})
"""Traces and timelines; any other file is taken for a recording."""


def conversations_in(path: Path, weights_directory: Path | None, *, agent_is_left: bool) -> list[Conversation]:
    """All conversations of one file. `weights_directory` has the VAD; the agent may be on a recording's left.

    Raises `TraceError`, `TimelineError` and `CallError`, which name the file, and `WeightsError`.
    """
    if path.suffix.lower() in TEXT_SUFFIXES:
        return _from_text(path)
    left, right = load_sides(path)
    heard = _heard(left, right, path, weights_directory)
    return [replace(heard, timeline=heard.timeline.swapped()) if agent_is_left else heard]


def conversation_on(user: Path, agent: Path, weights_directory: Path | None) -> Conversation:
    """Two mono tracks that began together. Raises `CallError` and `WeightsError`."""
    return _heard(load_side(user), load_side(agent), user, weights_directory)


def _from_text(path: Path) -> list[Conversation]:
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as problem:
        raise TimelineError(f"{path}: cannot be read ({problem.strerror}).") from None
    if not any(line.strip() for line in lines):
        raise TimelineError(f"{path}: is empty.")
    if _is_trace(lines[0]):
        return [_from_trace(lines, path)]
    try:
        timelines = list(read_timelines(line.decode("utf-8") for line in lines))
    except ValueError as problem:
        raise TimelineError(f"{path}: is neither a trace nor a file of timelines, or is damaged: {problem}.") from None
    return [Conversation(timeline, Source.TIMELINE) for timeline in timelines]


def _is_trace(first_line: bytes) -> bool:
    try:
        form = json.loads(first_line)
    except (ValueError, RecursionError):
        return False
    return isinstance(form, dict) and form.get(TYPE) == TraceHeader.__name__


def _from_trace(lines: Sequence[bytes], path: Path) -> Conversation:
    trace = read_trace(lines, str(path))
    if not trace.is_intact:
        raise TraceError(f"{path}: the checksum in the last line does not fit the lines before; the file was changed.")
    try:
        return from_trace(trace)
    except TimelineError as problem:
        raise TimelineError(f"{path}: {problem}.") from None


def _heard(user_16k: Samples, agent_16k: Samples, path: Path, weights_directory: Path | None) -> Conversation:
    """By the VAD of a server, always with its own defaults: another setting is not to make another score."""
    user, agent = asyncio.run(_voiced_ms([user_16k, agent_16k], weights_directory))
    duration_ms = samples_to_ms(max(len(user_16k), len(agent_16k)), EAR_HZ)
    try:
        return from_voice(duration_ms, user, agent)
    except TimelineError as problem:
        raise TimelineError(f"{path}: {problem}.") from None


async def _voiced_ms(
    tracks_16k: Sequence[Samples], weights_directory: Path | None
) -> tuple[tuple[tuple[int, int], ...], ...]:
    folder = await asyncio.to_thread(weights.resolve, "silero-vad", directory=weights_directory)
    vad = SileroVad(folder / "silero_vad.onnx")
    try:
        return await voiced_ms(tracks_16k, vad, VadConfig())
    finally:
        await vad.aclose()
