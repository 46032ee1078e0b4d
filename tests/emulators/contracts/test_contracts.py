"""The contracts hold at the emulators; where a service does otherwise, that is told."""

import socket

import pytest
from aiohttp import web

from speakback.emulators.contracts.contract import Service, Verdict
from speakback.emulators.contracts.course import Side
from speakback.emulators.contracts.site import Address
from tests.emulators.contracts.held import hold, only, quick_apps

SPEAKING = ("elevenlabs/hello-world", "elevenlabs/barge-in", "elevenlabs/dialogue")


async def test_all_hold_at_the_emulators_and_two_of_them_do_not_differ() -> None:
    held = await hold(live=quick_apps(), runs_slow=True)
    assert len(held.results) == 18
    for name, result in held.results.items():
        assert {outcome.verdict for outcome in result.outcomes.values()} == {Verdict.HOLDS}, name
        assert result.differences == (), name
        assert set(result.outcomes) == {Side.LIVE, Side.EMULATOR}


VARIANTS = [
    ("snake-case-id", "elevenlabs/barge-in", "audio.context_id: live string; emulator –"),
    ("snake-case-id", "elevenlabs/barge-in", "final.contextId: live –; emulator string"),
    ("snake-case-final", "elevenlabs/hello-world", "final.is_final: live true or false; emulator –"),
    ("chars-durations", "elevenlabs/hello-world", "audio.alignment.charsDurationsMs: live array; emulator –"),
]


@pytest.mark.parametrize(("fault", "name", "difference"), VARIANTS)
async def test_a_variant_of_spelling_is_told_and_breaks_nothing(fault: str, name: str, difference: str) -> None:
    result = (await hold(only(name), live=quick_apps(fault))).results[name]
    assert result.outcomes[Side.LIVE].verdict is Verdict.HOLDS
    assert difference in [str(one) for one in result.differences]


BREACHES = [
    ("missing-final", "elevenlabs/hello-world", "before it should", "order: live audio; emulator audio, final"),
    ("missing-final", "elevenlabs/dialogue", "nothing came", "final: live –; emulator object"),
    ("no-alignment", "elevenlabs/hello-world", "no alignment", "audio.alignment: live null; emulator object or null"),
    ("close-1006", "elevenlabs/barge-in", "1006", "close: live 1006 without reason; emulator 1000 without reason"),
    ("not-json", "elevenlabs/hello-world", "not JSON", "not JSON: live not JSON; emulator –"),
    ("truncated-base64", "elevenlabs/dialogue", "no base64", None),
    ("odd-bytes", "elevenlabs/hello-world", "no whole samples", None),
    ("silent-success", "groq/speech", "does not begin with a space", "body.words[]: live –; emulator object"),
    ("429", "groq/speech", "HTTP 429", "status: live HTTP 429; emulator HTTP 200"),
    ("429", "groq/speech", "HTTP 429", "header names: live retry-after; emulator –"),
    ("429", "elevenlabs/connect", "HTTP 429", "status: live HTTP 429; emulator HTTP 101"),
    ("no-done", "groq/chat-stream", "[DONE]", "finish: live –; emulator object"),
    ("error-in-stream", "groq/reasoning-stream", "[DONE]", "finish: live –; emulator object"),
    ("lying-content-length", "groq/speech", "no whole answer", "body: live –; emulator object"),
    ("stalled", "groq/chat-stream", "within 1 s", "[DONE]: live –; emulator string"),
]


@pytest.mark.parametrize(("fault", "name", "why", "difference"), BREACHES)
async def test_a_breach_is_told_with_what_differs(fault: str, name: str, why: str, difference: str | None) -> None:
    result = (await hold(only(name), live=quick_apps(fault))).results[name]
    assert result.is_broken
    assert result.outcomes[Side.EMULATOR].verdict is Verdict.HOLDS
    assert result.outcomes[Side.LIVE].verdict is Verdict.BROKEN
    assert why in result.outcomes[Side.LIVE].why
    assert difference in [None, *(str(one) for one in result.differences)]


async def test_slow_contracts_run_only_when_asked() -> None:
    result = (await hold(only("elevenlabs/idle-alone"))).results["elevenlabs/idle-alone"]
    assert result.outcomes == {Side.EMULATOR: result.outcomes[Side.EMULATOR]}
    assert result.outcomes[Side.EMULATOR].verdict is Verdict.NOT_RUN


async def test_behind_a_closed_gate_nothing_is_tried() -> None:
    names = ("elevenlabs/connect", *SPEAKING)
    held = await hold(only(*names), live=quick_apps("429"))
    for name in SPEAKING:
        assert held.results[name].outcomes[Side.LIVE].why == "connect does not hold"
        assert held.results[name].outcomes[Side.EMULATOR].verdict is Verdict.HOLDS
        assert (name, Side.LIVE) not in held.recordings


@pytest.mark.parametrize(
    ("service", "why"), [("groq", "no whole answer came (ConnectError)"), ("elevenlabs", "cannot connect to 127.0.0.1")]
)
async def test_a_service_that_cannot_be_reached_is_told(service: Service, why: str) -> None:
    with socket.socket() as nobody:  # a port that is taken, and where nobody listens
        nobody.bind(("127.0.0.1", 0))
        address = Address(base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}", api_key="key")
        held = await hold(only(f"{service}/connect"), live_at={service: address})
    assert held.results[f"{service}/connect"].outcomes[Side.LIVE].why.startswith(why)


async def test_another_close_code_is_told() -> None:
    async def close(request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        await opened.receive()
        await opened.send_json({"message": "Invalid API key", "error": "invalid_api_key", "code": 4001})
        await opened.close(code=4001, message=b"Invalid API key")
        return opened

    app = web.Application()
    app.router.add_get("/{any:.*}", close)
    result = (await hold(only("elevenlabs/bad-key"), live={"elevenlabs": app})).results["elevenlabs/bad-key"]
    assert result.outcomes[Side.LIVE].why == "closed with 4001, where 1008 was due"
    assert "close: live 4001 with a reason; emulator 1008 with a reason" in [str(one) for one in result.differences]


async def test_a_service_that_echoes_secrets_does_not_get_them_into_what_is_kept_or_said() -> None:
    async def echo(request: web.Request) -> web.Response:
        key = request.headers["authorization"].removeprefix("Bearer ")
        error = {"message": f"{key} of org_01abcdef", "code": f"{key} org_01abcdef", key: key}
        return web.json_response(
            {"error": error},
            status=401,
            headers={"x-key": key, "set-cookie": "session=c00kie", "x-request-id": "req_1"},
        )

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", echo)
    held = await hold(only("groq/connect"), live={"groq": app})
    texts = [frame.line() for frame in held.recordings["groq/connect", Side.LIVE].frames]
    told = [str(held.results["groq/connect"])]
    assert any("req_1" in text for text in texts)
    for text in texts + told:
        for secret in ("gsk_local_development", "01abcdef", "c00kie"):
            assert secret not in text
