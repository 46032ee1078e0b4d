"""Which models there are, and what is said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a model is for, in the words of a refusal."""

    TRANSCRIPTION = "audio transcription"
    CHAT = "chat completions"


@dataclass(frozen=True, slots=True)
class Model:
    """One model; `created` is in Unix seconds."""

    id: str
    kind: Kind
    owned_by: str
    created: int
    context_window: int
    max_completion_tokens: int
    reasons: bool = False

    def wire(self) -> Mapping[str, object]:
        """As the list of models has it."""
        return {
            "id": self.id,
            "object": "model",
            "created": self.created,
            "owned_by": self.owned_by,
            "active": True,
            "context_window": self.context_window,
            "public_apps": None,
            "max_completion_tokens": self.max_completion_tokens,
        }


MODELS = (
    Model("openai/gpt-oss-20b", Kind.CHAT, "OpenAI", 1754407957, 131_072, 65_536, reasons=True),
    Model("openai/gpt-oss-120b", Kind.CHAT, "OpenAI", 1754408224, 131_072, 65_536, reasons=True),
    Model("qwen/qwen3.6-27b", Kind.CHAT, "Alibaba Cloud", 1776211200, 131_072, 40_960, reasons=True),
    Model("qwen/qwen3.8-27b", Kind.CHAT, "Alibaba Cloud", 1785283200, 131_072, 40_960, reasons=True),
    Model("groq/compound", Kind.CHAT, "Groq", 1756949530, 131_072, 8_192),
    Model("whisper-large-v3-turbo", Kind.TRANSCRIPTION, "OpenAI", 1728413088, 448, 448),
    Model("whisper-large-v3", Kind.TRANSCRIPTION, "OpenAI", 1693721698, 448, 448),
)
"""Those that were switched off (the Llama models) are not among them and answer 404 like any unknown name."""


def found(models: Sequence[Model], model_id: str) -> Model | None:
    """The model of this id."""
    return next((model for model in models if model.id == model_id), None)
