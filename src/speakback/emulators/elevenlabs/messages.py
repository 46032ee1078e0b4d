"""What clients send to the sockets: strictly read, with unknown fields ignored as the service ignores them."""

from typing import Annotated, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(ge=0, le=1)]
MessageT = TypeVar("MessageT", bound=BaseModel)


class MalformedError(Exception):
    """A message cannot be read; the text says why, without what it holds."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class VoiceSettings(_Strict):
    """Of the text-to-speech models."""

    stability: Share | None = None
    similarity_boost: Share | None = None
    style: Share | None = None
    use_speaker_boost: bool | None = None
    speed: Annotated[float, Field(ge=0.7, le=1.2)] | None = None


class GenerationConfig(_Strict):
    """When text becomes speech."""

    chunk_length_schedule: Annotated[list[Annotated[int, Field(ge=50, le=500)]], Field(min_length=1)] | None = None


class DictionaryLocator(_Strict):
    """A pronunciation dictionary. Read, but without effect here."""

    pronunciation_dictionary_id: str
    version_id: str | None = None


Dictionaries = Annotated[list[DictionaryLocator], Field(max_length=3)]


class Credentials(_Strict):
    """In a first message, for who cannot send headers."""

    xi_api_key: str | None = Field(None, validation_alias=AliasChoices("xi_api_key", "xi-api-key"))
    authorization: str | None = None
    single_use_token: str | None = None


class SpeechMessage(Credentials):
    """One message to a text-to-speech socket, with one context or many."""

    text: str | None = None
    flush: bool | None = None
    try_trigger_generation: bool | None = None
    voice_settings: VoiceSettings | None = None
    generation_config: GenerationConfig | None = Field(
        None, validation_alias=AliasChoices("generation_config", "generator_config")
    )
    pronunciation_dictionary_locators: Dictionaries | None = None
    context_id: str | None = None
    close_context: bool | None = None
    close_socket: bool | None = None


class DialogueSettings(_Strict):
    """Of v3 and v4."""

    stability: Share | None = None
    clone_strength: float | None = None


class DialogueInput(_Strict):
    """A line of one voice."""

    text: str
    voice_id: str
    new_turn: bool | None = None


class DialogueMessage(Credentials):
    """One message to a dialogue socket."""

    context_id: str | None = None
    voices: list[str] | None = None
    voice_settings: DialogueSettings | None = None
    pronunciation_dictionary_locators: Dictionaries | None = None
    inputs: list[DialogueInput] | None = None
    flush: bool | None = None
    keep_alive: bool | None = None
    close_context: bool | None = None
    close_socket: bool | None = None


class Reader(Generic[MessageT]):
    """Reads messages of one kind."""

    def __init__(self, kind: type[MessageT]) -> None:
        self._kind = kind

    def read(self, text: str) -> MessageT:
        """Raises `MalformedError`."""
        try:
            return self._kind.model_validate_json(text)
        except ValidationError as problem:
            first = problem.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MalformedError(f"{where}: {first['msg']}" if where else f"{first['msg']}")
