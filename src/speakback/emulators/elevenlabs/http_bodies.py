"""The bodies of speech requests over HTTP, and the array that answers a bad one with 422."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from speakback.emulators.elevenlabs.messages import Dictionaries, Share, VoiceSettings

MOST_REQUEST_IDS = 3
RequestIds = Annotated[list[str], Field(max_length=MOST_REQUEST_IDS)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    model_id: str | None = None
    language_code: str | None = None
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)] | None = None
    apply_text_normalization: Literal["auto", "on", "off"] | None = None
    pronunciation_dictionary_locators: Dictionaries | None = None


class SpeechBody(_Body):
    """Of `/v1/text-to-speech/…`."""

    text: str
    voice_settings: VoiceSettings | None = None
    previous_text: str | None = None
    next_text: str | None = None
    previous_request_ids: RequestIds | None = None
    next_request_ids: RequestIds | None = None

    @property
    def spoken(self) -> str:
        return self.text

    @property
    def voice_ids(self) -> list[str]:
        """None: the path has it."""
        return []

    @property
    def has_neighbours(self) -> bool:
        """Whether it tells what is said before or after."""
        return self.previous_text is not None or self.next_text is not None


class DialogueLine(BaseModel):
    """What one voice says."""

    text: str
    voice_id: str


class DialogueSettings(BaseModel):
    """Of v3 and v4."""

    stability: Share | None = None


class DialogueBody(_Body):
    """Of `/v1/text-to-dialogue…`."""

    inputs: Annotated[list[DialogueLine], Field(min_length=1)]
    settings: DialogueSettings | None = None

    @property
    def spoken(self) -> str:
        return "".join(line.text for line in self.inputs)

    @property
    def voice_ids(self) -> list[str]:
        return [line.voice_id for line in self.inputs]

    @property
    def has_neighbours(self) -> bool:
        return False


def unprocessable(problem: ValidationError) -> dict[str, object]:
    """The body of a 422: `detail` is an array, and holds nothing of the request."""
    found = problem.errors(include_input=False, include_url=False, include_context=False)
    return {"detail": [{"loc": ["body", *one["loc"]], "msg": one["msg"], "type": one["type"]} for one in found]}


def unprocessable_query(name: str, message: str) -> dict[str, object]:
    """The same for a parameter of the query."""
    return {"detail": [{"loc": ["query", name], "msg": message, "type": "enum"}]}
