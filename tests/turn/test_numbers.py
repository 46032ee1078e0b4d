import pytest

from speakback.turn.numbers import within_number


@pytest.mark.parametrize(
    "text",
    [
        *("555", "five five five", "My number is 555", "My number is 555.", "it's 555-123", "555, 123.", "5 5 5 1"),
        *("My phone number is", "My card number is 4111 1111", "my card number is 4111-1111-1111", "double five seven"),
        *(
            "The order number is 12",
            "my pin is 4 2",
            "It is spelt A. B",
            "S-M-I",
            "S M I T H",
            "It's spelled S.",
            "A, B",
        ),
        *("B as in boy, R as in Robert, A as in apple", "oh seven seven double oh", "the zip code is 90 2"),
        *("My phone number is five five five, one two three,", "my account ends with 55", "the area code is 212"),
        *("my extension is 2 oh", "triple seven four", "one, two, three", "it's five five five one"),
    ],
)
def test_groups_that_are_not_whole_go_on(text: str) -> None:
    assert within_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "...", "Hello.", "25", "twenty five", "Seven.", "2026", "nineteen eighty four", "500", "1,000", "$50"),
        *("At 10:30", "5 p.m.", "It costs 3.50", "50%", "555-123-4567", "555 123 4567", "555-1234", "plan B"),
        *("five five five one two three four", "My number is 555 123 4567.", "the zip code is 90210", "my pin is 4417"),
        *(
            "My card number is 4111 1111 1111 1111",
            "I live in the U.S.",
            "I got an A",
            "me and I",
            "The number of people is 4",
        ),
        *("that's my number one", "the phone costs 500", "in May 2026", "Was it 2 or 3", "the order number is 123456"),
        *("My phone number is on the card", "ten eleven twelve", "I have a dog", "I want 2 of them", "555 people"),
    ],
)
def test_whole_numbers_amounts_and_words_do_not(text: str) -> None:
    assert not within_number(text)
