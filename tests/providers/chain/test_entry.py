"""Who is asked in which order."""

import pytest

from speakback.providers.chain.entry import ANY, Entry, Pin, UnknownPin, ordered

ENTRIES = (
    Entry("groq-us", 1, region="us"),
    Entry("groq-eu", 2, region="eu"),
    Entry("other", 3),
    Entry("local", 4, is_local=True),
)


def names(pin: Pin) -> list[str]:
    return [entry.name for entry in ordered("llm", ENTRIES, pin)]


def test_without_a_pin_the_order_holds() -> None:
    assert names(ANY) == ["groq-us", "groq-eu", "other", "local"]


def test_a_pinned_provider_comes_first() -> None:
    assert names(Pin("other")) == ["other", "groq-us", "groq-eu", "local"]
    assert names(Pin("other", only=True)) == ["other"]


def test_a_region_is_not_left_but_for_this_machine() -> None:
    assert names(Pin(region="eu")) == ["groq-eu", "local"]
    assert names(Pin("local", "eu")) == ["local", "groq-eu"]


@pytest.mark.parametrize(
    ("pin", "message"),
    [
        (Pin("groq"), "no provider 'groq'; there are groq-us, groq-eu, other, local"),
        (Pin(region="mars"), "region 'mars'; there are eu, us"),
        (Pin("groq-us", "eu"), "'groq-us' is not in region 'eu'"),
        (Pin(only=True), "only which"),
    ],
)
def test_unknown_pins(pin: Pin, message: str) -> None:
    with pytest.raises(UnknownPin, match=message):
        names(pin)
