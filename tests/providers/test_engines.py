"""The engines as one session sees them."""

import pytest

from speakback.providers.chain.entry import Entry, Pin, UnknownPin
from speakback.providers.chain.stt_chain import SttChain
from speakback.providers.decisions import Decision
from speakback.providers.engines import Engines, Pins
from tests.session.scripted import ScriptedStt, scripted


def unheard(_: Decision) -> None:
    pass


def test_single_providers_serve_as_they_are() -> None:
    engines = scripted()
    assert engines.for_session(Pins(), unheard) == engines
    assert engines.for_session(Pins(llm=Pin("scripted")), unheard) == engines


@pytest.mark.parametrize("pin", [Pin("groq"), Pin(region="eu")])
def test_a_pin_that_a_single_provider_cannot_keep_is_refused(pin: Pin) -> None:
    with pytest.raises(UnknownPin, match="scripted"):
        scripted().for_session(Pins(tts=pin), unheard)


def test_a_chain_is_asked_in_the_order_of_the_pin() -> None:
    chain = SttChain((Entry("a", ScriptedStt()), Entry("b", ScriptedStt())))
    engines = scripted(stt=chain)
    assert isinstance(engines, Engines)
    assert engines.for_session(Pins(), unheard).stt.name == "a"
    assert engines.for_session(Pins(stt=Pin("b")), unheard).stt.name == "b"
