"""Serving, and leaving nothing behind."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from speakback.emulators.server import CannotListenError, serving


def hello() -> web.Application:
    async def greet(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", greet)
    return app


async def test_each_application_has_its_own_address() -> None:
    async with serving({"a": hello(), "b": hello()}) as addresses, aiohttp.ClientSession() as http:
        assert addresses["a"] != addresses["b"]
        for address in addresses.values():
            async with http.get(address) as response:
                assert await response.text() == "hello"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(addresses["a"])


async def test_a_handler_that_never_ends_is_ended() -> None:
    before = asyncio.all_tasks()
    ended: list[str] = []
    begun = asyncio.Event()

    async def stuck(request: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # what clears up may take its time
            ended.append("stuck")
        return web.Response()

    app = web.Application()
    app.router.add_get("/", stuck)
    async with aiohttp.ClientSession() as http:
        async with serving({"a": app}) as addresses:
            asking = asyncio.create_task(http.get(addresses["a"]).__aenter__())
            await begun.wait()
        assert ended == ["stuck"]
        with pytest.raises(aiohttp.ClientError):
            await asking
    assert asyncio.all_tasks() == before


async def test_a_client_that_hangs_up_before_the_answer_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    async def too_late(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        response = web.StreamResponse()
        await response.prepare(request)
        return response

    app = web.Application()
    app.router.add_get("/", too_late)
    async with serving({"a": app}) as addresses, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.get(addresses["a"])
    assert caplog.records == []


async def test_a_taken_port_is_said() -> None:
    async with serving({"a": hello()}) as addresses:
        port = int(addresses["a"].rpartition(":")[2])
        with pytest.raises(CannotListenError, match=f"b: cannot listen on 127.0.0.1:{port}"):
            async with serving({"b": hello()}, ports={"b": port}):
                pass


async def test_a_port_out_of_range_is_said() -> None:
    with pytest.raises(CannotListenError, match="99999"):
        async with serving({"a": hello()}, ports={"a": 99_999}):
            pass
