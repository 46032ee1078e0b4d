"""session/snapshot.py: nothing is lost on the way to JSON and back, and what is no snapshot is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.session.asking import Rest
from speakback.session.items import MessageItem, ToolCallItem, ToolOutputItem
from speakback.session.settings import ReplyOptions
from speakback.session.snapshot import VERSION, AwaitedSpeech, Snapshot, SnapshotRefused, beginning, from_json, to_json
from speakback.timebase import TurnId
from speakback.turn.left_open import AwaitedTurn, Debt, LeftOpen
from speakback.turn.words import Repair

SECRET = "my dog's name"

texts = st.text(st.characters())
awaited_turns = st.lists(st.from_type(AwaitedTurn), max_size=3).map(tuple)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    turns = draw(awaited_turns)
    speech = [draw(st.builds(AwaitedSpeech, texts, texts, st.binary(), st.floats(0, 60))) for _ in turns]
    return Snapshot(
        session_id=draw(texts),
        last_id=draw(st.integers(0)),
        client_settings=draw(texts),
        items=draw(
            st.lists(
                st.builds(
                    MessageItem,
                    texts,
                    st.sampled_from(["system", "user", "assistant"]),
                    texts,
                    st.booleans(),
                    st.sampled_from(["in_progress", "completed", "incomplete"]),
                )
                | st.builds(ToolCallItem, texts, texts, texts, texts)
                | st.builds(ToolOutputItem, texts, texts, texts)
            ).map(tuple)
        ),
        learned_pauses_ms=draw(st.lists(st.integers(0)).map(tuple)),
        left_open=LeftOpen(draw(st.none() | st.from_type(Debt)), turns, draw(st.booleans()), draw(st.booleans())),
        awaited=tuple(speech),
        rest=draw(st.builds(Rest, texts, st.booleans())),
        asked=draw(
            st.builds(
                ReplyOptions,
                instructions=st.none() | texts,
                speaks=st.none() | st.booleans(),
                tool_choice=st.sampled_from([None, "auto", "none", "required"]),
                max_tokens=st.none() | st.integers(1),
                metadata=st.lists(st.tuples(texts, texts)).map(tuple),
            )
        ),
        pcm16=draw(st.binary()),
        heard_samples=draw(st.integers(0)),
    )


@settings(deadline=None)
@given(snapshots())
def test_json_and_back_is_the_same(snapshot: Snapshot) -> None:
    assert from_json(to_json(snapshot)) == snapshot


WRITTEN = (
    '{"speakback_snapshot":1,"snapshot":{"type":"Snapshot","session_id":"sess_1","last_id":3,"client_settings":"[]",'
    '"items":[{"type":"MessageItem","item_id":"item_1","role":"user","text":"N\\u00e9?","spoken":true,"status":"completed"},'
    '{"type":"ToolCallItem","item_id":"item_2","call_id":"call_1","name":"look","arguments":"{}"}],'
    '"learned_pauses_ms":[420],"left_open":{"type":"LeftOpen","debt":{"type":"Debt","turn_id":0,"failed":false,'
    '"interruptible":true,"repair":"resume"},"awaited":[{"type":"AwaitedTurn","turn_id":4,"is_owed":true,'
    '"interrupted":false}],"agent_has_spoken":true,"waits_for_tool":false},"awaited":[{"type":"AwaitedSpeech",'
    '"item_id":"item_3","text_before":"","pcm16":"AQA=","seconds":0.5}],"rest":{"type":"Rest","text":"and so on.",'
    '"is_whole":true},"asked":{"type":"ReplyOptions","instructions":null,"speaks":null,"tools":null,'
    '"tool_choice":null,"max_tokens":null,"interruptible":true,"metadata":[["call","7"]]},"pcm16":"AAACAA==",'
    '"heard_samples":1600}}'
)
"""As servers of this version write it. Where this changes, `VERSION` must."""
READ = Snapshot(
    session_id="sess_1",
    last_id=3,
    client_settings="[]",
    items=(MessageItem("item_1", "user", "Né?", True), ToolCallItem("item_2", "call_1", "look", "{}")),
    learned_pauses_ms=(420,),
    left_open=LeftOpen(
        Debt(TurnId(0), repair=Repair.RESUME), (AwaitedTurn(TurnId(4), True, False),), agent_has_spoken=True
    ),
    awaited=(AwaitedSpeech("item_3", "", b"\x01\x00", 0.5),),
    rest=Rest("and so on.", True),
    asked=ReplyOptions(metadata=(("call", "7"),)),
    pcm16=b"\x00\x00\x02\x00",
    heard_samples=1600,
)


def test_the_form_of_this_version_does_not_change() -> None:
    assert to_json(READ).decode() == WRITTEN
    assert from_json(WRITTEN.encode()) == READ


def test_the_position_of_its_sound_is_known() -> None:
    assert READ.first_sample == 1598
    assert beginning("sess_1").first_sample == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speakback_snapshot": VERSION + 1}, f"of version {VERSION + 1}, and this server reads version {VERSION}"),
        ({"speakback_snapshot": SECRET}, "of version unknown"),
        ({"snapshot": None}, f"says version {VERSION}, and is not as that version has it"),
        ({"snapshot": {"type": "Snapshot", SECRET: SECRET}}, "is not as that version has it"),
    ],
)
def test_another_version_or_shape_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SnapshotRefused, match=message) as refused:
        from_json(json.dumps(json.loads(WRITTEN) | change).encode())
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b'{"version": 1}', b"3", b"[" * 100_000])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotRefused, match="no JSON|no snapshot"):
        from_json(data)


@pytest.mark.parametrize("field", ["items", "heard_samples", "rest", "left_open"])
def test_a_field_that_is_missing_is_not_filled_in(field: str) -> None:
    plain = json.loads(WRITTEN)
    del plain["snapshot"][field]
    with pytest.raises(SnapshotRefused, match="is not as that version has it"):
        from_json(json.dumps(plain).encode())


def test_each_awaited_turn_must_have_its_sound() -> None:
    plain = json.loads(WRITTEN)
    plain["snapshot"]["awaited"] = []
    with pytest.raises(SnapshotRefused, match="sound of each turn"):
        from_json(json.dumps(plain).encode())
