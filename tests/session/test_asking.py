from dataclasses import replace

import pytest

from speakback.providers.llm import Message, Prompt
from speakback.session.asking import Ask, rephrase_note, same_ask

HISTORY = (Message("system", "Be brief."), Message("assistant", "Hello."))


def asking(*messages: Message) -> Ask:
    return Ask(
        Prompt(
            messages=(*HISTORY, *messages),
            tools=(),
            tool_choice="auto",
            max_tokens=99,
            temperature=0.3,
            session_key="sess_1",
            correlation_id="corr-1",
        )
    )


DRAFTED = asking(Message("user", "What time is it"))


@pytest.mark.parametrize("words", ["What time is it", "what time is it?", "What time is it,", "WHAT, time -- is it?!"])
def test_case_and_punctuation_do_not_make_another_question(words: str) -> None:
    assert same_ask(DRAFTED, asking(Message("user", words)))


@pytest.mark.parametrize("words", ["What time is it now?", "What time is", "What's time is it?", ""])
def test_another_word_makes_another_question(words: str) -> None:
    assert not same_ask(DRAFTED, asking(Message("user", words)))


def test_whoever_else_said_it_asked_something_else() -> None:
    assert not same_ask(DRAFTED, asking(Message("system", "What time is it")))


def test_what_stands_before_the_last_words_counts_to_the_letter() -> None:
    first = Message("user", "I am in Rome.")
    last = Message("user", "What time is it?")
    assert same_ask(asking(first, last), asking(first, last))
    assert not same_ask(asking(first, last), asking(replace(first, content="I am in Rome"), last))
    assert not same_ask(DRAFTED, asking(first, last))


def test_how_it_is_to_be_answered_counts() -> None:
    assert DRAFTED.prompt is not None
    assert not same_ask(DRAFTED, replace(DRAFTED, speaks=False))
    assert not same_ask(DRAFTED, replace(DRAFTED, prompt=replace(DRAFTED.prompt, max_tokens=5)))


def test_fixed_words_are_no_question() -> None:
    assert not same_ask(DRAFTED, Ask(None, "Sorry."))
    assert same_ask(Ask(None, "Sorry."), Ask(None, "Sorry."))


def test_the_model_is_told_what_it_had_still_to_say() -> None:
    assert rephrase_note("four five six.").endswith("four five six.")
