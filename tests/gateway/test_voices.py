"""A voice chosen in the midst of a conversation, by the real codec in a real session."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from speakback.config.voices import Voices
from speakback.gateway.realtime.codec import RealtimeCodec
from speakback.gateway.realtime.session_view import first_view
from speakback.providers.chain.entry import Entry
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.voice_set import VoiceSet
from speakback.session import notices as n
from tests.gateway.scripted import OFFER, error_of, events
from tests.session.scripted import BRIEF, QUESTION, Client, ScriptedTts, says, scripted, talking, utterance


@dataclass
class House:
    """A conversation with a chain of two providers, of two voices each."""

    client: Client
    codec: RealtimeCodec
    tts: dict[str, ScriptedTts]

    def update(self, session: dict[str, object]) -> list[str | bytes]:
        return self.codec.receive_text(json.dumps({"type": "session.update", "session": session}).encode())

    def choose(self, voice: str) -> str:
        """The voice that is answered."""
        (event,) = events(self.update({"audio": {"output": {"voice": voice}}}))
        assert event["type"] == "session.updated", event
        session = event["session"]
        assert isinstance(session, dict)
        return str(session["audio"]["output"]["voice"])

    async def next_reply(self) -> str:
        """The voice of the answer to a question."""
        before = {name: len(voice.clauses) for name, voice in self.tts.items()}
        self.client.session.append_audio(utterance(QUESTION))
        await self.client.until(n.ReplyEnded)
        (heard,) = [name for name, voice in self.tts.items() if len(voice.clauses) > before[name]]
        return heard


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    tts = {name: ScriptedTts(name) for name in ("george", "ann", "heart", "joe")}
    far = VoiceSet("far", {name: tts[name] for name in ("george", "ann")}, warms_all=True)
    near = VoiceSet("near", {name: tts[name] for name in ("heart", "joe")}, warms_all=True)
    chain = TtsChain((Entry("far", far, voice="george"), Entry("near", near, is_local=True, voice="heart")))
    await chain.warm()
    known = (Voices("far", ("george", "ann")), Voices("near", ("heart", "joe")))
    offer = replace(OFFER, voices=known, defaults=BRIEF)
    engines = scripted(*(says("It is noon.") for _ in range(8)), tts=chain)
    async with talking(engines, BRIEF) as client:
        codec = RealtimeCodec(client.session, first_view(offer), session_id="sess_1", correlation_id="corr-1")
        yield House(client, codec, tts)
    await chain.aclose()


async def test_a_voice_is_heard_from_the_next_reply_on() -> None:
    async with house() as here:
        assert await here.next_reply() == "george"
        assert here.choose("ann") == "ann"
        assert await here.next_reply() == "ann"
        assert here.choose("george") == "george"
        assert await here.next_reply() == "george"


async def test_a_reply_under_way_keeps_its_voice() -> None:
    async with house() as here:
        here.client.session.append_audio(utterance(QUESTION))
        await here.client.until(n.ReplyAudioSent)
        here.choose("ann")
        await here.client.until(n.ReplyEnded)
        assert (len(here.tts["george"].clauses), len(here.tts["ann"].clauses)) == (1, 0)
        assert await here.next_reply() == "ann"


async def test_a_vendors_voice_changes_nothing() -> None:
    async with house() as here:
        here.choose("ann")
        assert here.choose("alloy") == "ann"
        assert await here.next_reply() == "ann"


async def test_a_voice_that_is_not_there_is_refused_and_the_conversation_goes_on_as_it_was() -> None:
    async with house() as here:
        error = error_of(here.update({"audio": {"output": {"voice": "joe"}}}))
        assert error["message"] == "there is no voice 'joe' here; there are george, ann"
        assert error["param"] == "session.audio.output.voice"
        assert await here.next_reply() == "george"


async def test_another_provider_brings_its_own_voices() -> None:
    async with house() as here:
        here.choose("ann")
        here.update({"speakback": {"providers": {"tts": "near"}}})
        assert await here.next_reply() == "heart"
        assert here.choose("joe") == "joe"
        assert await here.next_reply() == "joe"


async def test_who_stands_in_speaks_in_its_own_voice() -> None:
    async with house() as here:
        here.choose("ann")
        here.tts["ann"].failure = ProviderError("tts", "far", "not so", failure=Failure.BAD_REQUEST)
        here.client.session.append_audio(utterance(QUESTION))
        await here.client.until(n.ReplyEnded)
        assert len(here.tts["heart"].clauses) == 1
        assert not here.tts["joe"].clauses
