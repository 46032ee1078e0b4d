"""providers/audio_tags.py"""

from collections.abc import AsyncIterator

import pytest

from speakback.providers.audio_tags import Untagged, is_speakable, without_tags
from tests.session.scripted import ScriptedTts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Oh wow. [laughs] Really?", "Oh wow. Really?"),
        ("[whispers]Come closer.", "Come closer."),
        ("[sighs]", ""),
        ("It is [" + "long " * 9 + "].", "It is [" + "long " * 9 + "]."),
        ("An open [bracket", "An open [bracket"),
    ],
)
def test_tags_are_not_said(text: str, said: str) -> None:
    assert without_tags(text) == " ".join(said.split())


def test_signs_alone_make_no_sound() -> None:
    assert not is_speakable("… —")
    assert is_speakable("7")


async def test_a_voice_that_stands_in_is_given_no_tags() -> None:
    voice = ScriptedTts()

    async def clauses() -> AsyncIterator[str]:
        yield "[laughs] Well, "
        yield "yes."

    words = [word.text async for chunk in Untagged(voice).speak(clauses()) for word in chunk.words]
    assert words == ["Well,", "yes."]
