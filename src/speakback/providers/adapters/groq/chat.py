"""How Groq's chat completions differ from OpenAI's; `OpenAiChat` does the rest."""

from collections.abc import Mapping

from speakback.providers.adapters.openai_chat import ChatOptions

MODELS = ("openai/gpt-oss-20b", "openai/gpt-oss-120b")
"""To be tried in this order (`model_list.first_available`)."""
LEAST_COMPLETION_TOKENS = 512
SILENCE_TIMEOUT_S = 8.0


def groq_chat(
    model: str, *, name: str = "groq", region: str | None = None, known_models: tuple[str, ...] = ()
) -> ChatOptions:
    """Options for a model at Groq: one that reasons does so briefly, unseen, and with room left for the reply."""
    return ChatOptions(
        name=name,
        region=region,
        limit_name="max_completion_tokens",
        least_completion_tokens=LEAST_COMPLETION_TOKENS if _reasons(model) else 0,
        extra=reasoning_controls(model),
        known_models=known_models,
        connect_timeout_s=3.0,
        silence_timeout_s=SILENCE_TIMEOUT_S,
    )


def reasoning_controls(model: str) -> Mapping[str, str | bool]:
    """The fields that keep a model's reasoning short and out of the stream; other models refuse them."""
    if "gpt-oss" in model:
        return {"reasoning_effort": "low", "include_reasoning": False}
    if model.startswith("qwen/qwen3"):
        return {"reasoning_effort": "none"}
    return {}


def _reasons(model: str) -> bool:
    return bool(reasoning_controls(model))
