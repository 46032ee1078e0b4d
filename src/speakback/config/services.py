"""The settings of the services that may take a role: their keys, addresses and models."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from speakback.config.section import Allowed, AlsoVariable, NeverQuoted, Section, ServiceKey


def _with_a_host_and_a_port(url: str) -> str:
    """Raises `ValueError` where the host could be nobody's name or the port is none."""
    parts = urlsplit(url)
    host, _ = parts.hostname or "", parts.port
    if not host.encode("idna"):
        raise ValueError("there is no host")
    return url


ServiceUrl = Annotated[
    str,
    NeverQuoted(),
    AfterValidator(_with_a_host_and_a_port),
    Allowed("an http or https URL without user name or query"),
]
SERVICE_URL_PATTERN = r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$"
Setting = Annotated[float, Field(ge=0, le=1)]
VoiceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{4,64}$")]
VoiceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class ChainSettings(Section):
    """What happens when a service fails or is late. Each decision is told in the session's events and metrics."""

    last_resort: Literal["local", "none"] = Field(
        default="local",
        description="Who stands in for services: models of this machine, loaded at start, or nobody.",
    )
    hedge: Literal["late", "always", "never"] = Field(
        default="late",
        description="When to make a second request, the first answer of the two counting: once one is late, besides "
        "each (which doubles what services cost), or never.",
    )
    late_after: float = Field(
        default=0.8,
        gt=0,
        lt=1,
        description="A request is late once it takes longer than this share of those before it.",
    )
    hedge_with: Literal["same", "next"] = Field(
        default="same", description="Whom to ask then: the same service again, or the next provider in order."
    )
    hedge_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Second requests for each first one, at most, in the long run; `always` needs 1.",
    )


class GroqSettings(Section):
    """Groq: speech to text and a language model. With a key, `auto` takes both roles."""

    api_key: Annotated[ServiceKey | None, AlsoVariable("GROQ_API_KEY")] = Field(
        default=None, description="Key of the service. Better set by its variable than in a file.", examples=["gsk_..."]
    )
    base_url: ServiceUrl = Field(
        default="https://api.groq.com/openai/v1",
        pattern=SERVICE_URL_PATTERN,
        description="Address of the service, or of `speakback emulate groq`.",
    )
    stt_model: Literal["whisper-large-v3-turbo", "whisper-large-v3"] = Field(
        default="whisper-large-v3-turbo", description="Model that transcribes."
    )
    prompt: Annotated[str, Allowed("a text of at most 896 characters")] = Field(
        default="",
        max_length=896,
        description="Names and spellings that the transcription is to expect.",
    )
    llm_models: Annotated[tuple[str, ...], Allowed("a list of model names, best first")] = Field(
        default=("openai/gpt-oss-20b", "openai/gpt-oss-120b"),
        strict=False,
        min_length=1,
        description="Language models, best first: the first that the service offers is used.",
    )
    requests_per_minute: int = Field(
        default=20,
        ge=1,
        description="Transcriptions a minute that the key's plan allows, for all sessions together; final ones come "
        "first. What the service says of its limits counts besides.",
    )
    partials: bool = Field(
        default=False,
        description="Transcribe while the user still speaks. Each pass is a request, billed as 10 s of audio at least.",
    )


class ElevenLabsSettings(Section):
    """ElevenLabs: the agent's voice. With a key, `auto` takes the role."""

    api_key: Annotated[ServiceKey | None, AlsoVariable("ELEVENLABS_API_KEY")] = Field(
        default=None, description="Key of the service. Better set by its variable than in a file.", examples=["sk_..."]
    )
    region: Literal["default", "us", "eu", "in", "sg"] = Field(
        default="default",
        description="Where the service works; eu, in and sg are data residency with keys of their own.",
    )
    base_url: ServiceUrl | None = Field(
        default=None,
        pattern=SERVICE_URL_PATTERN,
        description="Address to use instead of the region's, such as that of `speakback emulate elevenlabs`.",
        examples=["http://127.0.0.1:8790"],
    )
    voice_id: VoiceId = Field(default="JBFqnCBsd6RMkjVDRZzb", description="The voice, by the service's id.")
    voices: Annotated[dict[VoiceName, VoiceId], Allowed("a table of at most 16 names, each with a voice id")] = Field(
        default_factory=dict,
        max_length=16,
        description="Further voices that a session may choose, by names of yours.",
    )
    model: Literal["eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_multilingual_v2"] = Field(
        default="eleven_flash_v2_5", description="Flash is the quickest."
    )
    transport: Literal["multi", "single", "http"] = Field(
        default="multi",
        description="multi: one socket for many replies; single: a socket for each; http: a request for each clause.",
    )
    output_format: Literal["pcm_16000", "pcm_24000", "pcm_48000", "ulaw_8000"] = Field(
        default="pcm_24000", description="Audio as it is sent; everything is brought to 24 kHz."
    )
    stability: Setting = Field(default=0.5, description="Steady (1) or lively (0).")
    similarity_boost: Setting = Field(default=0.75, description="Closeness to the voice's recordings.")
    style: Setting = Field(default=0.0, description="Exaggeration of the voice's style; above 0 it is slower.")
    speaker_boost: bool = Field(default=True, description="Closer to the speaker, at some cost of time.")
    speed: float = Field(default=1.0, ge=0.7, le=1.2, description="Rate of speech.")
    expressive: bool = Field(
        default=False,
        description="Experimental: Eleven v3 over the dialogue sockets, with audio tags such as [laughs]. Where the "
        "service refuses it, the model above speaks, and the session says so.",
    )
    expressive_model: Literal["eleven_v3_conversational", "eleven_v4_turbo"] = Field(
        default="eleven_v3_conversational", description="The model of the experiment."
    )
