"""A talk too long for the window loses its oldest turns, in big steps, always at the same place."""

from hypothesis import given
from hypothesis import strategies as st

from speakback.providers.fit_prompt import fit_prompt, message_tokens
from speakback.providers.llm import Message, Prompt, ToolCall

SYSTEM = Message("system", "Be brief.")


def user(text: str) -> Message:
    return Message("user", text)


def agent(text: str) -> Message:
    return Message("assistant", text)


def test_what_fits_stays_as_it_is() -> None:
    prompt = Prompt((SYSTEM, user("Hello"), agent("Hi"), user("Bye")))
    assert fit_prompt(prompt, 1000) is prompt


def test_the_oldest_turns_go_and_the_instructions_stay() -> None:
    talk = [make("word " * 30) for _ in range(10) for make in (user, agent)]
    fitted = fit_prompt(Prompt((SYSTEM, *talk, user("And now?"))), 400)
    assert fitted.messages[0] == SYSTEM
    assert fitted.messages[1].role == "user"
    assert fitted.messages[-1] == user("And now?")
    assert len(fitted.messages) < 10


def test_a_tools_result_never_loses_its_call() -> None:
    call = Message("assistant", "", (ToolCall("a", "weather", "{}"),))
    result = Message("tool", "rain " * 100, tool_call_id="a")
    fitted = fit_prompt(Prompt((SYSTEM, user("old " * 200), agent("yes"), user("Weather?"), call, result)), 300)
    assert fitted.messages == (SYSTEM, user("Weather?"), call, result)


def test_the_last_user_message_stays_even_where_it_does_not_fit() -> None:
    long = user("word " * 500)
    assert fit_prompt(Prompt((SYSTEM, user("a"), agent("b"), long)), 100).messages == (SYSTEM, long)


TURNS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=2, max_size=40)


@given(TURNS, st.integers(60, 400))
def test_a_growing_talk_is_cut_at_the_same_place_until_the_window_is_full(
    turns: list[tuple[int, int]], window_tokens: int
) -> None:
    talk: tuple[Message, ...] = ()
    before: tuple[Message, ...] = ()
    for words, answer_words in turns:
        talk = (*talk, user("abc " * words))
        kept = fit_prompt(Prompt((SYSTEM, *talk)), window_tokens).messages
        grew = kept[: len(before)] == before
        tokens_if_kept = sum(map(message_tokens, (*before, *talk[-2:])))  # the last answer, and what was said to it
        assert grew or tokens_if_kept > window_tokens
        assert sum(map(message_tokens, kept)) <= window_tokens or len(kept) == 2
        talk = (*talk, agent("abc " * answer_words))
        before = kept


def test_a_full_window_is_half_emptied_so_that_the_next_turns_cut_nothing() -> None:
    talk = tuple(make("abc " * 30) for _ in range(5) for make in (user, agent))
    window_tokens = message_tokens(SYSTEM) + sum(map(message_tokens, talk)) - 1
    kept = fit_prompt(Prompt((SYSTEM, *talk)), window_tokens).messages
    assert sum(map(message_tokens, kept[1:])) <= window_tokens // 2
