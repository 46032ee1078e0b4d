"""The models that all sessions of a process share."""

from dataclasses import dataclass

from speakback.providers.end_of_turn import EndOfTurnModel
from speakback.providers.llm import LanguageModel
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from speakback.vad.scorer import VadScorer


@dataclass(frozen=True, slots=True)
class Engines:
    """One instance of each model, loaded once and warm; closed by whoever made it."""

    vad: VadScorer
    stt: SpeechToText
    end_of_turn: EndOfTurnModel | None
    """None: turns end by words and silence alone."""
    llm: LanguageModel
    tts: TextToSpeech

    async def aclose(self) -> None:
        """Release all models; no session may be open."""
        for engine in (self.vad, self.stt, self.end_of_turn, self.llm, self.tts):
            if engine is not None:
                await engine.aclose()
