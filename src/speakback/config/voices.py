"""Who speaks in which voices. Pure: the settings in, names out."""

from collections.abc import Mapping
from dataclasses import dataclass

from speakback.config.roster import SERVICES, roster
from speakback.config.sections import Settings

PIPER_VOICE = "joe"
"""Of this machine, and Piper's; all other voices of this machine are Hibari's."""


@dataclass(frozen=True, slots=True)
class Voices:
    """The voices of one provider."""

    provider: str
    names: tuple[str, ...]
    """The first is the one that speaks where nobody chooses. Never empty."""


def voices(settings: Settings) -> tuple[Voices, ...]:
    """Of each provider that may speak, in the order in which they are asked."""
    return tuple(
        Voices(name, tuple(elevenlabs_voices(settings)) if name in SERVICES else local_voices(name, settings))
        for name in roster(settings).tts
    )


def local_voices(provider: str, settings: Settings) -> tuple[str, ...]:
    """Those that this provider speaks in on this machine, its own first."""
    own = PIPER_VOICE if provider == "piper" else settings.tts.voice
    return tuple(dict.fromkeys((own, *settings.tts.voices)))


def elevenlabs_voices(settings: Settings) -> Mapping[str, str]:
    """The service's id of each by its name; the one that speaks where nobody chooses first, by its id if unnamed."""
    section = settings.elevenlabs
    own = next((name for name, voice_id in section.voices.items() if voice_id == section.voice_id), section.voice_id)
    return {own: section.voice_id, **section.voices}
