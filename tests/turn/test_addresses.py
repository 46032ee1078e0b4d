import pytest

from speakback.turn.addresses import within_address


@pytest.mark.parametrize(
    "text",
    [
        *("My email is", "My e-mail address is john", "my email is john dot smith", "my email is john dot smith at"),
        *("john at gmail", "john at gmail dot", "john@gmail", "john@", "It's john.smith@gmail.", "www.example", "www."),
        *("go to example dot", "the website is example", "https://example", "john underscore", "w w w dot"),
        *("I live at 221", "I live at 221B Baker", "My address is 42 Elm Street", "My address is", "Send it to 42 Elm"),
        *("my address is 12 North", "The website is example dot com slash"),
    ],
)
def test_an_address_that_was_begun_goes_on(text: str) -> None:
    assert within_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "...",
            "Hello.",
            "john@gmail.com",
            "john.smith@mail.example.org.",
            "www.example.com",
            "john at gmail dot com",
        ),
        *(
            "My email is john dot smith at gmail dot com.",
            "example dot org",
            "https://example.com/a",
            "I sent you an email.",
        ),
        *(
            "My email is not working",
            "the website is down",
            "look at",
            "He was at the",
            "a red dot",
            "the dot",
            "a dash",
        ),
        *("I live at 221B Baker Street London", "My address is 42 Elm Street, Springfield", "I live on the coast"),
        *(
            "my address is 42 Elm Lane Springfield 90210",
            "I live at home",
            "my email is the same as it was the last time we spoke",
        ),
        *("send it to 42 people in the first building tonight", "We live on a farm", "meet me at the corner", "dot"),
    ],
)
def test_whole_addresses_and_other_words_do_not(text: str) -> None:
    assert not within_address(text)
