"""What the OpenAI SDK raises, in our own words: those of a service may quote the prompt or the key."""

import json
from collections.abc import Mapping

import httpx2
import openai

from speakback.providers.adapters.openai_chunks import NotAChunk, StreamCut
from speakback.providers.errors import Failure
from speakback.providers.openai_refusals import Refusal, refusal, refused_in_stream, request_id
from speakback.providers.rate_limit import Exhausted

FAILURES = (openai.APIError, httpx2.HTTPError, ValueError, RecursionError, StreamCut, Exhausted)
"""What `explained` knows; `ValueError` takes in what is no JSON."""


def explained(problem: Exception, opened: Mapping[str, str] | None) -> Refusal:
    """Why a request for a chat failed. `opened`: the headers of the answer, once it had begun."""
    match problem:
        case openai.APIStatusError():
            return refusal(problem.status_code, problem.response.headers, problem.response.content)
        case Exhausted():
            return Refusal(Failure.RATE_LIMITED, f"the rate limit is reached; {problem}", problem.wait_s, None)
        case StreamCut():
            return refused_in_stream(problem.error, opened or {})
        case openai.APIConnectionError() | httpx2.HTTPError():
            return _of_the_connection(problem, opened)
        case openai.APIError():
            return refused_in_stream(problem.body, opened or {})
        case json.JSONDecodeError() | UnicodeDecodeError() | NotAChunk() | RecursionError():
            return _answered_badly("the service sent something that is not a chat completion", opened)
        case _:
            words = "the parameters of a tool are not a JSON object"
            return Refusal(Failure.BAD_REQUEST, words, None, None)


def _of_the_connection(problem: Exception, opened: Mapping[str, str] | None) -> Refusal:
    cause = problem.__cause__ if isinstance(problem, openai.APIConnectionError) else problem
    named = None if opened is None else request_id(opened, {})
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        words = "cannot connect; check the base URL, the network and that the service runs"
        return Refusal(Failure.UNREACHABLE, words, None, named)
    if isinstance(problem, openai.APITimeoutError) or isinstance(cause, httpx2.TimeoutException):
        return Refusal(Failure.LATE, "no answer in time", None, named)
    return Refusal(Failure.BROKE_OFF, "the service closed the connection before the reply's end", None, named)


def _answered_badly(words: str, opened: Mapping[str, str] | None) -> Refusal:
    return Refusal(Failure.BAD_ANSWER, words, None, None if opened is None else request_id(opened, {}))
