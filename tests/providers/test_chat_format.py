"""The form of a prompt that every chat template takes."""

import pytest

from speakback.providers.chat_format import messages_wire, portable
from speakback.providers.llm import Message, Prompt, ToolCall

SYSTEM, HELLO, HI = Message("system", "Be brief."), Message("user", "Hello."), Message("assistant", "Hi.")
WHAT, NOTE = Message("user", "What?"), Message("system", "Say it in other words.")
NOTED = "[To the assistant, and not said by the user: Say it in other words.]"
CALLS = Message("assistant", "", tool_calls=(ToolCall("c", "clock", "{}"),))
RESULT = Message("tool", "noon", tool_call_id="c")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((), []),
        ((SYSTEM, HELLO, HI, WHAT), [SYSTEM, HELLO, HI, WHAT]),
        ((SYSTEM, HELLO, HI, WHAT, NOTE), [SYSTEM, HELLO, HI, Message("user", f"What?\n{NOTED}")]),
        ((SYSTEM, HELLO, HI, NOTE), [SYSTEM, HELLO, HI, Message("user", NOTED)]),
        ((SYSTEM, HELLO, HI, NOTE, WHAT), [SYSTEM, HELLO, HI, Message("user", f"{NOTED}\nWhat?")]),
        ((SYSTEM, NOTE, HELLO), [Message("system", "Be brief.\nSay it in other words."), HELLO]),
        ((HELLO, NOTE), [Message("user", f"Hello.\n{NOTED}")]),
        ((HELLO, WHAT, HI, HI), [Message("user", "Hello.\nWhat?"), Message("assistant", "Hi.\nHi.")]),
        ((HELLO, CALLS, RESULT, RESULT, HI), [HELLO, CALLS, RESULT, RESULT, HI]),
        ((HELLO, HI, CALLS, RESULT), [HELLO, HI, CALLS, RESULT]),
    ],
)
def test_what_templates_refuse_is_put_otherwise(messages: tuple[Message, ...], expected: list[Message]) -> None:
    assert portable(messages) == expected


def test_the_wire_has_one_system_message_the_first() -> None:
    wire = messages_wire(Prompt((SYSTEM, HELLO, HI, WHAT, NOTE)))
    assert [message["role"] for message in wire] == ["system", "user", "assistant", "user"]


def test_a_prompt_that_grows_keeps_its_beginning() -> None:
    talk = (SYSTEM, HELLO, NOTE, HI, WHAT, NOTE, WHAT, HI, HI, NOTE)

    def text(count: int) -> str:
        return "|".join(f"{message.role}:{message.content}" for message in portable(talk[:count]))

    for count in range(len(talk)):
        assert text(count + 1).startswith(text(count))
