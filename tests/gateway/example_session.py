"""The example session of docs/protocol.md, made by the real codec: the page can only show what is sent."""

import json

import numpy as np

from speakback.gateway.binary import AudioFrame, Kind, pack
from speakback.gateway.realtime.codec import Message, RealtimeCodec
from speakback.gateway.realtime.session_view import first_view
from speakback.providers.llm import Usage
from speakback.session import notices as n
from speakback.session.items import MessageItem
from speakback.session.latency import TurnMarks, closed
from speakback.turn.tables import Agent, User
from speakback.turn.tables import floor as holder_of
from tests.gateway.scripted import OFFER, ScriptedConversation

USER = MessageItem("item_1", "user", "", spoken=True, status="in_progress")
AGENT = MessageItem("item_2", "assistant", "It is noon.", spoken=True)
CUT = MessageItem("item_4", "assistant", "Well, let", spoken=True, status="incomplete")
MARKS = TurnMarks(
    speech_ended_ms=1000, endpoint_due_ms=1260, committed_ms=1261, transcribed_ms=1340, reply_started_ms=1341,
    first_token_ms=1442, first_clause_ms=1470, first_audio_ms=1530, first_sent_ms=1533,
)  # fmt: skip
UPDATE: dict[str, object] = {
    "type": "session.update",
    "event_id": "mine_1",
    "session": {
        "type": "realtime",
        "instructions": "Answer in one sentence.",
        "audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 400}}},
        "speakback": {
            "binary_audio": True,
            "events": ["latency", "overlap", "floor", "pauses", "plan"],
            "playback_ack": True,
        },
    },
}


def lines() -> list[str]:
    """One line a message, `→` from the client and `←` to it; binary messages in hexadecimal."""
    conversation = ScriptedConversation()
    codec = RealtimeCodec(
        conversation, first_view(OFFER), session_id="sess_1", correlation_id="corr-1", loop_lag_ms=lambda: 1.8
    )
    told: list[str] = []

    def to_client(*messages: Message) -> None:
        told.extend(f"← {shown(message)}" for message in messages)

    def says(*notices: n.Notice) -> None:
        for notice in notices:
            to_client(*codec.encode(notice))

    def from_client(event: dict[str, object]) -> None:
        text = json.dumps(event)
        told.append(f"→ {text}")
        to_client(*codec.receive_text(text.encode()))

    to_client(codec.greeting())
    from_client(UPDATE)
    says(floor(User.SILENT, Agent.IDLE, 0))
    user_audio = pack(AudioFrame(Kind.USER_AUDIO, 0, b"\x10\x00\x20\x00"))
    told.append(f"→ {shown(user_audio)}")
    to_client(*codec.receive_binary(user_audio))
    from_client({"type": "speakback.ping", "sent_ms": 5210.4})
    says(
        n.UserSpeechStarted("item_1", 320),
        floor(User.SPEAKING, Agent.IDLE, 420),
        n.TranscriptGrew("item_1", "What time"),
        n.PauseWeighed("item_1", 1, "policy", None, 1480),
        floor(User.ENDING, Agent.IDLE, 1620),
        n.UserSpeechStopped("item_1", 1480),
        n.InputBufferCommitted("item_1", None),
        n.ItemAdded(USER, None),
        floor(User.SILENT, Agent.THINKING, 1880),
        n.TranscriptCompleted("item_1", "What time is it?", 1.16, 0.93),
        n.ReplyBegan("resp_1", True, ()),
        n.ReplyPlanned("resp_1", "item_2", "It is noon."),
        n.ReplyMessageBegan("resp_1", "item_2", 0, True, "item_1"),
        n.ReplyTextGrew("resp_1", "item_2", 0, "It is noon.", True),
        n.ReplyAudioSent("resp_1", "item_2", 0, np.array([0.25, 0.5], np.float32)),
        floor(User.SILENT, Agent.SPEAKING, 2160),
    )
    from_client({"type": "speakback.playback_ack", "item_id": "item_2", "played_ms": 40, "buffered_ms": 60})
    says(
        n.ReplyMessageEnded("resp_1", 0, AGENT),
        n.ReplyEnded("resp_1", "completed", None, (AGENT,), Usage(57, 5, 48, False), True, ()),
        floor(User.SILENT, Agent.IDLE, 3100),
        n.LatencyMeasured(closed(MARKS, item_id="item_1", response_id="resp_1", asr_confidence=0.93, artifacts=None)),
    )
    from_client({"type": "response.create", "event_id": "mine_2"})
    says(
        n.ReplyBegan("resp_2", True, ()),
        floor(User.SILENT, Agent.THINKING, 7400),
        n.ReplyPlanned("resp_2", "item_4", "Well, let me think about it."),
        n.ReplyMessageBegan("resp_2", "item_4", 0, True, "item_2"),
        n.ReplyTextGrew("resp_2", "item_4", 0, "Well, let me", True),
        n.ReplyAudioSent("resp_2", "item_4", 0, np.array([0.25, 0.5], np.float32)),
        floor(User.SILENT, Agent.SPEAKING, 7680),
        floor(User.SPEAKING, Agent.SPEAKING, 9120),
        floor(User.SPEAKING, Agent.SPEAKING, 9140, is_ducked=True),
        n.OverlapJudged("item_5", "hold", 9020, 350),
        floor(User.SPEAKING, Agent.PAUSED, 9380, is_ducked=True),
        n.OverlapJudged("item_5", "interruption", 9020, 610),
        n.UserSpeechStarted("item_5", 9020),
        n.ReplyMessageEnded("resp_2", 0, CUT),
        n.ReplyEnded("resp_2", "cancelled", "turn_detected", (CUT,), None, True, ()),
        floor(User.SPEAKING, Agent.IDLE, 9640),
    )
    from_client({"type": "conversation.item.truncate", "item_id": "item_4", "content_index": 0, "audio_end_ms": 380})
    says(n.ItemTruncated("item_4", 380))
    from_client({"type": "response.cancl", "event_id": "mine_3"})
    return told


def floor(user: User, agent: Agent, audio_ms: int, *, is_ducked: bool = False) -> n.FloorChanged:
    return n.FloorChanged(user, agent, holder_of(user, agent), is_ducked, audio_ms)


def shown(message: Message) -> str:
    return message if isinstance(message, str) else f"binary {message.hex(' ')}"


if __name__ == "__main__":
    import sys

    sys.stdout.write("\n".join(lines()) + "\n")
