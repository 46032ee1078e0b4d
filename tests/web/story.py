"""A conversation as the page's call would tell it: levels of both voices, what is heard when, and the server's events.

Three turns: one with a pause within it and a backchannel during the answer, a drafted one, and an interruption. Times
are the call's; the server's media time is `OFFSET_MS` behind it.
"""

import math
from dataclasses import dataclass, field
from typing import TypeAlias

JsonObject: TypeAlias = dict[str, object]
OFFSET_MS = 30
FRAME_MS = 20
ENDS_MS = 19_000
CLEAN: JsonObject = {
    "late_frames": 0,
    "missing_frames": 0,
    "clipped_samples": 0,
    "border_jumps": 0,
    "unexpected_silence_ms": 0,
    "cut_off": False,
    "words_per_minute": 170.0,
}
DRAFTED: JsonObject = {"drafted": True, "own_ms": 0, "artifacts": {**CLEAN, "late_frames": 2, "cut_off": True}}


@dataclass
class Story:
    """Collects what the call dispatches, each with the time at which it does."""

    told: list[tuple[float, str, JsonObject]] = field(default_factory=list)

    def tell(self, at_ms: float, kind: str, **detail: object) -> None:
        self.told.append((at_ms, kind, detail))

    def serve(self, at_ms: int, kind: str, **fields: object) -> None:
        """An event of the server arrives; `…audio_ms` in it are media time."""
        self.tell(at_ms, "server", event={"type": kind, **fields}, atMs=at_ms)

    def floor(self, at_ms: int, user: str, agent: str, holder: str, *, ducked: bool = False) -> None:
        media_ms = at_ms - OFFSET_MS
        self.serve(at_ms, "speakback.floor", user=user, agent=agent, holder=holder, ducked=ducked, audio_ms=media_ms)

    def pause(self, at_ms: int, item_id: str, number: int, score: float | None, outcome: str = "scored") -> None:
        """The user fell silent at `at_ms`; the score comes 90 ms later."""
        media_ms = at_ms - OFFSET_MS
        fields = {"item_id": item_id, "number": number, "outcome": outcome, "score": score, "audio_ms": media_ms}
        self.serve(at_ms + 90, "speakback.pause", **fields)

    def voices(self, user: list[tuple[int, int]], agent: list[tuple[int, int, str]]) -> None:
        """The levels of every 20 ms."""
        for at_ms in range(0, ENDS_MS, FRAME_MS):
            speaks = any(start_ms <= at_ms < end_ms for start_ms, end_ms in user)
            rms = syllables(at_ms) if speaks else 0.0015
            self.tell(at_ms + FRAME_MS, "heard", atMs=at_ms, rms=rms, peak=2 * rms)
        for start_ms, end_ms, item_id in agent:
            for at_ms in range(start_ms, end_ms, FRAME_MS):
                rms = 0.8 * syllables(at_ms + 70)
                self.tell(at_ms + FRAME_MS, "spoken", atMs=at_ms, rms=rms, peak=2 * rms, itemId=item_id)

    def turn(self, item_id: str, start_ms: int, end_ms: int, over_ms: int, text: str) -> None:
        """A turn of the user that is announced, committed and transcribed."""
        self.serve(
            start_ms + 120, "input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=start_ms - OFFSET_MS
        )
        self.serve(over_ms, "input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=end_ms - OFFSET_MS)
        self.serve(over_ms, "input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
        kind = "conversation.item.input_audio_transcription.completed"
        self.serve(over_ms + 60, kind, item_id=item_id, content_index=0, transcript=text)

    def reply(self, response_id: str, item_id: str, begun_ms: int, audible_ms: int, text: str) -> None:
        """A reply of the agent; its first message arrives 24 ms before it is heard."""
        self.serve(begun_ms, "response.created", response={"id": response_id, "status": "in_progress"})
        item: JsonObject = {"id": item_id, "type": "message", "role": "assistant", "content": []}
        self.serve(begun_ms + 1, "response.output_item.added", response_id=response_id, output_index=0, item=item)
        self.serve(begun_ms + 1, "conversation.item.added", previous_item_id=None, item=item)
        self.tell(audible_ms, "audible", itemId=item_id, atMs=audible_ms, arrivedMs=audible_ms - 24)
        for number, word in enumerate(text.split()):
            delta = f" {word}" if number else word
            at_ms = audible_ms + 260 * number
            self.serve(
                at_ms, "response.output_audio_transcript.delta", response_id=response_id, item_id=item_id, delta=delta
            )

    def said(self, at_ms: int, item_id: str, heard: str, status: str = "completed") -> None:
        """The agent's message is over: so much of it was heard."""
        content: list[JsonObject] = [{"type": "output_audio", "transcript": heard}]
        item: JsonObject = {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": content}
        self.serve(at_ms, "conversation.item.done", item=item)

    def measured(self, at_ms: int, item_id: str | None, response_id: str, **changes: object) -> None:
        self.serve(at_ms, "speakback.latency", **latency(item_id, response_id, **changes))

    def ordered(self) -> list[tuple[str, JsonObject]]:
        return [(kind, detail) for _, kind, detail in sorted(self.told, key=lambda told: told[0])]


def latency(item_id: str | None, response_id: str, **changes: object) -> JsonObject:
    """A `speakback.latency`, as far as the page reads it."""
    return {
        "item_id": item_id,
        "response_id": response_id,
        "endpointing_wait_ms": 350,
        "transcription_ms": 40,
        "first_token_ms": 101,
        "first_clause_ms": 28,
        "synthesis_ms": 60,
        "first_byte_ms": 3,
        "playback_ms": None,
        "ttfb_ms": 587,
        "own_ms": 5,
        "asr_confidence": 0.93,
        "artifacts": CLEAN,
        "decisions": [],
        "drafted": False,
    } | changes


def syllables(at_ms: float) -> float:
    """The level of made-up speech: syllables of 180 ms, phrases of a second."""
    return 0.02 + 0.16 * math.sin(math.pi * (at_ms % 180) / 180) * (0.55 + 0.45 * math.sin(at_ms / 310))


def story() -> Story:
    """The whole conversation."""
    told = Story()
    told.serve(0, "session.created", session={"id": "sess_story"})
    told.voices(
        user=[(800, 2300), (2700, 3900), (5600, 5960), (8600, 10200), (12800, 14600)],
        agent=[(4540, 8000, "item_a1"), (10720, 13100, "item_a2"), (15240, 18500, "item_a3")],
    )
    first_turn(told)
    drafted_turn(told)
    interruption(told)
    return told


def first_turn(told: Story) -> None:
    told.floor(900, "speaking", "idle", "user")
    told.floor(2360, "ending", "idle", "user")
    told.pause(2300, "item_u1", 1, 0.35)
    told.floor(2800, "speaking", "idle", "user")
    told.floor(3960, "ending", "idle", "user")
    told.pause(3900, "item_u1", 2, 0.92)
    told.turn("item_u1", 800, 3900, 4250, "Could you tell me, well, what the weather will be tomorrow?")
    told.floor(4251, "silent", "thinking", "nobody")
    told.reply("resp_1", "item_a1", 4260, 4540, "Tomorrow it will be dry and mild, with some clouds in the evening.")
    told.floor(4500, "silent", "speaking", "agent")
    told.floor(5700, "speaking", "speaking", "both", ducked=True)
    told.floor(6150, "ending", "speaking", "agent", ducked=False)
    judged_ms = {"audio_start_ms": 5600 - OFFSET_MS, "after_ms": 700}
    told.serve(6300, "speakback.overlap", item_id="item_b1", verdict="backchannel", **judged_ms)
    told.floor(6310, "silent", "speaking", "agent")
    told.floor(8010, "silent", "idle", "nobody")
    told.said(8010, "item_a1", "Tomorrow it will be dry and mild, with some clouds in the evening.")
    told.measured(8020, "item_u1", "resp_1")


def drafted_turn(told: Story) -> None:
    told.floor(8700, "speaking", "idle", "user")
    told.floor(10260, "ending", "idle", "user")
    told.pause(10200, "item_u2", 1, 0.88)
    told.turn("item_u2", 8600, 10200, 10550, "And how long does it take to get to the station?")
    drafts = {"started": 2, "wasted_tokens": 14, "wasted_characters": 40, "useful_tokens": 0, "useful_characters": 0}
    told.serve(10551, "speakback.drafts", promoted=0, **drafts)
    told.serve(10552, "speakback.drafts", **{**drafts, "promoted": 1, "useful_tokens": 22, "useful_characters": 90})
    told.floor(10560, "silent", "thinking", "nobody")
    told.reply("resp_2", "item_a2", 10570, 10720, "It takes about twenty minutes on foot, or five by tram.")
    told.floor(10690, "silent", "speaking", "agent")


def interruption(told: Story) -> None:
    judged_ms = {"item_id": "item_u3", "audio_start_ms": 12800 - OFFSET_MS}
    told.floor(12900, "speaking", "speaking", "both", ducked=True)
    told.serve(13080, "speakback.overlap", verdict="hold", after_ms=280, **judged_ms)
    told.floor(13081, "speaking", "paused", "user", ducked=False)
    told.serve(13500, "speakback.overlap", verdict="interruption", after_ms=700, **judged_ms)
    told.floor(13501, "speaking", "idle", "user")
    told.tell(13520, "silenced", atMs=13118, itemId="item_a2", playedMs=2398, askedMs=13084)
    told.said(13510, "item_a2", "It takes about twenty minutes on foot,", "incomplete")
    told.measured(13530, "item_u2", "resp_2", endpointing_wait_ms=420, ttfb_ms=463, **DRAFTED)
    told.floor(14660, "ending", "idle", "user")
    told.pause(14600, "item_u3", 1, 0.97)
    told.turn("item_u3", 12800, 14600, 14900, "No, wait. By bicycle?")
    told.floor(14901, "silent", "thinking", "nobody")
    told.reply("resp_3", "item_a3", 14910, 15240, "By bicycle it is seven minutes, mostly along the river.")
    told.floor(15200, "silent", "speaking", "agent")
    told.floor(18510, "silent", "idle", "nobody")
    told.said(18510, "item_a3", "By bicycle it is seven minutes, mostly along the river.")
    told.measured(18520, "item_u3", "resp_3", endpointing_wait_ms=300, ttfb_ms=590, own_ms=58, asr_confidence=0.71)
