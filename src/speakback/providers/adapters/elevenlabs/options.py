"""What an ElevenLabs voice is configured with, and the rules of what goes together."""

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

from speakback.providers.adapters.elevenlabs.formats import audio_format
from speakback.providers.errors import Failure, ProviderError

Transport: TypeAlias = Literal["multi", "single", "http"]
"""`multi-stream-input` (one context a reply), `stream-input` (one socket a reply), or plain HTTP."""

DEFAULT_BASE_URL = "https://api.elevenlabs.io"
REGION_HOSTS = {
    "us": "api.us.elevenlabs.io",
    "eu": "api.eu.residency.elevenlabs.io",
    "in": "api.in.residency.elevenlabs.io",
    "sg": "api.sg.residency.elevenlabs.io",
}
"""Hosts that keep to one region. Those of residency have accounts and keys of their own."""

FLASH = "eleven_flash_v2_5"
SOCKET_MODELS = frozenset({FLASH, "eleven_flash_v2", "eleven_turbo_v2_5", "eleven_turbo_v2", "eleven_multilingual_v2"})
LANGUAGE_MODELS = frozenset({FLASH, "eleven_turbo_v2_5"})
"""Take a `language_code`; the others speak one language, or find out by themselves, and refuse it."""
EXPRESSIVE = "eleven_v3_conversational"
DIALOGUE_MODELS = frozenset({EXPRESSIVE, "eleven_v4_turbo", "eleven_v3", "eleven_v4"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSettings:
    """How the voice speaks; None leaves it as the voice is stored. All from 0 to 1, but `speed` (0.7 to 1.2)."""

    stability: float | None = None
    similarity_boost: float | None = None
    style: float | None = None
    use_speaker_boost: bool | None = None
    speed: float | None = None

    def wire(self) -> dict[str, float | bool]:
        """Those that are set."""
        named = {
            "stability": self.stability,
            "similarity_boost": self.similarity_boost,
            "style": self.style,
            "use_speaker_boost": self.use_speaker_boost,
            "speed": self.speed,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long what may take, in seconds."""

    connect_s: float = 3.0
    first_audio_s: float = 3.0
    """After a flush, and between two frames of what was flushed: an open socket is not a live one."""
    final_s: float = 2.0
    """Silence after which the end marker of a closed context is given up."""
    keep_alive_s: float = 10.0
    max_idle_s: float = 15.0
    """A socket on which nothing was written for longer is not used: the service ends it at 20 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevenLabsVoiceOptions:
    """One voice at ElevenLabs. `base_url` may be an emulator's."""

    api_key: str = field(repr=False)
    voice_id: str
    model: str = FLASH
    base_url: str = DEFAULT_BASE_URL
    output_format: str = "pcm_24000"
    language: str | None = None
    """ISO 639-1; told to the models that take it."""
    settings: VoiceSettings = VoiceSettings()
    transport: Transport = "multi"
    auto_mode: bool = False
    sync_alignment: bool = True
    inactivity_timeout_s: int = 180
    enable_logging: bool = True
    text_normalization: Literal["auto", "on", "off"] = "auto"
    seed: int | None = None
    patience: Patience = Patience()

    @property
    def region(self) -> str:
        """What the host says of it."""
        return region_of(self.base_url)


def base_url_of(region: str | None) -> str:
    """The address of a region's host; None is the host that routes by itself. Raises `ValueError`."""
    if region is None:
        return DEFAULT_BASE_URL
    if region not in REGION_HOSTS:
        raise ValueError(f"ElevenLabs has no region {region!r}; there are {', '.join(REGION_HOSTS)}")
    return f"https://{REGION_HOSTS[region]}"


def region_of(base_url: str) -> str:
    """The region that an address stands for; the host's name where it stands for none."""
    host = urlsplit(base_url).hostname or base_url
    named = {host: region for region, host in REGION_HOSTS.items()}
    return "global" if host == urlsplit(DEFAULT_BASE_URL).hostname else named.get(host, host)


def check(options: ElevenLabsVoiceOptions, provider: str, models: frozenset[str]) -> None:
    """Refuse at start what the service would refuse at the first word. Raises `ProviderError`."""
    if not options.api_key or not options.api_key.isascii() or not options.api_key.isprintable():
        failure = Failure.REFUSED_KEY
        reason = "there is no API key, or it has signs that no key has; check elevenlabs.api_key"
    elif not re.fullmatch(r"[\w-]{1,64}", options.voice_id, re.ASCII):
        failure = Failure.UNKNOWN_VOICE
        reason = "a voice id is one word of letters and digits; check elevenlabs.voice_id"
    elif options.model not in models:
        known = ", ".join(sorted(models))
        reason, failure = f"the model {options.model!r} does not speak here; there are {known}", Failure.UNKNOWN_MODEL
    elif audio_format(options.output_format) is None:
        reason = f"the format {options.output_format!r} is not understood; pcm_24000, pcm_16000 and ulaw_8000 are safe"
        failure = Failure.BAD_REQUEST
    elif urlsplit(options.base_url).scheme not in ("http", "https"):
        reason, failure = "the base URL must begin with https:// (or http:// for an emulator)", Failure.BAD_REQUEST
    else:
        return
    raise ProviderError("tts", provider, reason, failure=failure, region=options.region)


def socket_url(options: ElevenLabsVoiceOptions) -> str:
    """Of the text-to-speech socket that `transport` names."""
    path = f"/v1/text-to-speech/{quote(options.voice_id)}/"
    path += "stream-input" if options.transport == "single" else "multi-stream-input"
    query = _common_query(options) | {
        "inactivity_timeout": str(options.inactivity_timeout_s),
        "auto_mode": _boolean(options.auto_mode),
    }
    return f"{_socket_base(options)}{path}?{urlencode(query)}"


def dialogue_url(options: ElevenLabsVoiceOptions) -> str:
    """Of the dialogue socket with several contexts."""
    return f"{_socket_base(options)}/v1/text-to-dialogue/multi-stream-input?{urlencode(_common_query(options))}"


def http_url(options: ElevenLabsVoiceOptions) -> str:
    """Of speech over plain HTTP."""
    query = {"output_format": options.output_format, "enable_logging": _boolean(options.enable_logging)}
    return f"{options.base_url.rstrip('/')}/v1/text-to-speech/{quote(options.voice_id)}/stream?{urlencode(query)}"


def language_code(options: ElevenLabsVoiceOptions) -> str | None:
    """The language to tell the service; None where the model takes none."""
    return options.language if options.model in LANGUAGE_MODELS | DIALOGUE_MODELS else None


def _common_query(options: ElevenLabsVoiceOptions) -> dict[str, str]:
    language = language_code(options)
    return (
        {
            "model_id": options.model,
            "output_format": options.output_format,
            "sync_alignment": _boolean(options.sync_alignment),
            "enable_logging": _boolean(options.enable_logging),
        }
        # "auto" is the default, and the dialogue sockets may not know it by that name.
        | ({} if options.text_normalization == "auto" else {"apply_text_normalization": options.text_normalization})
        | ({} if language is None else {"language_code": language})
        | ({} if options.seed is None else {"seed": str(options.seed)})
    )


def _socket_base(options: ElevenLabsVoiceOptions) -> str:
    return "ws" + options.base_url.rstrip("/").removeprefix("http")


def _boolean(value: bool) -> str:
    return "true" if value else "false"
