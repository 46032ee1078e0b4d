"""The models, voices and plans that the emulated ElevenLabs knows (as of autumn 2026)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


def _words(text: str) -> list[str]:
    return text.split()


_ENGLISH = ("en",)
_V2 = tuple(_words("en ja zh de hi fr ko pt it es id nl tr fil pl sv bg ro ar cs el fi hr ms sk da ta uk ru"))
_V2_5 = (*_V2, "hu", "no", "vi")
_V3 = (
    *_V2_5,
    *_words("af hy as az be bn bs ca ceb ny et gl ka gu ha he is ga jv kn kk ky lv ln lt lb mk ml mr ne"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model and where it may be used."""

    model_id: str
    name: str
    longest_text: int
    """Characters of one request or context."""
    languages: tuple[str, ...]
    takes_language: bool = True
    """Whether `language_code` may be sent at all."""
    is_dialogue: bool = False
    """On the dialogue sockets, and there only; the others on the text-to-speech sockets only."""
    most_voices: int = 1
    """Of one dialogue context."""
    credits_per_character: float = 1.0


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        model.model_id: model
        for model in (
            Model(
                model_id="eleven_flash_v2_5",
                name="Eleven Flash v2.5",
                longest_text=40_000,
                languages=_V2_5,
                credits_per_character=0.5,
            ),
            Model(
                model_id="eleven_flash_v2",
                name="Eleven Flash v2",
                longest_text=30_000,
                languages=_ENGLISH,
                credits_per_character=0.5,
            ),
            Model(
                model_id="eleven_turbo_v2_5",
                name="Eleven Turbo v2.5",
                longest_text=40_000,
                languages=_V2_5,
                credits_per_character=0.5,
            ),
            Model(
                model_id="eleven_turbo_v2",
                name="Eleven Turbo v2",
                longest_text=30_000,
                languages=_ENGLISH,
                credits_per_character=0.5,
            ),
            Model(
                model_id="eleven_multilingual_v2",
                name="Eleven Multilingual v2",
                longest_text=10_000,
                languages=_V2,
                takes_language=False,
            ),
            Model(
                model_id="eleven_v3",
                name="Eleven v3",
                longest_text=5_000,
                languages=_V3,
                is_dialogue=True,
                most_voices=10,
            ),
            Model(
                model_id="eleven_v3_conversational",
                name="Eleven v3 Conversational",
                longest_text=5_000,
                languages=_V3,
                is_dialogue=True,
            ),
            Model(
                model_id="eleven_v4",
                name="Eleven v4",
                longest_text=10_000,
                languages=_V3,
                is_dialogue=True,
                most_voices=10,
            ),
            Model(
                model_id="eleven_v4_turbo",
                name="Eleven v4 Turbo",
                longest_text=10_000,
                languages=_V3,
                is_dialogue=True,
            ),
        )
    }
)
"""By id. The languages of v3 and v4 are not complete, and which ones Flash takes beyond v2's is from its publicity."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice. All sound the same here: the speaker behind the emulator has one."""

    voice_id: str
    name: str


VOICES = (
    Voice("21m00Tcm4TlvDq8ikWAM", "Rachel"),
    Voice("EXAVITQu4vr4xnSDxMaL", "Sarah"),
    Voice("JBFqnCBsd6RMkjVDRZzb", "George"),
)
"""Three of the premade voices, under their public ids."""


class Tier(IntEnum):
    """The plans, in ascending order."""

    FREE = 0
    STARTER = 1
    CREATOR = 2
    PRO = 3
    SCALE = 4
    BUSINESS = 5


CONCURRENT_GENERATIONS: Mapping[Tier, int] = MappingProxyType(
    {Tier.FREE: 4, Tier.STARTER: 6, Tier.CREATOR: 10, Tier.PRO: 20, Tier.SCALE: 30, Tier.BUSINESS: 30}
)
"""With the Flash models; the others have half of it."""

GATED_FORMATS: Mapping[str, Tier] = MappingProxyType(
    {"mp3_44100_192": Tier.CREATOR, "pcm_44100": Tier.PRO, "wav_44100": Tier.PRO}
)
