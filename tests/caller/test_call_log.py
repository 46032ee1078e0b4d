"""The server's account of a call."""

import json

from speakback.caller import server_events as se
from speakback.caller.call_log import CallLog, TranscriptLine
from speakback.caller.timeline import UserTurn


def speech_started(item_id: str = "u1") -> se.SpeechStarted:
    return se.SpeechStarted(type="input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=500)


def speech_stopped(item_id: str = "u1") -> se.SpeechStopped:
    return se.SpeechStopped(type="input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=1500)


def transcribed(text: str, item_id: str = "u1") -> se.Transcribed:
    kind = "conversation.item.input_audio_transcription.completed"
    return se.Transcribed.model_validate({"type": kind, "item_id": item_id, "transcript": text})


def created(response_id: str = "r1") -> se.ReplyStarted:
    return se.ReplyStarted.model_validate({"type": "response.created", "response": {"id": response_id}})


def audio(response_id: str = "r1") -> se.AudioDelta:
    return se.AudioDelta(type="response.output_audio.delta", response_id=response_id, item_id="a1", delta="AAA=")


def words(text: str, response_id: str = "r1") -> se.TranscriptDelta:
    kind = "response.output_audio_transcript.delta"
    return se.TranscriptDelta.model_validate({"type": kind, "response_id": response_id, "item_id": "a1", "delta": text})


def done(status: str = "completed", text: str | None = None, reason: str | None = None) -> se.ReplyDone:
    output = [] if text is None else [{"content": [{"transcript": text}]}]
    response = {"id": "r1", "status": status, "status_details": {"reason": reason}, "output": output}
    return se.ReplyDone.model_validate({"type": "response.done", "response": response})


def test_a_turn_and_its_reply() -> None:
    log = CallLog()
    events: list[se.ServerEvent] = [speech_started(), speech_stopped(), transcribed("Hi."), created()]
    events += [audio(), words("Hello"), audio()]
    lines = [log.take(event, at_ms) for at_ms, event in enumerate([*events, done(text="Hello there.")])]
    assert [line for line in lines if line] == [
        TranscriptLine(2, "user", "Hi."),
        TranscriptLine(7, "agent", "Hello there."),
    ]
    assert log.user_turns == (UserTurn("u1", 500, 1500, "Hi."),)
    reply = log.replies["r1"]
    assert (reply.item_id, reply.first_byte_ms, reply.last_byte_ms, reply.status) == ("a1", 4, 6, "completed")
    assert log.last_news_ms == 7
    assert [event.name for event in log.events] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "response.created",
        "response.done",
    ]


def test_an_interrupted_reply_says_so() -> None:
    log = CallLog()
    log.take(created(), 0.0)
    log.take(words("I was"), 1.0)
    line = log.take(done("cancelled", reason="turn_detected"), 2.0)
    assert line == TranscriptLine(2.0, "agent", "I was", interrupted=True)
    assert log.replies["r1"].reason == "turn_detected"


def test_busy_from_the_first_sound_to_the_last_answer() -> None:
    log = CallLog()
    busy = []
    steps: list[se.ServerEvent] = [speech_started(), speech_stopped(), transcribed("Hi."), created(), done()]
    for event in steps:
        log.take(event, 0.0)
        busy.append(log.is_busy)
    assert busy == [True, True, False, True, False]


def test_a_turn_that_held_nothing_is_settled() -> None:
    log = CallLog()
    log.take(speech_started(), 0.0)
    log.take(se.ItemDeleted(type="conversation.item.deleted", item_id="u1"), 1.0)
    assert not log.is_busy
    assert log.user_turns[0].text is None


def test_a_deleted_item_of_the_agent_is_no_turn() -> None:
    log = CallLog()
    assert log.take(se.ItemDeleted(type="conversation.item.deleted", item_id="a1"), 0.0) is None
    assert log.user_turns == ()


def test_an_empty_transcript_is_no_line() -> None:
    log = CallLog()
    log.take(speech_started(), 0.0)
    assert log.take(transcribed(""), 1.0) is None
    assert log.user_turns[0].text == ""


def test_errors_are_kept() -> None:
    log = CallLog()
    log.take(se.ServerError.model_validate({"type": "error", "error": {"message": "no"}}), 3.0)
    assert log.errors == ["no"]
    assert log.events[0].detail == "no"


def test_the_latest_account_of_the_drafts_counts() -> None:
    log = CallLog()
    assert CallLog().drafts is None
    for started in (1, 2):
        counts = {"promoted": 1, "wasted_tokens": 3, "wasted_characters": 4, "useful_tokens": 5, "useful_characters": 6}
        told = se.read_event(
            json.dumps({"type": "speakback.drafts", "started": started, **counts, "correlation_id": "c"})
        )
        log.take(told, 0.0)
    assert log.drafts is not None
    assert (log.drafts.started, log.drafts.wasted_characters) == (2, 4)
