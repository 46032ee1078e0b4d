"""When text becomes speech."""

from hypothesis import given
from hypothesis import strategies as st

from speakback.emulators.elevenlabs.buffering import DEFAULT_SCHEDULE, DialogueBuffer, TextBuffer

MESSAGES = st.lists(st.tuples(st.text("ab .", max_size=80), st.booleans(), st.booleans()), max_size=30)
SCHEDULES = st.lists(st.integers(50, 500), min_size=1, max_size=4)


def buffer(*schedule: int, auto_mode: bool = False) -> TextBuffer:
    return TextBuffer(schedule or DEFAULT_SCHEDULE, auto_mode=auto_mode, try_trigger_minimum=50)


def test_nothing_before_the_first_120_characters_then_all_of_it() -> None:
    speech = buffer()
    assert speech.add("x" * 119) == []
    assert speech.add("yz") == ["x" * 119 + "yz"]
    assert speech.add("x" * 159) == []
    assert speech.add("x") == ["x" * 160]


def test_the_last_of_the_schedule_stays() -> None:
    speech = buffer(50, 60)
    assert [len(speech.add("x" * 60)) for _ in range(4)] == [1, 1, 1, 1]
    assert speech.add("x" * 59) == []


def test_a_flush_counts_as_a_generation() -> None:
    speech = buffer(50, 100)
    assert speech.add("short ", flush=True) == ["short "]
    assert speech.add("x" * 60) == []


def test_try_trigger_needs_more_than_50() -> None:
    assert buffer().add("x" * 50, try_trigger=True) == []
    assert buffer().add("x" * 51, try_trigger=True) == ["x" * 51]


def test_auto_mode_speaks_each_message_and_no_blank_one() -> None:
    speech = buffer(auto_mode=True)
    assert speech.add("Hel") == ["Hel"]
    assert speech.add(" ") == []
    assert speech.add("lo") == [" lo"]
    assert speech.close() == []


def test_keepalives_add_up_to_one_space() -> None:
    speech = buffer(50)
    for _ in range(200):
        assert speech.add(" ") == []
    assert speech.add("Hi.", flush=True) == [" Hi."]


@given(schedule=SCHEDULES, messages=MESSAGES)
def test_every_character_is_spoken_once_and_in_order(
    schedule: list[int], messages: list[tuple[str, bool, bool]]
) -> None:
    speech = buffer(*schedule)
    spoken = [text for one, flush, trigger in messages for text in speech.add(one, flush=flush, try_trigger=trigger)]
    spoken += speech.close()
    sent = "".join(text for text, _, _ in messages)
    assert "".join(spoken).replace(" ", "") == sent.replace(" ", "")
    assert all(text.strip() for text in spoken)


@given(schedule=SCHEDULES, messages=MESSAGES)
def test_it_does_what_section_1_9_says(schedule: list[int], messages: list[tuple[str, bool, bool]]) -> None:
    """Against the section's own words, on text without blank messages."""
    speech, held, generations = buffer(*schedule), "", 0
    for text, flush, trigger in messages:
        if not text.strip():
            continue
        held += text
        enough = len(held) >= schedule[min(generations, len(schedule) - 1)]
        if enough or flush or (trigger and len(held) > 50):
            assert speech.add(text, flush=flush, try_trigger=trigger) == [held]
            held, generations = "", generations + 1
        else:
            assert speech.add(text, flush=flush, try_trigger=trigger) == []
    assert speech.close() == ([held] if held else [])


def test_a_dialogue_needs_both_characters_and_words() -> None:
    dialogue = DialogueBuffer(characters=40, words=8)
    assert dialogue.add("one two three four five six seven eight") == []
    assert dialogue.add(" nine") == ["one two three four five six seven eight nine"]
    assert dialogue.add("x" * 50) == []
    assert dialogue.add("next", new_turn=True) == ["x" * 50]
    assert dialogue.flush() == ["next"]
    assert dialogue.flush() == []
