"""call.js with its worklets: what is sent is what was said, what is heard is what was sent, to the sample."""

import asyncio

import numpy as np
import pytest

from tests.web.bare_server import BareServer, Connection
from tests.web.calls import VOICE_PER_MS, CallInPage, live, speech

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

FADE_SAMPLES = 120
AUDIBLE = 104
"""-50 dBFS."""


async def test_the_session_is_asked_for_as_the_page_needs_it(call: CallInPage, server: BareServer) -> None:
    assert await call.begin(mic=False, patch={"instructions": "Be brief."}) is None
    connection = await server.connection()
    assert connection.offered == ["realtime", "speakback-page.t1"]
    (update,) = connection.of("session.update")
    session = update["session"]
    assert isinstance(session, dict)
    assert session["instructions"] == "Be brief."
    assert session["speakback"] == {
        "binary_audio": True,
        "playback_ack": True,
        "resume": True,
        "events": ["latency", "overlap", "drafts", "provider", "floor", "pauses", "plan"],
    }
    states = [detail["state"] for detail in await call.all("state")]
    assert states == ["asking", "connecting", "live"]


async def test_what_the_microphone_hears_is_sent_without_a_gap(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server)
    await connection.until(lambda c: len(c.pcm) > 2 * VOICE_PER_MS * 1500)
    await call.do("call.stop()")
    await connection.until(lambda c: c.close_code)
    assert connection.close_code == 1000
    assert connection.sequences == list(range(len(connection.sequences)))
    sent = np.frombuffer(bytes(connection.pcm), np.int16)
    recorded = await call.recorded()
    offset_ms = await call.do("call.mediaOffsetMs")
    begins = round((offset_ms - recorded.start_ms) * VOICE_PER_MS)
    assert np.array_equal(recorded.user[begins : begins + len(sent)], sent)
    assert np.abs(sent).max() > 1000, "the beeps are loud"
    heard = await call.all("heard")
    assert [round(b["atMs"] - a["atMs"], 6) for a, b in zip(heard, heard[1:], strict=False)] == [20] * (len(heard) - 1)


async def test_what_is_sent_is_heard_to_the_sample(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server, mic=False)
    said = speech(1990)
    await connection.begin("item_1")
    await connection.audio(said)
    await connection.end("item_1")
    await connection.until(lambda c: c.of("speakback.playback_ack")[-1:] and last_ack(c)["buffered_ms"] == 0)
    assert last_ack(connection) == {
        "type": "speakback.playback_ack",
        "item_id": "item_1",
        "played_ms": 1990,
        "buffered_ms": 0,
    }
    (audible,) = await call.all("audible")
    recorded = await call.recorded(audible["atMs"] + 1990)
    begins = round((audible["atMs"] - recorded.start_ms) * VOICE_PER_MS)
    assert np.array_equal(recorded.agent[begins : begins + len(said)], said)
    assert not recorded.agent[:begins].any()
    assert not recorded.agent[begins + len(said) :].any()
    assert audible["atMs"] - audible["arrivedMs"] > -20, "arrivals are known to some milliseconds"
    assert await call.all("underrun") == []


async def test_playback_is_acknowledged_every_100_ms_with_what_was_played(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server, mic=False)
    await connection.begin("item_1")
    await connection.audio(speech(1000))
    await connection.end("item_1")
    await connection.until(lambda c: c.of("speakback.playback_ack")[-1:] and last_ack(c)["buffered_ms"] == 0)
    acks = connection.of("speakback.playback_ack")
    played = [int(str(ack["played_ms"])) for ack in acks]
    assert all(abs(int(str(ack["played_ms"])) + int(str(ack["buffered_ms"])) - 1000) <= 1 for ack in acks[3:])
    steps = np.diff(played[:-1])
    assert len(played) >= 8
    assert all(94 <= step <= 126 for step in steps)


async def test_the_users_voice_silences_the_agent_at_once_and_the_server_is_told_what_was_heard(
    call: CallInPage, server: BareServer
) -> None:
    connection = await live(call, server, mic=False)
    said = speech(3000)
    await connection.begin("item_1")
    await connection.audio(said)
    await call.until("audible", itemId="item_1")
    await connection.until(lambda c: len(c.of("speakback.playback_ack")) >= 3)
    await connection.tell("input_audio_buffer.speech_started", item_id="item_2", audio_start_ms=0)
    await connection.audio(speech(500, seed=2))
    silenced = (await call.until("silenced"))["detail"]
    (truncate,) = connection.of("conversation.item.truncate")
    assert last_ack(connection)["played_ms"] == truncate["audio_end_ms"] == silenced["playedMs"]
    assert silenced["itemId"] == truncate["item_id"] == "item_1"
    (audible,) = await call.all("audible")
    await connection.begin("item_3", "resp_2")
    await connection.audio(speech(200, seed=3))
    await connection.end("item_3", "resp_2")
    await call.until("audible", itemId="item_3")
    recorded = await call.recorded(silenced["atMs"] + 20)
    begins = round((audible["atMs"] - recorded.start_ms) * VOICE_PER_MS)
    ends = begins + int(np.flatnonzero(recorded.agent[begins:] == 0)[0])
    whole = ends + 1 - FADE_SAMPLES
    assert np.array_equal(recorded.agent[begins:whole], said[: whole - begins])
    fade = recorded.agent[whole:ends] / said[whole - begins : ends - begins]
    assert np.all(np.diff(fade) < 0)
    assert (ends - begins) / VOICE_PER_MS == pytest.approx(silenced["playedMs"], abs=1)
    third = (await call.until("audible", itemId="item_3"))["detail"]
    between = recorded.agent[ends : round((third["atMs"] - recorded.start_ms) * VOICE_PER_MS)]
    assert not between.any(), "what came late of it was not heard"


async def test_a_reply_that_was_cancelled_is_silenced(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server, mic=False)
    await connection.begin("item_1")
    await connection.audio(speech(3000))
    await call.until("audible")
    await connection.end("item_1", status="cancelled")
    silenced = (await call.until("silenced"))["detail"]
    assert silenced["itemId"] == "item_1"
    assert silenced["playedMs"] < 1500


async def test_a_typed_turn_stops_the_agent_first(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server, mic=False)
    await connection.begin("item_1")
    await connection.audio(speech(3000))
    await call.until("audible")
    saying = asyncio.create_task(call.do("call.say(given[0])", "Never mind."))
    await connection.until(lambda c: c.of("conversation.item.truncate"))
    assert connection.of("response.cancel")
    assert connection.of("response.create") == []
    await connection.end("item_1", status="cancelled")
    await saying
    await connection.until(lambda c: c.of("response.create"))
    (item,) = connection.of("conversation.item.create")
    assert item["item"] == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Never mind."}],
    }
    assert len(connection.of("conversation.item.truncate")) == 1


async def test_a_hold_is_no_underrun_but_a_gap_is(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server, mic=False)
    await connection.begin("item_1")
    await connection.audio(speech(300))
    await connection.tell("speakback.floor", user="speaking", agent="paused", holder="both", ducked=False, audio_ms=0)
    await connection.until(lambda c: c.of("speakback.playback_ack")[-1:] and last_ack(c)["played_ms"] == 300)
    await call.page.wait_for_timeout(150)
    await connection.tell("speakback.floor", user="silent", agent="speaking", holder="agent", ducked=False, audio_ms=0)
    await connection.audio(speech(300))
    await connection.until(lambda c: last_ack(c)["played_ms"] == 600)
    assert await call.all("underrun") == []
    await call.page.wait_for_timeout(150)
    await connection.audio(speech(300))
    underrun = (await call.until("underrun"))["detail"]
    assert underrun["itemId"] == "item_1"
    assert 100 < underrun["missingMs"] < 2000
    assert await call.do("call.stats.underruns") == 1


async def test_muted_nothing_is_heard_and_time_goes_on(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server)
    await call.do("call.mute(true)")
    await call.page.wait_for_timeout(100)
    at = len(connection.pcm)
    await connection.until(lambda c: len(c.pcm) > at + 2 * VOICE_PER_MS * 1200)
    assert not any(connection.pcm[at : at + 2 * VOICE_PER_MS * 1200])
    await call.do("call.mute(false)")
    at = len(connection.pcm)
    await connection.until(lambda c: any(c.pcm[at:]))


async def test_an_update_is_answered_or_refused(call: CallInPage, server: BareServer) -> None:
    await live(call, server, mic=False)
    session = await call.do("call.update({instructions: 'Slowly.'})")
    assert session["instructions"] == "Slowly."
    server.updates_refused = 1
    refused = await call.do("call.update({}).catch(({message, param}) => ({message, param}))")
    assert refused == {"message": "no such voice", "param": "session.audio.output.voice"}


async def test_choices_that_are_not_taken_do_not_keep_a_conversation_from_beginning(
    call: CallInPage, server: BareServer
) -> None:
    server.updates_refused = 1
    assert await call.begin(mic=False, patch={"audio": {"output": {"voice": "nobody"}}}) is None
    (problem,) = await call.all("problem")
    assert problem["code"] == "protocol"
    assert not problem["isFatal"]
    assert "no such voice" in problem["message"]


async def test_after_the_end_nothing_is_left(call: CallInPage, server: BareServer) -> None:
    await call.page.evaluate(
        """() => {
          window.tracks = []; window.contexts = [];
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wish) => {
            const stream = await ask(wish);
            tracks.push(...stream.getTracks());
            return stream;
          };
          const Context = window.AudioContext;
          window.AudioContext = class extends Context { constructor(...a) { super(...a); contexts.push(this); } };
        }"""
    )
    await live(call, server)
    await call.do("call.stop()")
    await call.page.wait_for_function("() => contexts.every((one) => one.state === 'closed')")
    left = await call.page.evaluate(
        "() => ({ tracks: tracks.map((one) => one.readyState), contexts: contexts.length })"
    )
    assert left == {"tracks": ["ended"], "contexts": 1}
    held = await call.page.evaluate("async () => (await navigator.locks.query()).held.length")
    assert held == 0
    assert await call.begin(mic=False) is None, "and another may begin"
    assert await call.do("call.recorder.durationMs") < 1000


def last_ack(connection: Connection) -> dict[str, object]:
    return connection.of("speakback.playback_ack")[-1]
