"""What a machine and a configuration have to offer, found out without loading a model."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from speakback.config import Settings
from speakback.providers.registry import needed_weights
from speakback.weights import REGISTRY
from speakback.weights.cache import Cache, cache_root

PACKAGES_OF: Mapping[str, Sequence[str]] = {
    "server": ("aiohttp", "pydantic"),
    "audio": ("numpy", "soxr", "soundfile"),
    "voice activity": ("onnxruntime",),
    "stt whisper": ("ctranslate2", "tokenizers"),
    "end_of_turn smart-turn": ("onnxruntime",),
    "llm llama": ("xllamacpp",),
    "llm openai": ("openai",),
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
    return [
        ("stt", settings.stt.provider),
        ("end_of_turn", settings.end_of_turn.provider),
        ("llm", settings.llm.provider),
        ("tts", settings.tts.provider),
    ]


def providers(settings: Settings) -> list[Finding]:
    """Which engine plays each part; of keys only whether they are set."""
    llm = settings.llm
    details = {
        "stt": str(settings.stt.model_path or settings.stt.model),
        "end_of_turn": str(settings.end_of_turn.model_path or ""),
        "llm": ", ".join(
            filter(
                None,
                (
                    llm.model,
                    str(llm.model_path or ""),
                    llm.base_url or "",
                    f"key {'set' if llm.api_key else 'not set'}" if llm.provider == "openai" else "",
                ),
            )
        ),
        "tts": f"voice {settings.tts.voice}" if settings.tts.provider == "hibari" else "",
    }
    found = [
        Finding(role, f"{name} ({details[role]})" if details[role] else name) for role, name in _providers(settings)
    ]
    keys = len(settings.server.accepted_key_hashes)
    return [*found, Finding("server", f"{settings.server.host}:{settings.server.port}, API keys: {keys or 'none'}")]


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
