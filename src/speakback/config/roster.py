"""Which providers serve each role, in the order in which they are asked. Pure: the settings in, names out."""

from dataclasses import dataclass

from speakback.config.sections import Settings

SERVICES = frozenset({"groq", "openai", "elevenlabs", "elevenlabs-v3"})
"""Everything else runs on this machine."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Names by role; the first is asked first."""

    stt: tuple[str, ...]
    llm: tuple[str, ...]
    tts: tuple[str, ...]


def roster(settings: Settings) -> Roster:
    """Whom these settings mean: `auto` is a service where there is a key for it."""
    groq, elevenlabs = settings.groq, settings.elevenlabs
    stt = _resolved(settings.stt.provider, "groq" if groq.api_key else "whisper")
    llm = _resolved(settings.llm.provider, "groq" if groq.api_key else "llama")
    tts = _resolved(settings.tts.provider, "elevenlabs" if elevenlabs.api_key else "hibari")
    voices = ("elevenlabs-v3", tts) if tts == "elevenlabs" and elevenlabs.expressive else (tts,)
    return Roster(
        stt=_with_last_resort(settings, (stt,), "whisper"),
        llm=_with_last_resort(settings, (llm,), "llama"),
        tts=_with_last_resort(settings, voices, "hibari"),
    )


def hears_only_english(settings: Settings) -> bool:
    """Whether somebody may have to transcribe who knows no other language."""
    stt = settings.stt
    return "whisper" in roster(settings).stt and stt.model == "tiny.en" and stt.model_path is None


def _resolved(provider: str, automatic: str) -> str:
    return automatic if provider == "auto" else provider


def _with_last_resort(settings: Settings, names: tuple[str, ...], local: str) -> tuple[str, ...]:
    stands_in = settings.chain.last_resort == "local" and names[-1] in SERVICES
    return (*names, local) if stands_in else names
