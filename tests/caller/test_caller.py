"""The caller against a server that says what it is told to: what it sends, plays, notes and complains of."""

from base64 import b64decode

import numpy as np
import pytest

from speakback.audio.pcm import samples_from_pcm16
from speakback.caller.call_log import TranscriptLine
from speakback.caller.caller import Caller, calling
from speakback.caller.client_events import Wishes
from speakback.caller.errors import CallError
from speakback.caller.record import timeline_of
from tests.caller.sounds import silence, tone
from tests.caller.stub import Line, stub_server

WITHIN_S = 10.0


async def ended(caller: Caller) -> None:
    """Wait for the call's end; it comes as an error."""
    await caller.until(lambda: False, WITHIN_S)
    pytest.fail("the call did not end")


async def test_frames_of_20_ms_without_gaps_and_never_in_bursts() -> None:
    async with stub_server() as url, calling(url) as caller:
        await caller.say(tone(600))
        record = caller.record()
    handed = [frame.handed_ms for frame in record.frames]
    assert {len(frame.audio_24k) for frame in record.frames} == {480}
    assert all(later >= frame.spoken_ms + 20 for frame, later in zip(record.frames, handed, strict=True))
    assert min(np.diff(handed)) >= 9
    heard = np.concatenate([frame.audio_24k for frame in record.frames])
    start = record.spoken[0].start_ms * 24
    assert np.array_equal(heard[start : start + 600 * 24], tone(600))


async def test_the_server_hears_what_is_said_and_then_a_quiet_room() -> None:
    lines: list[Line] = []

    async def note(line: Line) -> None:
        lines.append(line)

    async with stub_server(note) as url, calling(url) as caller:
        await caller.say(tone(100))
        await caller.until(lambda: len(caller.record().frames) >= 10, WITHIN_S)
    assert timeline_of(caller.record()).correlation_id == "corr-1"
    (line,) = lines
    assert line.received[0]["session"]["speakback"] == {"events": ["latency"], "playback_ack": True}  # type: ignore[index]
    sent = [b64decode(str(message["audio"])) for message in line.received if "audio" in message]
    levels = [float(np.abs(samples_from_pcm16(data)).max()) for data in sent]
    assert max(levels) == pytest.approx(0.3, abs=0.01)
    assert 0 < levels[-1] < 0.01


async def test_it_may_ask_for_a_strategy_and_other_events() -> None:
    lines: list[Line] = []

    async def note(line: Line) -> None:
        lines.append(line)

    wishes = Wishes(("latency", "drafts"), "overlap-aware", {"drafts.enabled": False})
    async with stub_server(note) as url, calling(url, wishes=wishes) as caller:
        await caller.say(tone(20))
    (line,) = lines
    asked = line.received[0]["session"]["speakback"]  # type: ignore[index]
    assert asked["strategy"] == {"name": "overlap-aware", "overrides": {"drafts.enabled": False}}
    assert asked["events"] == ["latency", "drafts"]


async def test_it_falls_silent_when_the_server_says_that_the_user_speaks() -> None:
    async def interrupt(line: Line) -> None:
        await line.send("response.created", response={"id": "r1"})
        await line.send_audio(tone(5000))
        await line.until("speakback.playback_ack", 3)
        await line.send("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)
        await line.until("conversation.item.truncate")
        await line.send_audio(tone(1000))
        await line.send("conversation.item.truncated", item_id="a1", audio_end_ms=0)

    async with stub_server(interrupt) as url, calling(url) as caller:
        await caller.until(lambda: any(event.name.endswith("truncated") for event in caller.log.events), WITHIN_S)
        record = caller.record()
    (turn,) = timeline_of(record).turns
    assert 400 <= turn.reply.played_ms < 5000
    # What still came of the item after the cut was not played.
    (stretch,) = record.stretches
    assert np.allclose(stretch.audio_24k, tone(5000)[: len(stretch.audio_24k)], atol=1e-4)


async def test_the_truncate_says_what_was_played() -> None:
    lines: list[Line] = []

    async def interrupt(line: Line) -> None:
        lines.append(line)
        await line.send_audio(tone(5000))
        await line.until("speakback.playback_ack", 2)
        await line.send("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)
        await line.until("conversation.item.truncate")
        await line.send("conversation.item.truncated", item_id="a1", audio_end_ms=0)

    async with stub_server(interrupt) as url, calling(url) as caller:
        await caller.until(lambda: any(event.name.endswith("truncated") for event in caller.log.events), WITHIN_S)
        (turn,) = timeline_of(caller.record()).turns
    truncate = await lines[0].until("conversation.item.truncate")
    assert (truncate["item_id"], truncate["content_index"]) == ("a1", 0)
    assert truncate["audio_end_ms"] == turn.reply.played_ms
    acks = [message for message in lines[0].received if message["type"] == "speakback.playback_ack"]
    assert all(int(str(ack["played_ms"])) + int(str(ack["buffered_ms"])) == 5000 for ack in acks)


async def test_speech_in_silence_truncates_nothing() -> None:
    lines: list[Line] = []

    async def start(line: Line) -> None:
        lines.append(line)
        await line.send("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)

    async with stub_server(start) as url, calling(url) as caller:
        await caller.until(lambda: len(caller.record().frames) > 5 and caller.log.is_busy, WITHIN_S)
    assert not [message for message in lines[0].received if message["type"] == "conversation.item.truncate"]


async def test_a_polite_caller_waits_for_the_replys_end() -> None:
    async def answer(line: Line) -> None:
        await line.until("input_audio_buffer.append", 20)
        await line.reply(tone(400))

    async with stub_server(answer) as url, calling(url) as caller:
        await caller.say(tone(100))
        assert await caller.until_answered(gap_ms=200, within_s=WITHIN_S)
        answered_ms = caller.now_ms()
        (turn,) = timeline_of(caller.record()).turns
    assert turn.reply.speech[-1].end_ms + 190 <= answered_ms


async def test_a_reply_that_does_not_come_is_not_waited_for_forever() -> None:
    async with stub_server() as url, calling(url) as caller:
        await caller.say(tone(40))
        assert not await caller.until_answered(gap_ms=200, within_s=0.1)
        assert not await caller.until_agent_spoke(ms=100, within_s=0.1)


async def test_it_hears_for_how_long_the_agent_has_spoken() -> None:
    async def answer(line: Line) -> None:
        await line.send_audio(tone(2000))

    async with stub_server(answer) as url, calling(url) as caller:
        assert await caller.until_agent_spoke(ms=300, within_s=WITHIN_S)
        spoken_ms = caller.now_ms() - caller.record().stretches[0].start_samples / 24
    assert 300 <= spoken_ms < 2000


async def test_quiet_counts_from_the_last_sound_of_either_side() -> None:
    async with stub_server() as url, calling(url) as caller:
        await caller.say(tone(100))
        assert await caller.until_quiet(200, WITHIN_S)
        (speech,) = timeline_of(caller.record()).user_speech
        assert caller.now_ms() >= speech.spoken.end_ms + 200


async def test_the_transcript_comes_as_it_is_said() -> None:
    lines: list[TranscriptLine] = []

    async def answer(line: Line) -> None:
        await line.reply(silence(40), text="Good morning.")

    async with stub_server(answer) as url, calling(url, on_line=lines.append) as caller:
        await caller.until(lambda: bool(lines), WITHIN_S)
    assert [(line.speaker, line.text) for line in lines] == [("agent", "Good morning.")]


# ---- what goes wrong ----------------------------------------------------------------------------


async def test_no_server() -> None:
    async with stub_server() as url:
        pass
    with pytest.raises(CallError, match="is the server running"):
        async with calling(url):
            pytest.fail("connected")


@pytest.mark.parametrize(("key", "complaint"), [(None, "none was given"), ("wrong", "the one given is wrong")])
async def test_a_key_that_is_not_accepted(key: str | None, complaint: str) -> None:
    async with stub_server(key="right") as url:
        with pytest.raises(CallError, match=complaint) as refused:
            async with calling(url, key):
                pytest.fail("connected")
        async with calling(url, "right"):
            pass
    assert "SPEAKBACK_API_KEY" in str(refused.value)
    assert "wrong " not in str(refused.value)


async def test_a_wrong_path() -> None:
    async with stub_server() as url:
        with pytest.raises(CallError, match="usually /v1/realtime"):
            async with calling(url + "/more"):
                pytest.fail("connected")


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/", "ws://"])
async def test_what_is_no_address(url: str) -> None:
    with pytest.raises(CallError, match="not an address"):
        async with calling(url):
            pytest.fail("connected")


async def test_a_server_that_closes() -> None:
    async def leave(line: Line) -> None:
        await line.socket.close(code=1012, message=b"the server restarts")

    async with stub_server(leave) as url:
        with pytest.raises(CallError, match="1012: the server restarts"):
            async with calling(url) as caller:
                await ended(caller)


async def test_a_server_that_refuses_the_session() -> None:
    async def refuse(line: Line) -> None:
        await line.send("session.created")
        await line.send("error", error={"message": "no such format"})

    async with stub_server(refuse, greets=False) as url:
        with pytest.raises(CallError, match="refused the session: no such format"):
            async with calling(url):
                pytest.fail("connected")


async def test_a_server_that_speaks_another_protocol() -> None:
    async def babble(line: Line) -> None:
        await line.socket.send_str("hello")

    async with stub_server(babble) as url:
        with pytest.raises(CallError, match="not JSON"):
            async with calling(url) as caller:
                await ended(caller)


async def test_errors_do_not_end_the_call() -> None:
    async def complain(line: Line) -> None:
        await line.send("error", error={"message": "something failed"})

    async with stub_server(complain) as url, calling(url) as caller:
        await caller.until(lambda: bool(caller.log.errors), WITHIN_S)
        await caller.say(tone(40))
        assert timeline_of(caller.record()).errors == ("something failed",)
