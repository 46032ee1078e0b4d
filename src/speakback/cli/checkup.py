"""What a machine and a configuration have to offer, found out without loading a model."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import SecretStr

from speakback.config import Settings
from speakback.config.roster import roster
from speakback.config.voices import voices
from speakback.providers.registry import needed_weights
from speakback.weights import REGISTRY
from speakback.weights.cache import Cache, cache_root

PACKAGES_OF: Mapping[str, Sequence[str]] = {
    "server": ("aiohttp", "pydantic"),
    "audio": ("numpy", "soxr", "soundfile"),
    "voice activity": ("onnxruntime",),
    "stt whisper": ("ctranslate2", "tokenizers"),
    "stt groq": ("httpx2",),
    "end_of_turn smart-turn": ("onnxruntime",),
    "llm llama": ("xllamacpp",),
    "llm openai": ("openai",),
    "llm groq": ("openai",),
    "tts elevenlabs": ("websockets", "httpx2"),
    "tts elevenlabs-v3": ("websockets",),
    "tts hibari": ("hibari-tts", "onnxruntime"),
    "tts piper": ("hibari-tts", "onnxruntime"),
}
"""Which packages each part runs on; a provider's entry counts only where it is configured."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check-up."""

    what: str
    value: str
    remedy: str = ""
    """What to do about it; empty: nothing is wrong."""


def machine() -> list[Finding]:
    """Where this runs."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return [
        Finding("python", platform.python_version()),
        Finding("machine", f"{os.cpu_count()} processors, {platform.machine()}, {platform.system()}{load}"),
    ]


def packages(settings: Settings) -> list[Finding]:
    """The packages that the configured parts run on, each once."""
    parts = ("server", "audio", "voice activity", *(f"{role} {name}" for role, name in _providers(settings)))
    names = dict.fromkeys(name for part in parts for name in PACKAGES_OF.get(part, ()))
    return [_package(name) for name in names]


def _package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", "install speakback anew, with all it depends on (`make run` does)")


def _providers(settings: Settings) -> list[tuple[str, str]]:
    """Every role with each that may serve it, in the order in which they are asked."""
    names = roster(settings)
    in_order = (
        ("stt", names.stt),
        ("end_of_turn", (settings.end_of_turn.provider,)),
        ("llm", names.llm),
        ("tts", names.tts),
    )
    return [(role, name) for role, chain in in_order for name in chain]


def providers(settings: Settings) -> list[Finding]:
    """Who plays each part; of keys only whether they are set."""
    found = [Finding(role, _described(role, name, settings)) for role, name in _providers(settings)]
    keys = len(settings.server.accepted_key_hashes)
    return [*found, Finding("server", f"{settings.server.host}:{settings.server.port}, API keys: {keys or 'none'}")]


def _described(role: str, name: str, settings: Settings) -> str:
    stt, llm, groq, elevenlabs = settings.stt, settings.llm, settings.groq, settings.elevenlabs
    details: dict[tuple[str, str], tuple[object, ...]] = {
        ("stt", "whisper"): (stt.model_path or stt.model,),
        ("stt", "groq"): (groq.stt_model, groq.base_url, _key(groq.api_key)),
        ("end_of_turn", "smart-turn"): (settings.end_of_turn.model_path,),
        ("llm", "llama"): (llm.model_path,),
        ("llm", "openai"): (llm.model, llm.base_url, _key(llm.api_key)),
        ("llm", "groq"): (" or ".join(groq.llm_models), groq.base_url, _key(groq.api_key)),
        ("tts", "elevenlabs"): (elevenlabs.model, _key(elevenlabs.api_key)),
        ("tts", "elevenlabs-v3"): (elevenlabs.expressive_model,),
    }
    spoken = {("tts", one.provider): f"voice {' or '.join(one.names)}" for one in voices(settings)}
    told = ", ".join(str(one) for one in (*details.get((role, name), ()), spoken.get((role, name))) if one)
    return f"{name} ({told})" if told else name


def _key(key: SecretStr | None) -> str:
    return "key set" if key else "key not set"


def weights(settings: Settings) -> list[Finding]:
    """Where the weights of the configured engines lie, or what is missing of them. Fetches nothing; reads files."""
    own = {
        "stt.model_path": settings.stt.model_path,
        "end_of_turn.model_path": settings.end_of_turn.model_path,
        "llm.model_path": settings.llm.model_path,
    }
    found = [_own_model(key, path) for key, path in own.items() if path is not None]
    cache = Cache(settings.weights.directory or cache_root())
    return [_cached(cache, weights_id) for weights_id in needed_weights(settings)] + found


def _own_model(key: str, path: Path) -> Finding:
    if path.exists():
        return Finding(key, str(path))
    return Finding(key, f"{path}: missing", f"mend {key}, or remove it to have the default fetched")


def _cached(cache: Cache, weights_id: str) -> Finding:
    entry = REGISTRY[weights_id]
    absent = cache.missing(entry)
    if not absent:
        return Finding(weights_id, f"{entry.size_bytes / 1e6:.0f} MB in {cache.directory(entry)}")
    names = ", ".join(file.name for file in absent)
    return Finding(weights_id, f"missing: {names}", f"run `speakback weights {weights_id}`")
