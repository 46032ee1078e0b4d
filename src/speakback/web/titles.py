"""How the page names strategies, providers and models. Pure: data, and what the settings say."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from speakback.config import Settings
from speakback.providers.decisions import Role

STRATEGY_WORDS: Mapping[str, str] = {
    "half-duplex": "One speaks at a time: it waits for a fixed silence and speaks to its end.",
    "rapid-duplex": "It answers as soon as you sound finished and stops at any sound of yours.",
    "overlap-aware": "It learns your pauses and tells an “mm-hm” from an interruption.",
}

_TITLES: Mapping[str, str] = {"groq": "Groq", "elevenlabs": "ElevenLabs"}
_MODELS: Mapping[str, str] = {
    "eleven_flash_v2_5": "Flash v2.5",
    "eleven_turbo_v2_5": "Turbo v2.5",
    "eleven_multilingual_v2": "Multilingual v2",
    "eleven_v3_conversational": "Eleven v3",
    "eleven_v4_turbo": "Eleven v4",
}


def title_of(provider: str, settings: Settings) -> str:
    """Whose it is. It may hold a host's name, which is not for everybody."""
    if provider == "openai":
        return f"OpenAI-compatible service at {urlsplit(settings.llm.base_url or '').hostname}"
    return _TITLES.get(provider, "This machine")


def model_of(role: Role, provider: str, settings: Settings) -> str:
    """Which model of it serves the role; anybody may know. Raises `KeyError` for a provider that there is not."""
    stt, llm, groq, elevenlabs = settings.stt, settings.llm, settings.groq, settings.elevenlabs
    names: Mapping[tuple[Role, str], str] = {
        ("stt", "whisper"): f"Whisper {stt.model}" if stt.model_path is None else stt.model_path.name,
        ("stt", "groq"): groq.stt_model,
        ("llm", "llama"): "Qwen2.5-Coder 0.5B" if llm.model_path is None else llm.model_path.name,
        ("llm", "echo"): "Echo, which repeats you",
        ("llm", "openai"): llm.model or "",
        ("llm", "groq"): " or ".join(model.rpartition("/")[2] for model in groq.llm_models),
        ("tts", "hibari"): "Hibari",
        ("tts", "piper"): "Piper",
        ("tts", "elevenlabs"): _MODELS[elevenlabs.model],
        ("tts", "elevenlabs-v3"): _MODELS[elevenlabs.expressive_model],
    }
    return names[role, provider]
