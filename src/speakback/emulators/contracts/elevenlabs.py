"""The contracts of ElevenLabs' text-to-speech sockets, cheapest and most telling first."""

import asyncio

from speakback.emulators.contracts.contract import Contract, Cost
from speakback.emulators.contracts.heard import BYTES_PER_MS, NEAR_MS, alignments, audio_bytes
from speakback.emulators.contracts.reading import at, context_of, kind_of, parsed
from speakback.emulators.contracts.site import BrokenContractError, Site, expect
from speakback.emulators.contracts.sockets import SiteSocket, socket
from speakback.providers.link.failures import LinkRefused

WRONG_KEY = f"sk_{'0' * 48}"
SPEECH = {"model_id": "eleven_flash_v2_5", "output_format": "pcm_24000"}
EXPRESSIVE = {"model_id": "eleven_v3_conversational", "output_format": "pcm_24000", "sync_alignment": "true"}
HELLO = ("Hel", "lo", " world", ".")
"""Of the capture that is the best known; as tokens come."""
FIRST, BROKEN_OFF, LAST = "Sure, let me check. ", "The first result is ", "Of course. "
TAGGED = "[laughs] Hello world. "
MOST_CONTEXTS = 5
UPGRADE_REFUSED = 400
DONE, POLICY = 1000, 1008


def _single(site: Site) -> str:
    return f"/v1/text-to-speech/{site.equipment.voice_id}/stream-input"


def _multi(site: Site) -> str:
    return f"/v1/text-to-speech/{site.equipment.voice_id}/multi-stream-input"


async def _connect(site: Site) -> None:
    async with socket(site, _multi(site), SPEECH) as opened:
        await opened.send({"text": " ", "context_id": "c1"})
        await opened.expect_silence()
        await opened.send({"close_socket": True})
        await opened.expect_close(DONE)


async def _bad_key(site: Site) -> None:
    async with socket(site, _multi(site), SPEECH, key=WRONG_KEY) as opened:
        await opened.send({"text": " ", "context_id": "c1"})
        await _expect_error(opened, "invalid_api_key")


async def _v3_refused(site: Site) -> None:
    try:
        async with socket(site, _multi(site), {**SPEECH, "model_id": "eleven_v3"}):
            raise BrokenContractError("the upgrade was done, where it should be refused")
    except LinkRefused as refused:
        expect(refused.status == UPGRADE_REFUSED, f"refused with HTTP {refused.status}, where 400 was due")
        code = at(parsed(refused.body.decode(errors="replace")), "detail", "code")
        expect(code == "unsupported_model", f"refused as {code}, where unsupported_model was due")


async def _six_contexts(site: Site) -> None:
    async with socket(site, _multi(site), SPEECH) as opened:
        await opened.send(*({"text": " ", "context_id": f"c{at}"} for at in range(1, MOST_CONTEXTS + 1)))
        await opened.expect_silence()
        await opened.send({"text": " ", "context_id": f"c{MOST_CONTEXTS + 1}"})
        await _expect_error(opened, "max_active_conversations")


async def _expect_error(opened: SiteSocket, name: str) -> None:
    """An error frame of this name, then a close."""
    message = await opened.receive()
    error = at(message, "error")
    expect(error == name, f"{kind_of(message)} {error or ''}".strip() + f" came, where the error {name} was due")
    await opened.expect_close(POLICY)


async def _hello_world(site: Site) -> None:
    async with socket(site, _single(site), SPEECH) as opened:
        await opened.send({"text": " "}, *({"text": token} for token in HELLO), {"text": " ", "flush": True})
        spoken = [*await opened.until("audio"), *await opened.until_quiet()]
        expect(all(kind_of(one) != "final" for one in spoken), "a flush was answered with an end marker")
        await opened.send({"text": ""})
        spoken += await opened.until("final")
        await opened.expect_close(DONE)
    aligned = alignments(spoken)
    expect(aligned, "no alignment came")
    text = "".join(one.text for one in aligned).strip()
    expect(text == "".join(HELLO), "the alignment spells another text than the one that was sent")
    heard_ms, span_ms = audio_bytes(spoken) / BYTES_PER_MS, sum(one.span_ms for one in aligned)
    expect(abs(heard_ms - span_ms) <= NEAR_MS, f"{heard_ms:.0f} ms of audio, but {span_ms:.0f} ms of alignment")


async def _barge_in(site: Site) -> None:
    async with socket(site, _multi(site), SPEECH) as opened:
        came = await _turn(opened, "t1", FIRST)
        came += await opened.until("final", "t1")
        await opened.send({"text": " ", "context_id": "t2"}, {"text": FIRST, "context_id": "t2", "flush": True})
        came += await opened.until("audio", "t2")
        await opened.send({"text": BROKEN_OFF, "context_id": "t2"}, {"context_id": "t2", "close_context": True})
        came += await _turn(opened, "t3", LAST)
        while not {"t2", "t3"} <= _finished(came):
            came.append(await opened.receive())
        await opened.send({"close_socket": True})
        came += await opened.expect_close(DONE)
    for turn in ("t1", "t2", "t3"):
        kinds = [kind_of(one) for one in came if context_of(one) == turn]
        expect(kinds.count("final") == 1 and kinds[-1] == "final", f"{turn} did not end in one end marker")
    expect(audio_bytes(came), "no audio came")


async def _turn(opened: SiteSocket, turn: str, text: str) -> list[object]:
    """Say it, and close its context behind its first audio: closed earlier, it may be lost."""
    await opened.send({"text": " ", "context_id": turn}, {"text": text, "context_id": turn, "flush": True})
    came = await opened.until("audio", turn)
    await opened.send({"context_id": turn, "close_context": True})
    return came


def _finished(messages: list[object]) -> set[str | None]:
    return {context_of(one) for one in messages if kind_of(one) == "final"}


async def _dialogue(site: Site) -> None:
    voice = site.equipment.voice_id
    async with socket(site, "/v1/text-to-dialogue/multi-stream-input", EXPRESSIVE) as opened:
        await opened.send(
            {"context_id": "d1", "voices": [voice], "voice_settings": {"stability": 0.5}},
            {"context_id": "d1", "inputs": [{"text": TAGGED, "voice_id": voice}], "flush": True},
        )
        came = await opened.until("batch end", "d1")
        await opened.send({"context_id": "d1", "close_context": True})
        came += await opened.until("final", "d1")
        await opened.send({"close_socket": True})
        await opened.expect_close(DONE)
    expect(audio_bytes(came), "no audio came")
    expect(alignments(came), "no alignment came, where sync_alignment asks for it")


async def _idle_alone(site: Site) -> None:
    async with socket(site, _multi(site), SPEECH) as opened:
        await opened.send({"text": " ", "context_id": "c1"})
        message = await opened.receive(site.equipment.timing.idle_s)
        error = at(message, "error")
        expect(error == "input_timeout_exceeded", f"{kind_of(message)} came, where input_timeout_exceeded was due")
        await opened.expect_close(POLICY)


async def _idle_kept(site: Site) -> None:
    timing = site.equipment.timing
    async with socket(site, _multi(site), SPEECH) as opened:
        await opened.send({"text": " ", "context_id": "c1"})
        left_s = timing.idle_s
        while left_s > 0:
            await asyncio.sleep(min(left_s, timing.keep_alive_s))
            left_s -= timing.keep_alive_s
            await opened.send({"text": "", "context_id": "c1"})
        await opened.expect_silence()
        came = await _turn(opened, "c2", LAST)
        came += await opened.until("final", "c2")
    expect(audio_bytes(came), "no audio came")


ELEVENLABS = (
    Contract(
        service="elevenlabs",
        name="connect",
        says="a good key and a first message are answered with nothing; `close_socket` with close 1000",
        attempt=_connect,
        is_gate=True,
    ),
    Contract(
        service="elevenlabs",
        name="bad-key",
        says="a wrong key passes the upgrade, then `invalid_api_key` and close 1008",
        attempt=_bad_key,
    ),
    Contract(
        service="elevenlabs",
        name="v3-refused",
        says="the text-to-speech socket refuses `eleven_v3` at the upgrade: HTTP 400 `unsupported_model`",
        attempt=_v3_refused,
    ),
    Contract(
        service="elevenlabs",
        name="six-contexts",
        says="the sixth context ends the socket: `max_active_conversations`, close 1008",
        attempt=_six_contexts,
    ),
    Contract(
        service="elevenlabs",
        name="hello-world",
        says="a flush brings audio and its alignment, but no end marker; that and close 1000 follow the close message",
        attempt=_hello_world,
        cost=Cost(characters=len("".join(HELLO))),
    ),
    Contract(
        service="elevenlabs",
        name="barge-in",
        says="three turns, the second interrupted: each context ends in exactly one end marker, by its own id",
        attempt=_barge_in,
        cost=Cost(characters=len(FIRST + FIRST + BROKEN_OFF + LAST)),
    ),
    Contract(
        service="elevenlabs",
        name="dialogue",
        says="`eleven_v3_conversational` speaks a tagged text over the dialogue socket, and marks batch and end",
        attempt=_dialogue,
        cost=Cost(characters=len(TAGGED)),
    ),
    Contract(
        service="elevenlabs",
        name="idle-alone",
        says="a socket that is idle for 20 s ends: `input_timeout_exceeded`, close 1008",
        attempt=_idle_alone,
        is_slow=True,
    ),
    Contract(
        service="elevenlabs",
        name="idle-kept",
        says="with a keep-alive each 10 s it still speaks after 25 s",
        attempt=_idle_kept,
        cost=Cost(characters=len(LAST)),
        is_slow=True,
    ),
)
