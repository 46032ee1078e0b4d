"""The models that all sessions of a process share."""

from dataclasses import dataclass, replace
from typing import TypeVar

from speakback.providers.chain.entry import ANY, Pin, UnknownPin
from speakback.providers.chain.llm_chain import LlmChain
from speakback.providers.chain.stt_chain import SttChain
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.decisions import Report, Role
from speakback.providers.end_of_turn import EndOfTurnModel
from speakback.providers.llm import LanguageModel
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from speakback.providers.voice_set import in_voice
from speakback.vad.scorer import VadScorer

N = TypeVar("N", SpeechToText, LanguageModel, TextToSpeech)


@dataclass(frozen=True, slots=True)
class Pins:
    """Which providers or regions a session wants, by role; the default leaves it to the order of the chains."""

    stt: Pin = ANY
    llm: Pin = ANY
    tts: Pin = ANY


@dataclass(frozen=True, slots=True)
class Engines:
    """One instance of each model, loaded once and warm; closed by whoever made it."""

    vad: VadScorer
    stt: SpeechToText
    end_of_turn: EndOfTurnModel | None
    """None: turns end by words and silence alone."""
    llm: LanguageModel
    tts: TextToSpeech
    performs_audio_tags: bool = False
    """Whether a voice performs directions such as `[laughs]`; then all that may stand in for it leave them out."""

    def for_session(self, pins: Pins, report: Report, voice: str | None = None) -> "Engines":
        """The engines as one session uses them: chains asked by its pins, their decisions told to `report`.

        A provider that has `voice` speaks in it, every other in its own; None: each in its own.
        They belong to this object: nobody closes what is returned. A single provider serves as it is.
        Raises `UnknownPin`.
        """
        stt, llm, tts = self.stt, self.llm, self.tts
        spoken = tts.bound(pins.tts, report, voice) if isinstance(tts, TtsChain) else _single("tts", tts, pins.tts)
        return replace(
            self,
            stt=stt.bound(pins.stt, report) if isinstance(stt, SttChain) else _single("stt", stt, pins.stt),
            llm=llm.bound(pins.llm, report) if isinstance(llm, LlmChain) else _single("llm", llm, pins.llm),
            tts=in_voice(spoken, voice),
        )

    async def aclose(self) -> None:
        """Release all models; no session may be open."""
        for engine in (self.vad, self.stt, self.end_of_turn, self.llm, self.tts):
            if engine is not None:
                await engine.aclose()


def _single(role: Role, engine: N, pin: Pin) -> N:
    """A provider without a chain, if the pin allows for it."""
    if pin.provider not in {None, engine.name}:
        raise UnknownPin(f"{role}: there is no provider {pin.provider!r}; there is {engine.name}")
    if pin.region is not None:
        raise UnknownPin(f"{role}: no provider is in region {pin.region!r}; there is {engine.name}, in none")
    return engine
