import pytest

from speakback.turn.echo_text import echoes, text_echo

SAID = "Good shoes with a firm sole are the most important thing. Take a map as well, because phones run out of power."


@pytest.mark.parametrize(
    "heard",
    [
        "Good shoes with a firm sole",
        "are the most important thing",
        "the most importance thing take a map",  # misread
        "firm soul are the most important",
        "phones run out of power",
        "map as well because funds run out",
        "GOOD SHOES, WITH A FIRM...",
    ],
)
def test_the_agents_own_words_are_an_echo(heard: str) -> None:
    assert echoes(heard, SAID)


@pytest.mark.parametrize(
    "heard",
    [
        "",
        "...",
        "yeah",
        "the",
        "with a",  # only common words
        "Wait, I don't have any shoes.",
        "What about the map?",
        "power of out run phones",  # not in order
        "Could you tell me about the weather instead?",
        "good thing I have a battery",  # in order, but far apart
    ],
)
def test_a_users_words_are_none(heard: str) -> None:
    assert not echoes(heard, SAID)


def test_the_share_is_that_of_the_heard_words() -> None:
    assert text_echo("firm sole", SAID) == 1.0
    assert text_echo("firm sole never heard", SAID) == 0.5
    assert text_echo("firm", "") == 0.0


def test_words_said_long_ago_cannot_be_heard_any_more() -> None:
    assert not echoes("good shoes with a firm sole", SAID + " and" * 100)
