"""`stream-input` on the wire."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from websockets.exceptions import InvalidStatus

from speakback.emulators.elevenlabs.catalogue import Tier
from speakback.emulators.elevenlabs.options import Guesses
from speakback.emulators.faults import parse_faults
from speakback.emulators.profiles import ZERO
from tests.emulators.elevenlabs.sockets import FLASH, MULTI, SINGLE, Frame, audio_of, open_socket, texts
from tests.emulators.elevenlabs.voices import HELLO_DURATIONS_MS, HELLO_STARTS_MS, emulator

INIT: Frame = {"text": " "}
HELLO: list[Frame] = [
    INIT,
    *texts("Hel", "lo", " world", "."),
    {"text": " ", "flush": True},
    {"text": ""},
]


async def test_the_captured_hello_world() -> None:
    """Section 1.6 and 1.11: two frames, the final one, close 1000 without a reason."""
    async with emulator() as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        first, second, third = [await client.raw() for _ in range(3)]
        assert await client.closed() == (1000, "")
    frame: Frame = json.loads(first)
    assert list(frame) == ["audio", "isFinal", "normalizedAlignment", "alignment"]
    assert frame["isFinal"] is None
    assert frame["alignment"] == {
        "chars": list("Hello world. "),
        "charStartTimesMs": list(HELLO_STARTS_MS),
        "charDurationsMs": list(HELLO_DURATIONS_MS),
    }
    normalized = frame["normalizedAlignment"]
    assert isinstance(normalized, dict)
    assert normalized["chars"] == list(" Hello world. ")
    assert normalized["charStartTimesMs"][:3] == [0, 35, 81]
    assert sum(normalized["charDurationsMs"]) == 975
    assert len(audio_of([frame])) == 46_376
    assert len(audio_of([json.loads(second)])) == 436
    assert second.endswith('"isFinal": null, "normalizedAlignment": null, "alignment": null}')
    assert third == '{"audio": null, "isFinal": true, "normalizedAlignment": null, "alignment": null}'


async def test_a_flush_has_no_end_marker_and_a_bare_one_flushes_too() -> None:
    async with emulator() as address, open_socket(address, SINGLE) as client:
        await client.send(INIT, {"text": "One. "}, {"flush": True}, {"flush": True}, {"text": "Two. ", "flush": True})
        frames = [await client.frame() for _ in range(4)]
        await client.send({"text": ""})
        assert (await client.frame())["isFinal"] is True
    assert [frame["isFinal"] for frame in frames] == [None] * 4


async def test_every_token_is_a_clip_in_auto_mode() -> None:
    query = {**FLASH, "auto_mode": "true"}
    async with emulator() as address, open_socket(address, SINGLE, query) as client:
        await client.send(INIT, *texts("Hel", "lo", " world", ".", ""))
        frames = await client.until("isFinal")
    clips = [frame["alignment"] for frame in frames if frame["alignment"]]
    assert [clip["chars"] for clip in clips if isinstance(clip, dict)] == [list("Hel"), list("lo"), list(" world")]


async def test_with_sync_alignment_every_frame_has_its_own() -> None:
    query = {**FLASH, "sync_alignment": "true"}
    text = "A rather long sentence, so long that it is cut into three frames and a tail, which is small. "
    async with emulator() as address, open_socket(address, SINGLE, query) as client:
        await client.send(INIT, {"text": text, "flush": True}, {"text": ""})
        *frames, _ = await client.until("isFinal")
    assert len(frames) == 4
    chars = list[str]()
    for frame in frames:
        alignment = frame["alignment"]
        assert isinstance(alignment, dict)
        assert alignment["charStartTimesMs"][0] == 0
        assert sum(alignment["charDurationsMs"]) * 48 == len(audio_of([frame]))
        chars += alignment["chars"]
    assert "".join(chars) == text


@pytest.mark.parametrize(("output_format", "per_ms"), [("pcm_16000", 32), ("ulaw_8000", 8), ("alaw_8000", 8)])
async def test_formats_have_as_many_bytes_as_the_alignment_has_time(output_format: str, per_ms: int) -> None:
    async with (
        emulator() as address,
        open_socket(address, SINGLE, {**FLASH, "output_format": output_format}) as client,
    ):
        await client.send(*HELLO)
        frames = await client.until("isFinal")
    assert abs(len(audio_of(frames)) - 975.25 * per_ms) <= 2


@pytest.mark.parametrize("output_format", ["mp3_44100_128", "mp3_22050_32", "opus_48000_64"])
async def test_compressed_formats_are_encoded(output_format: str) -> None:
    async with (
        emulator() as address,
        open_socket(address, SINGLE, {**FLASH, "output_format": output_format}) as client,
    ):
        await client.send(*HELLO)
        audio = audio_of(await client.until("isFinal"))
    if output_format.startswith("opus"):
        assert audio.startswith(b"OggS")
    else:
        kbps = int(output_format.rpartition("_")[2])
        assert audio[0] == 0xFF
        assert len(audio) * 8 / kbps == pytest.approx(975, rel=0.15)


# ---- who may, and what may be asked ----------------------------------------------------------


async def test_a_wrong_key_is_told_after_the_first_message() -> None:
    async with emulator() as address, open_socket(address, SINGLE, key="wrong") as client:
        await client.send(INIT)
        assert await client.raw() == '{"message": "Invalid API key", "error": "invalid_api_key", "code": 1008}'
        assert await client.closed() == (1008, "Invalid API key")


async def test_the_upgrade_names_itself_and_the_limits() -> None:
    async with emulator(region="eu") as address, open_socket(address, SINGLE) as client:
        assert client.connection.response is not None
        headers = client.connection.response.headers
    assert {"request-id", "x-trace-id"} <= {name.lower() for name in headers}
    assert headers["x-region"] == "eu"
    assert headers["maximum-concurrent-requests"] == "20"


async def test_no_key_and_the_keys_of_a_first_message() -> None:
    async with emulator(keys=("k",)) as address:
        async with open_socket(address, SINGLE, key=None) as client:
            await client.send(INIT)
            assert (await client.error())["error"] == "authentication_required"
        for name in ("xi_api_key", "xi-api-key", "authorization"):
            async with open_socket(address, SINGLE, key=None) as client:
                await client.send({"text": " ", name: "k"}, {"text": ""})
                assert (await client.frame())["isFinal"] is True


async def test_an_unknown_voice_is_told_after_the_first_message() -> None:
    async with emulator() as address, open_socket(address, SINGLE.replace("21m00", "X")) as client:
        await client.send(INIT)
        error = await client.error()
    assert error["error"] == "voice_id_does_not_exist"
    assert str(error["message"]).startswith("A voice with voice_id X")


@pytest.mark.parametrize("path", [SINGLE, MULTI])
async def test_v3_is_refused_at_the_upgrade(path: str) -> None:
    async with emulator() as address:
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address, path, {"model_id": "eleven_v3"}):
                pass
    response = refused.value.response
    assert response.status_code == 400
    assert response.body is not None
    detail = json.loads(response.body)["detail"]
    assert detail["request_id"] == response.headers["request-id"]
    del detail["request_id"]
    assert detail == {
        "type": "validation_error",
        "code": "unsupported_model",
        "message": "Model 'eleven_v3' is not supported on the text-to-speech websocket endpoint. "
        "Use the text-to-dialogue websocket endpoint instead.",
        "param": "model_id",
        "status": "unsupported_model",
    }


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"language_code": "xx"}, 400, "unsupported_language"),
        ({"model_id": "eleven_multilingual_v2", "language_code": "en"}, 400, "unsupported_language"),
        ({"model_id": "no-model"}, 400, "unsupported_model"),
        ({"output_format": "pcm_12345"}, 400, "invalid_parameters"),
        ({"output_format": "wav_16000"}, 400, "invalid_parameters"),
        ({"output_format": "pcm_44100"}, 403, "subscription_required"),
        ({"auto_mode": "True"}, 400, "invalid_parameters"),
        ({"inactivity_timeout": "soon"}, 400, "invalid_parameters"),
        ({"inactivity_timeout": "300"}, 400, "invalid_parameters"),
        ({"apply_text_normalization": "maybe"}, 400, "invalid_parameters"),
        ({"seed": "-1"}, 400, "invalid_parameters"),
        ({"voice": "x"}, 400, "invalid_parameters"),
    ],
)
async def test_queries_that_are_refused(query: dict[str, str], status: int, code: str) -> None:
    async with emulator(tier=Tier.FREE, guesses=Guesses(long_inactivity="refuse")) as address:
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address, SINGLE, {**FLASH, **query}):
                pass
    response = refused.value.response
    assert response.status_code == status
    assert json.loads(response.body or b"")["detail"]["code"] == code


async def test_a_language_may_be_refused_in_a_frame() -> None:
    async with (
        emulator(guesses=Guesses(language_refused_at="frame")) as address,
        open_socket(address, SINGLE, {**FLASH, "language_code": "xx"}) as client,
    ):
        await client.send(INIT)
        assert (await client.error())["error"] == "unsupported_language"


# ---- what may be said -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "messages",
    [
        ["not json"],
        ["[]"],
        [b'{"text": " "}'],
        ['{"text": "Hello "}'],
        ["{}"],
        ['{"text": 1}'],
        ['{"text": " ", "voice_settings": {"speed": 2}}'],
        ['{"text": " ", "generation_config": {"chunk_length_schedule": [10]}}'],
        ['{"text": " "}', '{"try_trigger_generation": true}'],
    ],
)
async def test_malformed_messages_end_the_socket(messages: list[str | bytes]) -> None:
    async with emulator() as address, open_socket(address, SINGLE) as client:
        await client.send(*messages)
        assert (await client.error())["code"] == 1008


async def test_the_first_message_may_hold_text_where_the_option_says_so() -> None:
    guesses = Guesses(first_text_is_space=False)
    async with emulator(guesses=guesses) as address, open_socket(address, SINGLE) as client:
        await client.send({"text": "At once. ", "flush": True})
        assert (await client.frame())["audio"]


async def test_settings_may_be_repeated_but_not_changed() -> None:
    settings = {"stability": 0.5}
    async with emulator() as address, open_socket(address, SINGLE) as client:
        await client.send({"text": " ", "voice_settings": settings, "unknown": 1})
        await client.send({"text": "One. ", "voice_settings": settings, "flush": True})
        assert (await client.frame())["alignment"]
        await client.frame()
        await client.send({"text": "Two. ", "voice_settings": {"stability": 0.6}})
        error = await client.error()
    expected = (
        "voice_settings field must be provided in the first message and then either be not provided or not change."
    )
    assert error["message"] == expected


async def test_null_settings_are_accepted() -> None:
    async with emulator() as address, open_socket(address, SINGLE) as client:
        await client.send({"text": " ", "voice_settings": None}, {"text": ""})
        assert (await client.frame())["isFinal"] is True


async def test_silence_ends_the_socket_and_keepalives_do_not() -> None:
    async with emulator(inactivity_s=0.2) as address, open_socket(address, SINGLE) as client:
        await client.send(INIT)
        for _ in range(3):
            await client.send({"text": " "})
        await (await client.connection.ping())
        frame = await client.frame()
        code, reason = await client.closed()
    assert frame["error"] == "input_timeout_exceeded"
    assert str(frame["message"]).startswith("Have not received a new text input within the timeout of 0.2 seconds.")
    assert code == 1008
    assert len(reason.encode()) == 123


async def test_an_empty_quota_is_told_in_a_frame() -> None:
    async with emulator(credit_limit=3) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        error = await client.error()
    assert error["error"] == "quota_exceeded"
    assert "your quota of 3" in str(error["message"])


async def test_the_long_clip_comes_in_few_frames_whose_audio_is_whole() -> None:
    async with emulator() as address, open_socket(address, SINGLE) as client:
        await client.send(INIT, {"text": "word " * 60}, {"text": ""})
        *frames, _ = await client.until("isFinal")
    sizes = [len(audio_of([frame])) for frame in frames]
    assert len(sizes) == 4
    assert sizes[-1] == 436
    assert sum(sizes) == 300 * 65 * 48
    assert [bool(frame["alignment"]) for frame in frames] == [True, False, False, False]


async def test_a_profile_paces_the_rest_of_a_clip_and_changes_nothing_else() -> None:
    quick = replace(ZERO, audio_times_real_time=1e6)
    async with emulator(profile=quick) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        assert [len(audio_of([frame])) for frame in await client.until("isFinal")] == [46_376, 436, 0]


# ---- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [("429", 429), ("system-busy", 429), ("500", 500)])
async def test_faults_at_the_upgrade(name: str, status: int) -> None:
    async with emulator(faults=parse_faults(name)) as address:
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(address, SINGLE):
                pass
    assert refused.value.response.status_code == status


async def test_a_busy_system_may_say_so_in_a_frame() -> None:
    async with (
        emulator(faults=parse_faults("system-busy"), guesses=Guesses(busy_at="frame")) as address,
        open_socket(address, SINGLE) as client,
    ):
        await client.send(INIT)
        assert (await client.error())["error"] == "system_busy"


async def test_an_utterance_may_break_off_with_an_error_or_without_a_word() -> None:
    async with emulator(faults=parse_faults("close-1008")) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        assert len(audio_of([await client.frame()])) == pytest.approx(23_406, abs=2)
        assert str((await client.error())["message"]).startswith("We are sorry, something went wrong.")
    async with emulator(faults=parse_faults("close-1006")) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        await client.frame()
        assert (await client.closed())[0] == 1006


async def test_silent_success_missing_final_and_no_alignment() -> None:
    async with emulator(faults=parse_faults("silent-success")) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        assert (await client.frame())["isFinal"] is True
        assert (await client.closed())[0] == 1000
    faults = parse_faults("missing-final,no-alignment")
    async with emulator(faults=faults) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        assert [(await client.frame())["alignment"] for _ in range(2)] == [None, None]
        assert (await client.closed())[0] == 1000


async def test_variants_of_spelling() -> None:
    faults = parse_faults("snake-case-final,chars-durations")
    async with emulator(faults=faults) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        frames = await client.until("is_final")
    assert list(frames[0]) == ["audio", "is_final", "normalizedAlignment", "alignment"]
    alignment = frames[0]["alignment"]
    assert isinstance(alignment, dict)
    assert list(alignment) == ["chars", "charStartTimesMs", "charsDurationsMs"]


async def test_broken_frames() -> None:
    async with emulator(faults=parse_faults("not-json")) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        with pytest.raises(json.JSONDecodeError):
            json.loads(await client.raw())
    async with emulator(faults=parse_faults("truncated-base64")) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        frame = await client.frame()
        with pytest.raises(ValueError, match="base64|padding"):
            audio_of([frame])
    async with emulator(faults=parse_faults("odd-bytes")) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        sizes = [len(audio_of([await client.frame()])) for _ in range(2)]
    assert sizes == [46_375, 437]


async def test_a_stalled_socket_stays_open_until_the_client_leaves() -> None:
    faults = parse_faults("stalled")
    async with emulator(faults=faults, inactivity_s=0.1) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO[:-1])
        await client.frame()
        assert (await client.error())["error"] == "input_timeout_exceeded"


async def test_a_slow_first_byte_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speakback.emulators.elevenlabs.line.SLOW_FIRST_BYTE_MS", 1)
    async with emulator(faults=parse_faults("slow-first-byte")) as address, open_socket(address, SINGLE) as client:
        await client.send(*HELLO)
        assert len(await client.until("isFinal")) == 3


async def test_a_run_repeats_with_its_seed() -> None:
    faults = parse_faults("silent-success=0.5,no-alignment=0.5")

    async def run(seed: int) -> list[bool]:
        async with emulator(faults=faults, seed=seed) as address, open_socket(address, SINGLE) as client:
            await client.send(INIT, *({"text": f"Number {n}. ", "flush": True} for n in range(12)), {"text": ""})
            return [frame["alignment"] is None for frame in await client.until("isFinal")]

    runs = [await run(seed) for seed in (1, 1, 2, 3)]
    assert runs[0] == runs[1]
    assert any(one != other for one, other in pairwise(runs[1:]))
