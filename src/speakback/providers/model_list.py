"""Which models a service has: asked at start, so that one that was switched off is found before a call, not in it."""

import asyncio
import difflib
import json
from collections.abc import Sequence

import httpx2

from speakback.providers.errors import Failure, ProviderError
from speakback.providers.openai_refusals import refusal, request_id
from speakback.providers.tls import certificates

TIMEOUT_S = 5.0


async def fetch_models(
    base_url: str, api_key: str | None, *, role: str, provider: str, region: str | None = None
) -> tuple[str, ...]:
    """The ids of the models that `GET base_url/models` lists, without those that are not active.

    Raises `ProviderError`.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        tls = await asyncio.to_thread(certificates)
        async with asyncio.timeout(TIMEOUT_S), httpx2.AsyncClient(headers=headers, timeout=None, verify=tls) as http:
            answer = await http.get(f"{base_url.rstrip('/')}/models")
    except TimeoutError:
        failure, message = Failure.LATE, f"the list of models did not come within {TIMEOUT_S:g} s"
        raise ProviderError(role, provider, message, failure=failure, region=region) from None
    except (httpx2.HTTPError, httpx2.InvalidURL):
        failure, message = Failure.UNREACHABLE, "cannot ask for the list of models; check the base URL and the network"
        raise ProviderError(role, provider, message, failure=failure, region=region) from None
    if answer.status_code != 200:
        refused = refusal(answer.status_code, answer.headers, answer.content)
        raise ProviderError(
            role,
            provider,
            f"no list of models: {refused.words}",
            failure=refused.failure,
            region=region,
            request_id=refused.request_id,
            retry_after_s=refused.retry_after_s,
        )
    ids = _model_ids(answer.content)
    if not ids:
        failure, message = Failure.BAD_ANSWER, "the list of models is empty, or none"
        named = request_id(answer.headers, {})
        raise ProviderError(role, provider, message, failure=failure, region=region, request_id=named)
    return ids


def first_available(
    wanted: Sequence[str], available: Sequence[str], *, role: str, provider: str, region: str | None = None
) -> str:
    """The first of the wanted models that there is. Raises `ProviderError` with the one that is nearest."""
    for model in wanted:
        if model in available:
            return model
    message = f"there is none of the models {', '.join(wanted)}{or_nearest(wanted[0], available)}"
    raise ProviderError(role, provider, message, failure=Failure.UNKNOWN_MODEL, region=region)


def or_nearest(model: str, available: Sequence[str]) -> str:
    """A suggestion to end a sentence with: the model there is whose name is most alike. Empty where none is known."""
    found = difflib.get_close_matches(model, [one for one in available if one != model], n=1, cutoff=0.0)
    return f"; the nearest there is: {found[0]}" if found else ""


def _model_ids(body: bytes) -> tuple[str, ...]:
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    entries = answer.get("data") if isinstance(answer, dict) else None
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    ids = [entry.get("id") for entry in found if entry.get("active") is not False]
    return tuple(name for name in ids if isinstance(name, str) and name)
