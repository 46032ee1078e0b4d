"""Speech and the account over HTTP."""

import base64
import json
from collections.abc import Mapping

import aiohttp
import pytest

from speakback.emulators.elevenlabs.catalogue import Tier
from speakback.emulators.elevenlabs.options import DEV_KEY
from speakback.emulators.faults import parse_faults
from tests.emulators.elevenlabs.sockets import SINGLE, open_socket
from tests.emulators.elevenlabs.voices import HELLO, VOICE, HeldSpeaker, emulator

SPEECH = f"/v1/text-to-speech/{VOICE}"
BODY: Mapping[str, object] = {"text": HELLO, "model_id": "eleven_flash_v2_5"}
PCM = {"output_format": "pcm_24000"}


class Answer:
    """What came back."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes, chunks: list[int]) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = body
        self.chunks = chunks

    @property
    def detail(self) -> dict[str, object]:
        detail: dict[str, object] = json.loads(self.body)["detail"]
        return detail


async def ask(
    address: str,
    path: str,
    body: object = None,
    query: Mapping[str, str] = PCM,
    key: str | None = DEV_KEY,
    method: str | None = None,
) -> Answer:
    headers = {"xi-api-key": key} if key else {}
    method = method or ("GET" if body is None else "POST")
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://{address}{path}", json=body, params=query, headers=headers) as response,
    ):
        pieces = [piece async for piece, _ in response.content.iter_chunks()]
        return Answer(response, b"".join(pieces), list(map(len, pieces)))


async def test_a_stream_comes_in_odd_chunks() -> None:
    async with emulator() as address:
        answer = await ask(address, f"{SPEECH}/stream", {**BODY, "unknown": 1})
    assert answer.status == 200
    assert len(answer.body) == 46_812
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Type"] == "audio/pcm"
    assert answer.headers["character-cost"] == "7"
    assert {"request-id", "x-trace-id", "x-region"} <= answer.headers.keys()
    assert answer.headers["current-concurrent-requests"] == "1"
    assert answer.headers["maximum-concurrent-requests"] == "20"
    assert answer.chunks[0] % 2 == 1


async def test_times_come_line_by_line() -> None:
    async with emulator() as address:
        answer = await ask(address, f"{SPEECH}/stream/with-timestamps", BODY)
        whole = await ask(address, f"{SPEECH}/with-timestamps", BODY)
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert list(lines[0]) == ["audio_base64", "alignment", "normalized_alignment"]
    assert b"".join(base64.b64decode(line["audio_base64"]) for line in lines) == base64.b64decode(
        json.loads(whole.body)["audio_base64"]
    )
    alignment = lines[0]["alignment"]
    assert list(alignment) == ["characters", "character_start_times_seconds", "character_end_times_seconds"]
    assert alignment["character_end_times_seconds"][:3] == [0.081, 0.139, 0.174]
    assert "".join("".join(line["alignment"]["characters"]) for line in lines) == HELLO
    assert lines[-1]["alignment"]["character_end_times_seconds"][-1] == 0.975


async def test_whole_answers_may_be_wav() -> None:
    async with emulator() as address:
        answer = await ask(address, SPEECH, BODY, {"output_format": "wav_16000"})
        assert answer.body.startswith(b"RIFF")
        assert answer.headers["Content-Type"] == "audio/wav"
        assert (await ask(address, f"{SPEECH}/stream", BODY, {"output_format": "wav_16000"})).status == 422


async def test_dialogue_over_http() -> None:
    body = {"inputs": [{"text": "[laughs] Hi. ", "voice_id": VOICE}, {"text": "Hello. ", "voice_id": VOICE}]}
    async with emulator() as address:
        answer = await ask(address, "/v1/text-to-dialogue/stream", body)
        assert len(answer.body) == len(" Hi. Hello. ") * 65 * 48
        assert answer.headers["character-cost"] == "20"
        wrong = await ask(address, "/v1/text-to-dialogue", {**body, "model_id": "eleven_flash_v2_5"})
        assert wrong.status == 400


# ---- refusals ---------------------------------------------------------------------------------


async def test_keys() -> None:
    async with emulator() as address:
        missing = await ask(address, f"{SPEECH}/stream", BODY, key=None)
        wrong = await ask(address, f"{SPEECH}/stream", BODY, key="wrong")
        hexed = await ask(address, f"{SPEECH}/stream", BODY, key="0123456789abcdef" * 2)
    assert (missing.status, missing.detail["status"]) == (401, "authentication_required")
    assert wrong.status == 401
    assert wrong.detail == {
        "type": "authentication_error",
        "code": "unauthorized",
        "message": "Invalid API key",
        "param": None,
        "status": "invalid_api_key",
        "request_id": wrong.headers["request-id"],
    }
    assert (hexed.status, hexed.detail["code"]) == (400, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "query", "status", "code"),
    [
        ({**BODY, "model_id": "no-model"}, PCM, 400, "unsupported_model"),
        ({**BODY, "language_code": "xx"}, PCM, 400, "unsupported_language"),
        ({**BODY, "text": "x" * 40_001}, PCM, 400, "text_too_long"),
        ({**BODY, "model_id": "eleven_v3", "previous_text": "x"}, PCM, 400, "unsupported_model"),
        (BODY, {"output_format": "pcm_44100"}, 403, "subscription_required"),
    ],
)
async def test_refused_requests(body: object, query: Mapping[str, str], status: int, code: str) -> None:
    async with emulator(tier=Tier.FREE) as address:
        answer = await ask(address, f"{SPEECH}/stream", body, query)
    assert (answer.status, answer.detail["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "query", "where"),
    [
        ({"model_id": "eleven_flash_v2_5"}, PCM, ["body", "text"]),
        ([], PCM, ["body"]),
        ({**BODY, "previous_request_ids": ["1", "2", "3", "4"]}, PCM, ["body", "previous_request_ids"]),
        ({**BODY, "voice_settings": {"speed": 3}}, PCM, ["body", "voice_settings", "speed"]),
        (BODY, {"output_format": "pcm_1"}, ["query", "output_format"]),
    ],
)
async def test_unprocessable_requests(body: object, query: Mapping[str, str], where: list[str]) -> None:
    async with emulator() as address:
        answer = await ask(address, f"{SPEECH}/stream", body, query)
    assert answer.status == 422
    first = json.loads(answer.body)["detail"][0]
    assert first["loc"] == where
    assert {"loc", "msg", "type"} == first.keys()


async def test_an_unknown_voice_and_an_empty_quota() -> None:
    async with emulator(credit_limit=10) as address:
        voice = await ask(address, "/v1/text-to-speech/nobody/stream", BODY)
        quota = await ask(address, f"{SPEECH}/stream", {**BODY, "text": "x" * 40})
    assert (voice.status, voice.detail["message"]) == (404, "A voice with voice_id 'nobody' was not found.")
    assert quota.status == 401
    assert quota.detail["message"] == (
        "This request exceeds your quota of 10. You have 10 credits remaining, "
        "while 20 credits are required for this request."
    )


async def test_too_much_at_once_waits_a_little_and_is_refused() -> None:
    speaker = HeldSpeaker()
    async with emulator(speaker=speaker, concurrent_generations=1) as address:
        async with open_socket(address, SINGLE) as client:
            await client.send({"text": " "}, {"text": "One. ", "flush": True}, {"text": "hold ", "flush": True})
            await client.frame()
            answer = await ask(address, f"{SPEECH}/stream", BODY)
            assert (answer.status, answer.detail["code"]) == (429, "concurrent_limit_exceeded")
            speaker.released.set()
            await client.send({"text": ""})
            await client.until("isFinal")
        assert (await ask(address, f"{SPEECH}/stream", BODY)).status == 200


# ---- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("429", 429, "rate_limit_exceeded"),
        ("system-busy", 429, "system_busy"),
        ("500", 500, "internal_error"),
        ("quota", 401, "quota_exceeded"),
    ],
)
async def test_faults_that_refuse(name: str, status: int, code: str) -> None:
    async with emulator(faults=parse_faults(name)) as address:
        answer = await ask(address, f"{SPEECH}/stream", BODY)
    assert (answer.status, answer.detail["code"]) == (status, code)


@pytest.mark.parametrize("name", ["close-1006", "lying-content-length"])
@pytest.mark.parametrize("path", [SPEECH, f"{SPEECH}/stream"])
async def test_faults_that_break_off(name: str, path: str, caplog: pytest.LogCaptureFixture) -> None:
    async with emulator(faults=parse_faults(name)) as address:
        with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
            await ask(address, path, BODY)
    assert caplog.records == []  # it is what was asked for, and no crash of the emulator


async def test_a_stream_with_times_breaks_off_at_a_line() -> None:
    async with (
        emulator(faults=parse_faults("stalled")) as address,
        aiohttp.ClientSession() as session,
        session.post(
            f"http://{address}{SPEECH}/stream/with-timestamps",
            json=BODY,
            params=PCM,
            headers={"xi-api-key": DEV_KEY},
        ) as response,
    ):
        line = json.loads(await response.content.readline())
        assert len(base64.b64decode(line["audio_base64"])) < 46_812
        assert not response.content.at_eof()


async def test_a_stalled_stream_sends_a_part_and_stays() -> None:
    async with (
        emulator(faults=parse_faults("stalled")) as address,
        aiohttp.ClientSession() as session,
        session.post(
            f"http://{address}{SPEECH}/stream", json=BODY, params=PCM, headers={"xi-api-key": DEV_KEY}
        ) as response,
    ):
        assert len(await response.content.readexactly(10_000)) == 10_000
        assert not response.content.at_eof()


async def test_faults_of_the_body() -> None:
    async def body(name: str, path: str) -> bytes:
        async with emulator(faults=parse_faults(name)) as address:
            answer = await ask(address, path, BODY)
        assert answer.status == 200
        return answer.body

    timed = f"{SPEECH}/stream/with-timestamps"
    assert await body("silent-success", f"{SPEECH}/stream") == b""
    assert len(await body("odd-bytes", f"{SPEECH}/stream")) == 46_811
    assert (await body("not-json", timed)).startswith(b"<html>")
    assert json.loads((await body("no-alignment", timed)).splitlines()[0])["alignment"] is None
    with pytest.raises(ValueError, match="padding|base64"):
        base64.b64decode(json.loads((await body("truncated-base64", timed)).splitlines()[0])["audio_base64"])


# ---- the account ------------------------------------------------------------------------------


async def test_the_account() -> None:
    async with emulator(restricted_keys=("speech-only",)) as address:
        await ask(address, f"{SPEECH}/stream", BODY)
        subscription = json.loads((await ask(address, "/v1/user/subscription", query={})).body)
        assert (subscription["tier"], subscription["character_count"]) == ("pro", 7)
        user = json.loads((await ask(address, "/v1/user", query={})).body)
        assert user["subscription"] == subscription
        models = json.loads((await ask(address, "/v1/models", query={})).body)
        flash = next(model for model in models if model["model_id"] == "eleven_flash_v2_5")
        assert flash["maximum_text_length_per_request"] == 40_000
        assert flash["model_rates"] == {"character_cost_multiplier": 0.5}
        voices = json.loads((await ask(address, "/v1/voices", query={})).body)["voices"]
        assert VOICE in [voice["voice_id"] for voice in voices]
        assert json.loads((await ask(address, f"/v1/voices/{VOICE}", query={})).body)["voice_id"] == VOICE
        assert (await ask(address, "/v1/voices/nobody", query={})).status == 404
        stats = await ask(address, "/v1/usage/character-stats", query={"start_unix": "1", "end_unix": "2"})
        assert json.loads(stats.body)["usage"] == {"All": [7]}
        assert (await ask(address, "/v1/usage/character-stats", query={})).status == 422
        restricted = await ask(address, "/v1/user/subscription", query={}, key="speech-only")
        assert (restricted.status, restricted.detail["status"]) == (401, "missing_permissions")
        assert (await ask(address, f"{SPEECH}/stream", BODY, key="speech-only")).status == 200
        assert (await ask(address, "/v1/voices", query={}, key="wrong")).status == 401


async def test_a_single_use_token_opens_one_socket() -> None:
    async with emulator() as address:
        answer = await ask(address, "/v1/single-use-token/tts_websocket", query={}, method="POST")
        token = json.loads(answer.body)["token"]
        query = {"model_id": "eleven_flash_v2_5", "single_use_token": token}
        async with open_socket(address, SINGLE, query, key=None) as client:
            await client.send({"text": " "}, {"text": ""})
            assert (await client.frame())["isFinal"] is True
        async with open_socket(address, SINGLE, query, key=None) as client:
            await client.send({"text": " "})
            assert (await client.error())["error"] == "invalid_api_key"
        assert (await ask(address, "/v1/single-use-token/other", query={}, method="POST")).status == 422
