"""A recorded conversation for the page's face: the server's events, in the order and form of `docs/protocol.md`.

Each part is a list of `{"at_ms": …, "event": …}`, to be played one after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

JsonObject: TypeAlias = dict[str, object]
Recorded: TypeAlias = list[JsonObject]


@dataclass
class Script:
    """Collects events on a running clock."""

    at_ms: int = 0
    events: Recorded = field(default_factory=list)

    def send(self, kind: str, wait_ms: int = 20, **fields: object) -> None:
        self.at_ms += wait_ms
        self.events.append({"at_ms": self.at_ms, "event": {"type": kind, "event_id": f"event_{self.at_ms}", **fields}})

    def floor(self, user: str, agent: str, holder: str, *, ducked: bool = False) -> None:
        self.send(
            "speakback.floor",
            user=user,
            agent=agent,
            holder=holder,
            ducked=ducked,
            audio_ms=self.at_ms,
            correlation_id="c",
        )

    def hear(self, item_id: str, *pieces: str) -> None:
        """The user begins to speak, and words become certain."""
        self.send("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=self.at_ms)
        self.floor("speaking", "idle", "user")
        for piece in pieces:
            self.send(
                "conversation.item.input_audio_transcription.delta", 400, item_id=item_id, content_index=0, delta=piece
            )

    def commit(self, item_id: str, transcript: str) -> None:
        """The turn is over, and its transcript comes."""
        self.send("input_audio_buffer.speech_stopped", 300, item_id=item_id, audio_end_ms=self.at_ms)
        self.send("input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
        content: list[JsonObject] = [{"type": "input_audio", "transcript": None}]
        item = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
        self.send("conversation.item.added", previous_item_id=None, item=item)
        self.send("conversation.item.done", previous_item_id=None, item=item)
        self.send(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=transcript,
        )
        self.floor("silent", "thinking", "nobody")

    def type(self, item_id: str, text: str) -> None:
        content: list[JsonObject] = [{"type": "input_text", "text": text}]
        item = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
        self.send("conversation.item.added", previous_item_id=None, item=item)
        self.floor("silent", "thinking", "nobody")

    def plan(self, reply: str, item_id: str, *clauses: str) -> None:
        """The agent's message begins, with what it is going to say."""
        self.send("response.created", response={"id": reply, "status": "in_progress", "output": []})
        item = {"id": item_id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        self.send("conversation.item.added", previous_item_id=None, item=item)
        for clause in clauses:
            self.send("speakback.plan", response_id=reply, item_id=item_id, text=clause, correlation_id="c")

    def speak(self, reply: str, item_id: str, words: str, *, goes_on: bool = False) -> None:
        """Those words go out, one after the other."""
        self.floor("silent", "speaking", "agent")
        for index, word in enumerate(words.split()):
            delta = f" {word}" if index or goes_on else word
            self.send("response.output_audio_transcript.delta", 250, response_id=reply, item_id=item_id, delta=delta)

    def end(self, reply: str, item_id: str, heard: str, *, is_cut: bool = False) -> None:
        """The message is over: so much of it was heard."""
        self.send("response.output_audio_transcript.done", response_id=reply, item_id=item_id, transcript=heard)
        status = "incomplete" if is_cut else "completed"
        content: list[JsonObject] = [{"type": "output_audio", "transcript": heard}]
        item = {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}
        self.send("conversation.item.done", item=item)
        self.send(
            "response.done", response={"id": reply, "status": "cancelled" if is_cut else "completed", "output": [item]}
        )
        self.floor("silent", "idle", "nobody")

    def measured(self, item_id: str, reply: str, confidence: float) -> None:
        self.send(
            "speakback.latency",
            item_id=item_id,
            response_id=reply,
            endpointing_wait_ms=261,
            transcription_ms=79,
            first_token_ms=101,
            first_clause_ms=28,
            synthesis_ms=60,
            first_byte_ms=3,
            playback_ms=None,
            ttfb_ms=533,
            own_ms=5,
            asr_confidence=confidence,
            artifacts=None,
            decisions=[],
            drafted=False,
            correlation_id="c",
        )

    def overlap(self, item_id: str, verdict: str) -> None:
        self.send(
            "speakback.overlap",
            100,
            item_id=item_id,
            verdict=verdict,
            audio_start_ms=self.at_ms,
            after_ms=350,
            correlation_id="c",
        )


SESSION: JsonObject = {
    "type": "realtime",
    "id": "sess_1",
    "model": "echo",
    "audio": {"output": {"voice": "heart"}},
    "speakback": {"strategy": "overlap-aware"},
}
LONG_CLAUSES = ("Well, let me think about that for a moment.", "There are three things that I would look at first.")


def conversation() -> Iterator[tuple[str, Recorded]]:
    """The whole conversation in named parts, each up to something that is worth looking at."""
    script = Script()

    def part(name: str) -> tuple[str, Recorded]:
        events, script.events = script.events, []
        return name, events

    script.send("session.created", session=SESSION)
    script.hear("item_1", "What time")
    yield part("the user speaks")
    script.commit("item_1", "What time is it?")
    yield part("the agent thinks")
    script.plan("resp_1", "item_2", "It is noon,", "and it is raining.")
    script.speak("resp_1", "item_2", "It is noon,")
    yield part("the agent speaks")
    script.speak("resp_1", "item_2", "and it is raining.", goes_on=True)
    script.end("resp_1", "item_2", "It is noon, and it is raining.")
    script.measured("item_1", "resp_1", 0.93)
    script.type("item_3", "And tomorrow?")
    script.plan("resp_2", "item_4", *LONG_CLAUSES)
    script.speak("resp_2", "item_4", "Well, let me think")
    script.overlap("item_5", "backchannel")
    yield part("a backchannel")
    script.overlap("item_6", "hold")
    script.floor("speaking", "paused", "user")
    yield part("held")
    script.overlap("item_6", "interruption")
    script.hear("item_6", "No, wait.")
    script.end("resp_2", "item_4", "Well, let me", is_cut=True)
    yield part("interrupted")
    script.commit("item_6", "No, wait. I meant Tuesday.")
    script.plan("resp_3", "item_7", "Tuesday will be dry.")
    script.speak("resp_3", "item_7", "Tuesday will be dry.")
    script.end("resp_3", "item_7", "Tuesday will be dry.")
    script.measured("item_6", "resp_3", 0.41)
    yield part("unsure")
    script.hear("item_8")
    script.send("conversation.item.deleted", item_id="item_8")
    script.floor("silent", "idle", "nobody")
    yield part("no words")


PARTS = dict(conversation())


def up_to(last: str) -> Recorded:
    """The conversation up to the end of that part."""
    return [one for part in list(PARTS)[: list(PARTS).index(last) + 1] for one in PARTS[part]]
