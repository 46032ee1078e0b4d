"""The parts that client events are made of, as pydantic models: strict, closed, and in the wire's own names.

A field that may be null or left out has the default None; where null means something else than
"left out" (`turn_detection`, `transcription`), ask `model_fields_set`.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class WireModel(BaseModel):
    """A JSON object from a client."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


ItemId: TypeAlias = Annotated[str, Field(min_length=1, max_length=64)]
LONGEST_LOOKED_UP = 128
"""Of what is looked up here. To find the nearest to an unknown one takes seconds where it is as long as a message."""
Name: TypeAlias = Annotated[str, Field(max_length=LONGEST_LOOKED_UP)]
Modalities: TypeAlias = Annotated[list[Literal["text", "audio"]], Field(min_length=1, max_length=2)]
MaxTokens: TypeAlias = Annotated[int, Field(ge=1, le=4096)] | Literal["inf"]
Milliseconds: TypeAlias = Annotated[int, Field(ge=0, le=24 * 3600 * 1000)]
Probability: TypeAlias = Annotated[float, Field(ge=0, le=1)]
ToolChoice: TypeAlias = Literal["auto", "none", "required"]


class PcmFormat(WireModel):
    """PCM16, mono, little-endian."""

    type: Literal["audio/pcm"]
    rate: Literal[24000, 16000] = 24000


class PcmuFormat(WireModel):
    """G.711 μ-law."""

    type: Literal["audio/pcmu"]
    rate: Literal[8000] = 8000


class PcmaFormat(WireModel):
    """G.711 A-law."""

    type: Literal["audio/pcma"]
    rate: Literal[8000] = 8000


AudioFormat: TypeAlias = Annotated[PcmFormat | PcmuFormat | PcmaFormat, Field(discriminator="type")]


class ServerVad(WireModel):
    """A turn is over after a fixed silence."""

    type: Literal["server_vad"]
    silence_duration_ms: Annotated[int, Field(ge=50, le=60_000)] | None = None
    threshold: Probability | None = None
    """Not applied: one VAD hears all sessions together. The effective value is answered."""
    prefix_padding_ms: Milliseconds | None = None
    """Not applied: set for the server. The effective value is answered."""
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30_000)] | None = None
    """Silence after the agent's words until it speaks up."""
    create_response: bool | None = None
    interrupt_response: bool | None = None


class SemanticVad(WireModel):
    """A turn is over when it sounds and reads as finished."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


TurnDetection: TypeAlias = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class Transcription(WireModel):
    """How the user's speech is transcribed."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None


class InputAudio(WireModel):
    """`session.audio.input`."""

    format: AudioFormat | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = None


class OutputAudio(WireModel):
    """`session.audio.output`."""

    format: AudioFormat | None = None
    voice: str | dict[str, object] | None = None
    """An object stands for a vendor's custom voice; it is taken and not applied."""


class Audio(WireModel):
    """`session.audio`."""

    input: InputAudio | None = None
    output: OutputAudio | None = None


class FunctionTool(WireModel):
    """A function that the client runs for the model."""

    type: Literal["function"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None
    """Not applied: arguments are sent as the model wrote them."""


class StrategyChoice(WireModel):
    """A turn-taking strategy and single values of it to change, by dotted name."""

    name: Name | None = None
    overrides: dict[Name, int | float | bool | Name] = {}


class ProviderPin(WireModel):
    """Whom a role is to be served by. A provider is a wish, with `only` a law; a region is always a law."""

    provider: Name | None = None
    region: Name | None = None
    only: bool = False


class ProviderPins(WireModel):
    """`session.speakback.providers`: a name stands for a pin of that provider; null unpins the role."""

    stt: Name | ProviderPin | None = None
    llm: Name | ProviderPin | None = None
    tts: Name | ProviderPin | None = None


class Extension(WireModel):
    """`session.speakback`: whoever sends it has opted in."""

    binary_audio: bool | None = None
    events: list[str] | None = None
    playback_ack: bool | None = None
    providers: ProviderPins | None = None
    resume: bool | None = None
    """False: nothing of the conversation is kept beyond the connection."""
    strategy: Name | StrategyChoice | None = None


class SessionPatch(WireModel):
    """`session` of `session.update`: what is left out stays as it is."""

    type: Literal["realtime"] = "realtime"
    instructions: str | None = None
    output_modalities: Modalities | None = None
    audio: Audio | None = None
    tools: Annotated[list[FunctionTool], Field(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    max_output_tokens: MaxTokens | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    prompt: None = None
    """Only null: stored prompts belong to a vendor's account."""
    speakback: Extension | None = None


class ResponseOutputAudio(WireModel):
    """`response.audio.output`."""

    format: AudioFormat | None = None


class ResponseAudio(WireModel):
    """`response.audio`."""

    output: ResponseOutputAudio | None = None


class ResponseExtension(WireModel):
    """`response.speakback`."""

    interruptible: bool = True
    """False: the user cannot stop this reply by speaking."""


class ResponseParams(WireModel):
    """`response` of `response.create`: what is left out is as the session says."""

    conversation: Literal["auto"] | None = None
    """Only the session's own conversation; out-of-band replies are not offered."""
    instructions: str | None = None
    output_modalities: Modalities | None = None
    audio: ResponseAudio | None = None
    tools: Annotated[list[FunctionTool], Field(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    max_output_tokens: MaxTokens | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    prompt: None = None
    speakback: ResponseExtension | None = None


class TextPart(WireModel):
    """Text from a user, a system or (as history) the agent. Speech enters by the input audio buffer only."""

    type: Literal["input_text", "output_text", "text"]
    text: str


class NewMessage(WireModel):
    """A message that the client puts into the conversation."""

    type: Literal["message"]
    id: ItemId | None = None
    role: Literal["system", "user", "assistant"]
    content: Annotated[list[TextPart], Field(min_length=1)]


class NewToolCall(WireModel):
    """A function call of an earlier conversation, as history."""

    type: Literal["function_call"]
    id: ItemId | None = None
    call_id: Annotated[str, Field(min_length=1, max_length=64)]
    name: str
    arguments: str


class NewToolOutput(WireModel):
    """What a function call gave."""

    type: Literal["function_call_output"]
    id: ItemId | None = None
    call_id: Annotated[str, Field(min_length=1, max_length=64)]
    output: str


NewItem: TypeAlias = Annotated[NewMessage | NewToolCall | NewToolOutput, Field(discriminator="type")]
