"""Headers that no browser sends are refused, before anything else is looked at."""

import aiohttp
import pytest

from speakback.config import Settings
from speakback.gateway.service import Service
from speakback.gateway.serving import listening
from speakback.gateway.terms import terms_of


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/v1/realtime", {"Origin": "http://["}, 403), ("/v1/realtime", {"Origin": "http://a:99999999"}, 403)],
)
async def test_a_malformed_header_is_refused_without_a_crash(path: str, headers: dict[str, str], status: int) -> None:
    service = Service(terms_of(Settings()))
    async with (
        listening(service, "127.0.0.1", 0) as address,
        aiohttp.ClientSession() as http,
        http.get(f"{address}{path}", headers=headers) as answer,
    ):
        assert answer.status == status
