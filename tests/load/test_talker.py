"""One caller, without a line: what it sends, and what it notes of what it is sent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from speakback.caller.errors import CallError
from speakback.caller.pacing import FRAME_MS
from speakback.gateway.binary import AudioFrame, Kind, pack, unpack
from speakback.load.hearing import BUFFER_MS
from speakback.load.plan import Kind as LineKind
from speakback.load.plan import Utterance
from speakback.load.record import CallerRecord
from speakback.load.talker import ACK_EVERY_FRAMES, OWN_SPEECH_MS, Talker, TurnedAwayError
from speakback.load.wire import Wire, address_of
from tests.load.sounds import TONES, line

FORTY_MS = bytes(40 * 48)


class Recorder(Wire):
    """A wire that keeps what it is to send."""

    def __init__(self, talker: Talker) -> None:
        super().__init__(address_of("ws://127.0.0.1:9/", None), talker)
        self.texts: list[dict[str, object]] = []
        self.frames: list[AudioFrame] = []

    @property
    def is_open(self) -> bool:
        return True

    def send_text(self, text: str) -> None:
        self.texts.append(json.loads(text))

    def send_binary(self, data: bytes) -> None:
        self.frames.append(unpack(data))

    def hang_up(self) -> None:
        pass


@dataclass
class Call:
    """A caller at a clock that a test moves on. It says one line of 200 ms after 100 ms, then nothing for long."""

    ms: float = 0.0
    ended: list[Talker] = field(default_factory=list)
    hush_ms: float = 1e9

    def __post_init__(self) -> None:
        self.talker = Talker(
            CallerRecord(), self._lines(), TONES.room, lambda: self.ms, lambda: self.hush_ms, self.ended.append
        )
        self.wire = Recorder(self.talker)
        self.talker.connected(self.wire)

    @staticmethod
    def _lines() -> Iterator[Utterance]:
        yield Utterance(LineKind.QUESTION, line(200), 100)
        while True:
            yield Utterance(LineKind.QUESTION, line(200), 1_000_000)

    def speaks_on(self, ms: float) -> None:
        until_ms = self.ms + ms
        while self.ms < until_ms:
            self.ms += FRAME_MS
            self.talker.send_frame(self.ms)

    def is_told(self, **event: object) -> None:
        self.talker.text(json.dumps(event))

    def hears(self, sequence: int) -> None:
        self.talker.binary(pack(AudioFrame(Kind.AGENT_AUDIO, sequence, FORTY_MS)))

    def is_answered(self) -> None:
        self.is_told(type="speakback.audio_begin", response_id="resp_1", item_id="item_1")
        self.hears(0)


async def test_its_frames_are_numbered_and_its_line_is_timed() -> None:
    call = Call()
    call.speaks_on(600)
    assert [frame.sequence for frame in call.wire.frames] == list(range(30))
    (spoken,) = call.talker.record.spoken
    said = line(200)
    assert spoken.first_ms == 120 + said.first_voiced * FRAME_MS
    assert spoken.last_ms == 120 + said.last_voiced * FRAME_MS
    assert tuple(frame.pcm16 for frame in call.wire.frames[5 : 5 + len(said.frames)]) == said.frames


async def test_it_begins_nothing_that_it_could_not_finish() -> None:
    call = Call(hush_ms=300)
    call.speaks_on(600)
    assert call.talker.record.spoken == []
    assert len(call.wire.frames) == 30


async def test_it_says_how_far_its_loudspeaker_is_while_it_plays() -> None:
    call = Call()
    call.speaks_on(ACK_EVERY_FRAMES * FRAME_MS - FRAME_MS)
    call.is_answered()
    for sequence in range(1, 6):
        call.hears(sequence)
    call.speaks_on(FRAME_MS)
    call.speaks_on(1000)
    acks = [text for text in call.wire.texts if text["type"] == "speakback.playback_ack"]
    assert [(ack["item_id"], ack["played_ms"], ack["buffered_ms"]) for ack in acks] == [
        ("item_1", 0, 240),
        ("item_1", 160, 80),
    ]


async def test_it_falls_silent_when_it_is_heard_over_the_agent() -> None:
    call = Call(ms=1000)
    call.is_answered()
    call.hears(1)
    call.ms += BUFFER_MS + 30
    started = {"type": "input_audio_buffer.speech_started", "item_id": "item_2", "audio_start_ms": 0}
    call.is_told(**started)
    call.is_told(**started)
    (cut,) = call.wire.texts
    assert (cut["type"], cut["item_id"], cut["audio_end_ms"]) == ("conversation.item.truncate", "item_1", 30)
    call.ms += 500
    call.hears(2)
    assert call.talker.record.replies[0].gaps_ms == [], "it plays nothing of this reply any more"


async def test_a_reply_is_noted_from_its_first_byte_to_its_end() -> None:
    call = Call(ms=5000)
    call.is_answered()
    call.ms = 5100 + BUFFER_MS
    call.hears(1)
    call.ms = 5400
    latency = dict.fromkeys(("transcription_ms", "first_token_ms", "first_clause_ms", "synthesis_ms", "first_byte_ms",
                             "playback_ms", "asr_confidence", "artifacts"))  # fmt: skip
    told = {"item_id": "item_0", "response_id": "resp_1", "endpointing_wait_ms": 300, "ttfb_ms": 500, "own_ms": 4}
    call.is_told(type="speakback.latency", **latency, **told)
    call.is_told(type="response.done", response={"id": "resp_1", "status": "completed"})
    (reply,) = call.talker.record.replies
    assert (reply.first_byte_ms, reply.last_byte_ms, reply.done_ms, reply.status) == (5000, 5160, 5400, "completed")
    assert reply.gaps_ms == [60.0]
    assert reply.latency is not None
    assert reply.latency.endpointing_wait_ms == 300


async def test_a_pause_of_the_agent_after_the_caller_spoke_up_is_no_gap() -> None:
    call = Call()
    call.speaks_on(500)
    call.is_answered()
    call.ms += 400
    call.hears(1)
    assert call.talker.record.replies[0].gaps_ms == []
    for sequence in range(2, 2 + int(OWN_SPEECH_MS / 40)):
        call.ms += 40
        call.hears(sequence)
    call.ms += 400
    call.hears(2 + int(OWN_SPEECH_MS / 40))
    assert len(call.talker.record.replies[0].gaps_ms) == 1, "a pause long after it is one"


async def test_the_server_s_end_of_voice_is_found_among_the_frames() -> None:
    call = Call(ms=7.0)
    call.speaks_on(1000)
    call.is_told(type="input_audio_buffer.speech_stopped", item_id="item_0", audio_end_ms=400)
    # Sure with the sample 128 ms (and the resampler's 3 ms) behind the end, in the frame from 520 to 540 ms.
    assert call.talker.record.voice_ended_ms == {"item_0": 7.0 + 540 - 128}
    call.is_told(type="input_audio_buffer.speech_stopped", item_id="item_9", audio_end_ms=5000)
    assert "item_9" not in call.talker.record.voice_ended_ms, "that was not sent yet"


async def test_what_is_missing_or_makes_no_sense_is_noted() -> None:
    call = Call()
    call.hears(0)
    call.is_answered()
    call.hears(2)
    call.talker.binary(b"\x09")
    call.is_told(type="error", error={"code": "x", "message": "no good"})
    assert call.talker.record.gaps_in_sequence == 1
    assert len(call.talker.record.errors) == 3
    assert call.talker.record.errors[-1] == "no good"
    with pytest.raises(CallError, match="refused the session"):
        await call.talker.settled


async def test_it_is_settled_once_its_wishes_are_granted() -> None:
    call = Call()
    call.talker.opened()
    (wishes,) = call.wire.texts
    assert wishes["session"] == {
        "type": "realtime",
        "speakback": {"binary_audio": True, "events": ["latency"], "playback_ack": True},
    }
    call.is_told(type="session.created")
    assert not call.talker.settled.done()
    call.is_told(type="session.updated")
    await call.talker.settled


async def test_a_caller_that_is_turned_away() -> None:
    call = Call()
    call.talker.refused(503, 4.0)
    call.talker.closed(1006, "")
    with pytest.raises(TurnedAwayError) as turned:
        await call.talker.settled
    assert turned.value.retry_after_s == 4.0
    assert call.ended == [call.talker]
    assert call.talker.record.ended is None


async def test_only_a_line_that_the_caller_did_not_end_ended_early() -> None:
    for leaves in (True, False):
        call = Call()
        call.is_told(type="session.updated")
        call.talker.record.joined_ms = 0.0
        if leaves:
            call.talker.hang_up()
        call.talker.closed(1012, "restart")
        ended = call.talker.record.ended
        assert (ended is None) == leaves
        assert ended is None or ended.code == 1012


async def test_business_is_open_until_the_last_reply_is_done() -> None:
    call = Call()
    assert not call.talker.has_open_business()
    call.speaks_on(200)
    assert call.talker.has_open_business(), "it is speaking"
    call.speaks_on(400)
    assert call.talker.has_open_business(), "it has no answer"
    call.is_answered()
    assert call.talker.has_open_business(), "the answer goes on"
    call.is_told(type="response.done", response={"id": "resp_1", "status": "completed"})
    assert not call.talker.has_open_business()
