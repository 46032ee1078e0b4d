"""How a stream breaks off."""

from random import Random

from speakback.emulators.faults import Fault
from speakback.emulators.groq.chat_body import Completion
from speakback.emulators.groq.errors import INVALID
from speakback.emulators.groq.wire import DONE, event, json_text

TOOL_USE_FAILED: dict[str, object] = {
    "error": {
        "message": "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
        "type": INVALID,
        "code": "tool_use_failed",
        "failed_generation": "…",
        "status_code": 400,
    }
}
SERVER_ERROR: dict[str, object] = {
    "error": {"message": "Internal Server Error", "type": "internal_server_error", "status_code": 500}
}


def breaking_off(fault: Fault, completion: Completion, rng: Random, *, has_tools: bool) -> bytes:
    """What is sent last. Errors come as a named event, as a bare one, or within a chunk: all three are drawn."""
    if fault is Fault.ERROR_IN_STREAM:
        error = TOOL_USE_FAILED if has_tools else SERVER_ERROR
        return rng.choice((event(error, "error"), event(error), event(completion.cut("stream was cut"))))
    if fault is Fault.NOT_JSON:
        text = json_text(completion.content("?"))
        return f"data: {text[: len(text) // 2]}\n\n".encode() + DONE
    return b""
