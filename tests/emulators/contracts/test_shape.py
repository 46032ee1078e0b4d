"""Shapes: what differs between two exchanges is told, their values are not."""

import json

from speakback.emulators.contracts.recording import Frame, FrameKind
from speakback.emulators.contracts.shape import differences, facts, types_of


def frame(text: str, kind: FrameKind = "message", connection: int = 1) -> Frame:
    return Frame(connection, "received", kind, 0.0, text)


def audio(**fields: object) -> Frame:
    return frame(json.dumps({"audio": "AAAA", "isFinal": None, **fields}))


def told(live: list[Frame], emulator: list[Frame]) -> list[str]:
    return [str(one) for one in differences(live, emulator)]


def test_the_same_shape_with_other_values_and_counts_does_not_differ() -> None:
    live = [audio(alignment={"chars": ["a"]}), audio(alignment=None), audio(alignment=None)]
    emulator = [audio(alignment={"chars": ["b", "c"]}), audio(alignment=None)]
    assert told(live, emulator) == []


def test_another_spelling_is_told_once_and_not_for_all_that_is_within() -> None:
    live = [audio(alignment={"charsDurationsMs": [1, 2]})]
    emulator = [audio(alignment={"charDurationsMs": [1, 2]})]
    assert told(live, emulator) == [
        "audio.alignment.charDurationsMs: live –; emulator array",
        "audio.alignment.charsDurationsMs: live array; emulator –",
    ]


def test_nulls_fields_that_are_sometimes_absent_and_kinds_of_numbers_are_told() -> None:
    live = [audio(a=None, b=1), audio(a="x")]
    emulator = [audio(a="x", b=1.5), audio(a="x", b=2)]
    assert told(live, emulator) == [
        "audio.a: live string or null; emulator string",
        "audio.b: live integer or absent; emulator number",
    ]


def test_orders_are_told_by_context_and_without_counts() -> None:
    final = frame('{"isFinal": true, "contextId": "c1"}')
    live = [audio(contextId="c1"), audio(contextId="c1"), final]
    assert facts(live)["order in c1"] == {"audio, final"}
    late = [audio(contextId="c1"), final, audio(contextId="c1")]
    assert "order in c1: live audio, final, audio; emulator audio, final" in told(late, live)


def test_status_header_names_and_close_codes_are_told() -> None:
    live = [frame("HTTP 101\ncf-ray: 1\nserver: a", "head"), frame("1008 Too many", "close")]
    emulator = [frame("HTTP 200\nserver: b\nx-region: us", "head"), frame("1000", "close")]
    assert told(live, emulator) == [
        "close: live 1008 with a reason; emulator 1000 without reason",
        "header names: live cf-ray; emulator x-region",
        "status: live HTTP 101; emulator HTTP 200",
    ]


def test_events_are_of_kinds_too() -> None:
    chunk = json.dumps({"choices": [{"delta": {"content": "a"}, "finish_reason": None}]})
    live = [frame(f"data: {chunk}", "event"), frame('event: error\ndata: {"error": {}}', "event")]
    emulator = [frame(f"data: {chunk}", "event"), frame("data: [DONE]", "event")]
    found = told(live, emulator)
    assert "order: live content, event error: message with error; emulator content, [DONE]" in found


def test_what_is_not_json_and_a_body_are_told() -> None:
    assert told([frame("<html>", "body")], [frame("{}", "body")]) == ["body: live not JSON; emulator object"]


def test_several_connections_are_told_apart() -> None:
    live = [frame("1000", "close"), frame("1006", "close", connection=2)]
    emulator = [frame("1000", "close"), frame("1000", "close", connection=2)]
    assert told(live, emulator) == ["connection 2: close: live 1006 without reason; emulator 1000 without reason"]


def test_what_was_sent_does_not_count() -> None:
    assert facts([Frame(1, "sent", "message", 0.0, '{"text": " "}')]) == {}


def test_types_within_arrays_of_objects() -> None:
    found = dict(types_of([{"words": [{"start": 0, "end": 0.4}, {"start": 1}]}], "body"))
    assert found["body.words[].start"] == {"integer"}
    assert found["body.words[].end"] == {"number", "absent"}
