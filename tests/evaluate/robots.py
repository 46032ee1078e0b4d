"""Agents that are no people, put in the place of one side of human conversations."""

from dataclasses import replace

from speakback.evaluate.timeline import Ipu, Timeline


def silence_robot(timeline: Timeline, silence_ms: int, speech_ms: int) -> Timeline:
    """Answers every silence of the user that lasts `silence_ms`, for always the same time, and never gives way."""
    agent: list[Ipu] = []
    ends = [ipu.end_ms for ipu in timeline.user]
    starts = [ipu.start_ms for ipu in timeline.user][1:] + [timeline.duration_ms]
    for end_ms, next_ms in zip(ends, starts, strict=True):
        start_ms = end_ms + silence_ms
        is_free = not agent or agent[-1].end_ms + 200 <= start_ms
        if start_ms < next_ms and is_free and start_ms + speech_ms <= timeline.duration_ms:
            agent.append(Ipu(start_ms, start_ms + speech_ms))
    return replace(timeline, agent=tuple(agent))
