"""docs/protocol.md says what the code does."""

import json
from pathlib import Path

import pytest

from speakback.gateway.realtime.accepted_keys import NOT_APPLIED, NOT_OFFERED
from speakback.gateway.realtime.client_events import EVENT_TYPES
from speakback.gateway.realtime.session_view import EAGERNESS, OWN_EVENTS
from speakback.turn.tables import Agent, Floor, User
from tests.gateway import example_session

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


async def test_the_example_session_is_what_the_codec_really_says() -> None:
    assert "\n".join(example_session.lines()) in PAGE, "make it anew: python -m tests.gateway.example_session"


@pytest.mark.parametrize("name", sorted(EVENT_TYPES | set(NOT_OFFERED) | set(OWN_EVENTS.values()) | {"speakback.pong"}))
def test_every_event_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_page_tells_what_may_be_asked_for() -> None:
    assert f"`{json.dumps(list(OWN_EVENTS))}`" in PAGE


@pytest.mark.parametrize("state", [*User, *Agent, *Floor])
def test_the_states_of_the_floor_are_on_the_page(state: User | Agent | Floor) -> None:
    assert f"`{state.value}`" in PAGE


@pytest.mark.parametrize("name", ["resume_token", "resumed", "resume_unavailable"])
def test_every_event_of_resumption_is_on_the_page(name: str) -> None:
    assert f"`speakback.{name}`" in PAGE


@pytest.mark.parametrize("key", [key for keys in NOT_APPLIED.values() for key in keys])
def test_every_key_that_does_not_apply_is_on_the_page(key: str) -> None:
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("eagerness", EAGERNESS)
def test_the_waits_are_on_the_page(eagerness: str) -> None:
    waits = EAGERNESS[eagerness]  # type: ignore[index]
    assert f"| `{eagerness}` | {waits.confidence:g} | {waits.most_ms} | {waits.unscored_ms} |" in PAGE
