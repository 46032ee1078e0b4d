"""Every setting there is: its type, range, default and meaning, once.

The loader, `speakback config`, docs/configuration.md and speakback.example.toml are all derived from these models.
Values are checked strictly (a string is not a number, true is not 1). `None` means "not set" and nothing else.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from speakback.config.admission import AdmissionSettings
from speakback.config.api_keys import key_hash
from speakback.config.resume import ResumeSettings
from speakback.config.section import (
    Allowed,
    EnvironmentOnly,
    FilePath,
    KeyHash,
    KeyText,
    NeverQuoted,
    Section,
    ServiceKey,
    Threads,
)
from speakback.config.services import SERVICE_URL_PATTERN, ChainSettings, ElevenLabsSettings, GroqSettings, ServiceUrl


class ServerSettings(Section):
    """Where the server listens, who may connect, and what it bears."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on. Any but loopback needs an API key."
    )
    port: int = Field(default=8765, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    api_key_hashes: Annotated[
        tuple[KeyHash, ...], NeverQuoted(), Allowed("a list of SHA-256 hashes, each 64 lower-case hexadecimal digits")
    ] = Field(
        default=(),
        strict=False,
        description="Hashes of the API keys that may connect; `speakback key` makes a key and prints its hash. "
        "With no key at all the server is open, and binds to loopback only.",
        examples=[["0" * 64]],
    )
    api_keys: Annotated[tuple[KeyText, ...], EnvironmentOnly(), Allowed("a list of keys, none of them empty")] = Field(
        default=(),
        strict=False,
        description="API keys in plain text, accepted besides the hashes; for set-ups that inject secrets.",
    )
    max_sessions: int = Field(
        default=64,
        ge=1,
        description="Conversations held at once; one more is refused, unless it comes back after a break: for those "
        "there is a tenth more room.",
    )
    max_message_bytes: int = Field(
        default=1_048_576,
        ge=1024,
        description="Largest WebSocket message accepted, after inflation; a larger one closes with 1009.",
    )
    idle_timeout_s: float | None = Field(
        default=None,
        gt=0,
        description="Close a session in which nothing was said for this long. Not set: never.",
        examples=[600],
    )
    send_timeout_s: float = Field(default=10.0, gt=0, description="Drop a client that has not read for this long.")
    drain_s: float = Field(
        default=20.0,
        gt=0,
        description="Asked to stop, the process has ended by then; conversations not at rest 2 s before are cut.",
    )
    drain_notice_s: float = Field(
        default=0.0,
        ge=0,
        description="Of that, how long to listen on while /readyz says 503: until no load balancer sends anyone here.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that share the port, each with models and `max_sessions` of its own. From 2 up SIGHUP "
        "restarts them one after the other.",
    )

    @property
    def accepted_key_hashes(self) -> tuple[str, ...]:
        """Hashes of all keys that may connect, however they were configured. Empty: the server is open."""
        plain = (key_hash(key.get_secret_value()) for key in self.api_keys)
        return tuple(dict.fromkeys((*self.api_key_hashes, *plain)))


class TurnSettings(Section):
    """When the agent speaks, waits and gives way."""

    strategy: str = Field(default="overlap-aware", min_length=1, description="Turn-taking strategy.")
    overrides: Annotated[
        dict[str, int | float | bool | str], Allowed("a table of names, each with a number, true, false or a string")
    ] = Field(
        default_factory=dict,
        description="Single values of the strategy to change; the strategy refuses names it does not have.",
    )


class VadSettings(Section):
    """When sound counts as speech."""

    threshold: float = Field(default=0.5, gt=0, lt=1, description="Speech probability from which a frame is speech.")
    release_threshold: float = Field(
        default=0.35, gt=0, lt=1, description="Speech probability below which a frame of ongoing speech is silence."
    )
    min_speech_ms: int = Field(default=96, ge=32, le=2000, description="Speech this long starts an utterance.")
    min_silence_ms: int = Field(default=128, ge=32, le=5000, description="Silence this long ends an utterance.")
    preroll_ms: int = Field(
        default=400, ge=0, le=5000, description="Sound kept from before the start of speech was noticed."
    )


class SttSettings(Section):
    """Speech to text."""

    provider: Literal["auto", "whisper", "groq"] = Field(
        default="auto", description="auto is groq where there is a key for it, and whisper, on this machine, elsewhere."
    )
    model: Literal["tiny.en", "base"] = Field(
        default="tiny.en", description="tiny.en is twice as fast; base has better words and knows other languages."
    )
    model_path: FilePath | None = Field(
        default=None,
        description="Folder of a CTranslate2 Whisper model to use instead.",
        examples=["~/models/whisper-small"],
    )
    language: Annotated[str, Allowed("a language code such as en")] = Field(
        default="en", pattern=r"^[a-z]{2,3}$", description="Language spoken by the user."
    )
    threads: Threads = Field(
        default=2, description="Transcriptions under way at once, for all sessions; each runs on one processor thread."
    )
    partial_interval_ms: int = Field(
        default=500, ge=100, le=10_000, description="While the user speaks, transcribe what was said so far this often."
    )


class EndOfTurnSettings(Section):
    """How likely it is from the sound alone that the user has finished."""

    provider: Literal["smart-turn", "none"] = Field(
        default="smart-turn", description="Model; none decides by words and silence."
    )
    model_path: FilePath | None = Field(
        default=None, description="ONNX file to use instead.", examples=["~/models/smart-turn.onnx"]
    )
    threads: Threads = Field(
        default=2, description="Scores under way at once, for all sessions; each runs on one processor thread."
    )
    deadline_ms: int | None = Field(
        default=None,
        ge=50,
        le=5000,
        description="Silence by which the model must have scored a pause, else words and silence decide alone. Not "
        "set: the silence that ends a turn without a score.",
        examples=[400],
    )


class LlmSettings(Section):
    """The language model that writes the replies."""

    provider: Literal["auto", "llama", "echo", "openai", "groq"] = Field(
        default="auto",
        description="auto is groq where there is a key for it, else llama, which runs a GGUF file in process; openai "
        "asks any OpenAI-compatible service, echo repeats.",
    )
    model: str = Field(
        default="",
        description="The service's name of the model. Needed by openai; the others have one of their own.",
        examples=["qwen2.5:3b"],
    )
    model_path: FilePath | None = Field(
        default=None, description="GGUF file of a chat model for llama to use instead.", examples=["~/models/chat.gguf"]
    )
    base_url: ServiceUrl | None = Field(
        default=None,
        pattern=SERVICE_URL_PATTERN,
        description="Address of the service for openai.",
        examples=["http://127.0.0.1:11434/v1"],
    )
    api_key: ServiceKey | None = Field(
        default=None, description="Key for the service. Better set by its variable than in a file.", examples=["sk-..."]
    )
    instructions: str | None = Field(
        default=None,
        min_length=1,
        description="System prompt of a session that brings none. Not set: a short one for spoken conversation.",
        examples=["You are the receptionist of a small hotel. Answer in one or two short spoken sentences."],
    )
    max_tokens: int = Field(default=160, ge=1, le=16_384, description="Longest reply.")
    temperature: float = Field(
        default=0.3, ge=0, le=2, description="Randomness of the replies; 0 is always the likeliest word."
    )
    context_tokens: int = Field(default=4096, ge=512, le=1_048_576, description="Context window that llama allots.")
    threads: Threads = Field(
        default=1,
        description="Processor threads of llama. More are quicker only on cores that nothing else uses.",
    )


class TtsSettings(Section):
    """The agent's voice."""

    provider: Literal["auto", "hibari", "piper", "elevenlabs"] = Field(
        default="auto",
        description="auto is elevenlabs where there is a key for it, else hibari; that and piper run on this machine.",
    )
    voice: str = Field(default="heart", min_length=1, description="Name of the voice, for hibari; piper's is joe.")
    voices: Annotated[tuple[str, ...], Allowed("a list of at most 8 names")] = Field(
        default=(),
        strict=False,
        max_length=8,
        description="Further voices of this machine that a session may choose: hibari's whose weights are here, and "
        "joe, which is piper's. Each is loaded at start.",
    )
    speed: float = Field(default=1.0, ge=0.5, le=2, description="Rate of speech; 1 is the voice's own.")


class LogSettings(Section):
    """Logs. They never hold speech or secrets, at any level."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least important line to print."
    )
    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto is console on a terminal and JSON lines otherwise."
    )


class TraceSettings(Section):
    """Records of turn-taking, one file for each session, for `speakback replay`. They hold no speech."""

    directory: FilePath | None = Field(
        default=None,
        description="Folder for the files, which only this account may enter; made if need be. Not set: none are kept.",
        examples=["/var/lib/speakback/traces"],
    )


class WeightsSettings(Section):
    """Model weights that were fetched."""

    directory: FilePath | None = Field(
        default=None,
        description="Folder that holds them. Not set: the user's cache folder.",
        examples=["/var/lib/speakback"],
    )


class Settings(BaseModel):
    """The whole configuration."""

    model_config = Section.model_config

    server: ServerSettings = ServerSettings()
    admission: AdmissionSettings = AdmissionSettings()
    resume: ResumeSettings = ResumeSettings()
    turn: TurnSettings = TurnSettings()
    vad: VadSettings = VadSettings()
    stt: SttSettings = SttSettings()
    end_of_turn: EndOfTurnSettings = EndOfTurnSettings()
    llm: LlmSettings = LlmSettings()
    tts: TtsSettings = TtsSettings()
    log: LogSettings = LogSettings()
    trace: TraceSettings = TraceSettings()
    chain: ChainSettings = ChainSettings()
    groq: GroqSettings = GroqSettings()
    elevenlabs: ElevenLabsSettings = ElevenLabsSettings()
    weights: WeightsSettings = WeightsSettings()
