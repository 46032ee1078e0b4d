"""The wire's response object and its parts. Pure."""

from speakback.gateway.realtime.session_object import format_object
from speakback.gateway.realtime.session_view import SessionView
from speakback.gateway.realtime.wire_items import item_object
from speakback.providers.llm import Usage
from speakback.session.notices import ReplyBegan, ReplyEnded


def began_object(notice: ReplyBegan, view: SessionView, conversation_id: str) -> dict[str, object]:
    """`response` of `response.created`."""
    return {
        **_head(notice, view, conversation_id),
        "status": "in_progress",
        "status_details": None,
        "output": [],
        "usage": None,
    }


def ended_object(notice: ReplyEnded, view: SessionView, conversation_id: str) -> dict[str, object]:
    """`response` of `response.done`."""
    return {
        **_head(notice, view, conversation_id),
        "status": notice.status,
        "status_details": _status_details(notice),
        "output": [item_object(item) for item in notice.items],
        "usage": None if notice.usage is None else _usage(notice.usage),
    }


def _head(notice: ReplyBegan | ReplyEnded, view: SessionView, conversation_id: str) -> dict[str, object]:
    return {
        "object": "realtime.response",
        "id": notice.response_id,
        "conversation_id": conversation_id,
        "output_modalities": ["audio"] if notice.speaks else ["text"],
        "audio": {"output": {"format": format_object(view.output_format), "voice": view.voice}},
        "max_output_tokens": view.settings.max_tokens,
        "metadata": dict(notice.metadata) or None,
    }


def _status_details(notice: ReplyEnded) -> dict[str, object] | None:
    if notice.status == "completed":
        return None
    details: dict[str, object] = {"type": notice.status}
    if notice.status == "failed":
        details["error"] = {"type": "server_error", "code": notice.reason, "message": "the reply could not be made"}
    elif notice.reason is not None:
        details["reason"] = notice.reason
    return details


def _usage(usage: Usage) -> dict[str, object]:
    """All tokens are text tokens here: speech is made from text and costs none."""
    inputs: dict[str, object] = {"text_tokens": usage.prompt_tokens, "audio_tokens": 0}
    if usage.cached_tokens is not None:
        inputs["cached_tokens"] = usage.cached_tokens
    return {
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "input_token_details": inputs,
        "output_token_details": {"text_tokens": usage.completion_tokens, "audio_tokens": 0},
    }
