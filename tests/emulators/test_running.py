"""From words to running emulators."""

import aiohttp
import pytest

from speakback.emulators.faults import Fault
from speakback.emulators.groq.app import DEV_KEY
from speakback.emulators.profiles import BAD_DAY
from speakback.emulators.running import Emulation, EmulationError, emulating, emulation


def asked(*services: str, **words: str) -> Emulation:
    given = {"profile": "zero", "faults": "", "region": "us", "content": "scripted", "tier": "free"} | words
    return emulation(services, seed=1, **given)


def test_words_become_an_emulation() -> None:
    one = asked("groq", "groq", profile="bad-day", faults="quota=0.5")
    assert one.services == ("groq",)
    assert one.profile is BAD_DAY
    assert one.faults.shares == {Fault.QUOTA: 0.5}
    assert one.faults.any_share == BAD_DAY.fault_share


WRONG = [
    ({"profile": "slow"}, "'slow' is no profile; there are zero, fast, typical, bad-day"),
    ({"region": "mars"}, "'mars' is no region; there are us, eu, ne-asia, s-asia"),
    ({"content": "real"}, "'real' is no content; there are local, echo, scripted"),
    ({"tier": "gold"}, "'gold' is no tier; there are free, developer"),
    ({"faults": "fire"}, "'fire' is no fault; there are "),
    ({"faults": "quota=2"}, "quota=2: the share of a fault is a number from 0 to 1"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_words_are_refused_with_one_line(words: dict[str, str], message: str) -> None:
    with pytest.raises(EmulationError, match=message) as refusal:
        asked("groq", **words)
    assert "\n" not in str(refusal.value)


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(EmulationError, match="'azure' is no service; there are groq, elevenlabs"):
        asked("groq", "azure")


@pytest.mark.parametrize("content", ["scripted", "echo"])
async def test_it_runs_and_says_how_to_use_it(content: str) -> None:
    async with emulating(asked("groq", content=content), "127.0.0.1", {}) as environment:
        assert environment["GROQ_API_KEY"] == DEV_KEY
        url = environment["SPEAKBACK_GROQ__BASE_URL"] + "/chat/completions"
        body = {"model": "groq/compound", "messages": [{"role": "user", "content": "Repeat this."}]}
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {DEV_KEY}"}) as http:
            answer = await (await http.post(url, json=body)).json()
    said = answer["choices"][0]["message"]["content"]
    assert said == ("Repeat this." if content == "echo" else "Sure. I can help you with that today.")
