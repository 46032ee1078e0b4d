"""What a client follows of a conversation, over a real socket: a real session with scripted engines."""

from base64 import b64encode

from speakback.audio.pcm import pcm16_from_samples
from speakback.session.driver import Session
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from tests.gateway.test_app import Socket, event_from, server
from tests.session.scripted import QUESTION, scripted, utterance

SPOKEN_MS = 1400
PCM_16K = {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}


def open_session(
    settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
) -> Session:
    return Session(scripted(), settings, session_id=session_id, correlation_id=correlation_id)


async def one_turn(events: list[str]) -> list[dict[str, object]]:
    """All that a client is told that asks for those events and says a sentence, until the agent is idle again."""
    async with server(ready=False) as running:
        running.service.become_ready(open_session)
        socket: Socket = await running.connect()
        session = {"audio": PCM_16K, "speakback": {"events": events}}
        await socket.send_json({"type": "session.update", "session": session})
        audio = b64encode(pcm16_from_samples(utterance(QUESTION))).decode()
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})
        told = [await event_from(socket)]
        while told[-1]["type"] != "response.done":
            told.append(await event_from(socket))
        if events:
            told.append(await event_from(socket))
        return told


async def test_a_client_follows_the_floor_and_the_plan_from_the_moment_it_asks() -> None:
    told = await one_turn(["floor", "plan"])
    assert [event["type"] for event in told[:3]] == ["session.created", "session.updated", "speakback.floor"]
    floors = [event for event in told if event["type"] == "speakback.floor"]
    assert [floor["agent"] for floor in floors] == ["idle", "idle", "idle", "thinking", "speaking", "idle"]
    assert [floor["holder"] for floor in floors] == ["nobody", "user", "user", "nobody", "agent", "nobody"]
    assert floors[-1] is told[-1]
    assert (floors[0]["audio_ms"], floors[-1]["audio_ms"]) == (0, SPOKEN_MS)
    plans = [event["text"] for event in told if event["type"] == "speakback.plan"]
    transcript = next(event for event in told if event["type"] == "response.output_audio_transcript.done")
    assert " ".join(map(str, plans)) == transcript["transcript"] == "It is noon."
    assert len({event["correlation_id"] for event in told if str(event["type"]).startswith("speakback.")}) == 1


async def test_a_client_that_follows_nothing_is_told_nothing_of_ours() -> None:
    told = await one_turn([])
    assert not [event["type"] for event in told if str(event["type"]).startswith("speakback.")]
