"""Answers that are broken on purpose."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from speakback.emulators.faults import Fault

ERROR_PAGE = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body>\r\n</html>\r\n"
PROMISED_TOO_MUCH = 100


async def send_broken(
    request: web.Request, fault: Fault, body: bytes, content_type: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send a body that stops half way, is a page of an error, or is shorter than its `Content-Length` says."""
    if fault is Fault.NOT_JSON:
        return web.Response(body=ERROR_PAGE, content_type="text/html", headers=headers)
    response = web.StreamResponse(headers=headers)
    response.content_type = content_type
    stalls = fault is Fault.STALLED
    response.content_length = len(body) if stalls else len(body) + PROMISED_TOO_MUCH
    await response.prepare(request)
    await response.write(body[: len(body) // 2] if stalls else body)
    if stalls:
        await stall()
    response.force_close()
    return response


async def stall() -> None:
    """Do nothing until the client goes away or the server ends, either of which cancels this."""
    await asyncio.Event().wait()
