"""The voices against the emulated service: every transport, every fault, and many turns at random."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from random import Random

import numpy as np
import pytest

from speakback.audio.speech import SpeechChunk
from speakback.emulators.elevenlabs.app import SERVICE, elevenlabs_app
from speakback.emulators.elevenlabs.catalogue import VOICES
from speakback.emulators.elevenlabs.options import DEV_KEY, ElevenLabsOptions, Guesses
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.faults import Fault, parse_faults
from speakback.emulators.profiles import ZERO
from speakback.emulators.scripted_content import CHARACTER_MS, ToneSpeaker
from speakback.emulators.server import serving
from speakback.providers.adapters.elevenlabs.expressive import ElevenLabsExpressive
from speakback.providers.adapters.elevenlabs.flash import ElevenLabs
from speakback.providers.adapters.elevenlabs.options import EXPRESSIVE, Patience
from speakback.providers.errors import Failure, ProviderError
from speakback.timebase import VOICE_HZ, ms_to_samples
from tests.providers.elevenlabs.scripted import closing, options_at, samples_of, spoken, words_of

TEXTS = ("Sure, let me check.", "The first result is", "number 23, I think.")
SAID = " ".join(TEXTS)
PATIENT = Patience(final_s=0.2)
QUICK = Patience(first_audio_s=0.15, final_s=0.2)
"""For faults that only patience ends."""
KINDS = ("multi", "single", "http", "v3")
ADAPTS = ("multi", "single", "v3")


@asynccontextmanager
async def served(
    kind: str, faults: str = "", *, any_share: float = 0.0, guesses: Guesses | None = None, **changes: object
) -> AsyncIterator[tuple[ElevenLabs | ElevenLabsExpressive, Service]]:
    """A voice of this kind, and what the emulated account has come to."""
    app = elevenlabs_app(
        ElevenLabsOptions(
            speaker=ToneSpeaker(),
            profile=ZERO,
            faults=parse_faults(faults, any_share),
            error_to_close_s=0.01,
            final_to_close_s=0.01,
            guesses=guesses or Guesses(),
        )
    )
    asked: dict[str, object] = {"api_key": DEV_KEY, "voice_id": VOICES[0].voice_id, "patience": PATIENT} | changes
    async with serving({"elevenlabs": app}) as addresses:
        if kind == "v3":
            options = options_at(addresses["elevenlabs"], **({"model": EXPRESSIVE} | asked))
            made: ElevenLabs | ElevenLabsExpressive = await asyncio.to_thread(ElevenLabsExpressive, options)
        else:
            options = options_at(addresses["elevenlabs"], **({"transport": kind} | asked))
            made = await asyncio.to_thread(ElevenLabs, options)
        async with closing(made) as voice:
            yield voice, app[SERVICE]


def starts_of(chunks: Sequence[SpeechChunk]) -> list[int]:
    return [word.start_samples for chunk in chunks for word in chunk.words]


@pytest.mark.parametrize("kind", KINDS)
async def test_all_words_are_spoken_with_the_audio_they_begin_in(kind: str) -> None:
    async with served(kind) as (voice, _):
        chunks = await spoken(voice, *TEXTS)
    assert words_of(chunks) == SAID
    # Over HTTP the space behind a clause is not sent.
    spaces = 0 if kind == "http" else len(TEXTS)
    length = ms_to_samples(CHARACTER_MS * (sum(map(len, TEXTS)) + spaces), VOICE_HZ)
    assert samples_of(chunks) == length
    assert sum(chunk.clause_end for chunk in chunks) == len(TEXTS)
    at = 0
    for chunk in chunks:
        assert all(at <= word.start_samples < at + len(chunk.audio_24k) for word in chunk.words)
        at += len(chunk.audio_24k)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("multi", "pcm_8000"),
        ("multi", "pcm_16000"),
        ("multi", "pcm_48000"),
        ("multi", "ulaw_8000"),
        ("single", "ulaw_8000"),
        ("v3", "ulaw_8000"),
    ],
)
async def test_every_format_gives_the_same_words_at_the_same_times(kind: str, name: str) -> None:
    async with served(kind, output_format=name) as (voice, _):
        chunks = await spoken(voice, *TEXTS)
    async with served(kind) as (voice, _):
        reference = await spoken(voice, *TEXTS)
    assert words_of(chunks) == SAID
    assert np.abs(np.array(starts_of(chunks)) - np.array(starts_of(reference))).max() <= 24
    assert abs(samples_of(chunks) - samples_of(reference)) <= 24 * len(TEXTS)


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("kind", ["multi", "single"])
async def test_both_ways_of_alignment_give_the_true_times(kind: str, sync: bool) -> None:
    async with served(kind, sync_alignment=sync) as (voice, _):
        chunks = await spoken(voice, *TEXTS)
    text = " ".join(TEXTS)
    places = [at for at, one in enumerate(text) if not one.isspace() and (at == 0 or text[at - 1].isspace())]
    assert starts_of(chunks) == [ms_to_samples(CHARACTER_MS * at, VOICE_HZ) for at in places]


@pytest.mark.parametrize("kind", ADAPTS)
@pytest.mark.parametrize(
    "fault",
    [
        Fault.SERVER_SNAKE_CASE_ID,
        Fault.SERVER_SNAKE_CASE_FINAL,
        Fault.CHARS_DURATIONS,
        Fault.NO_ALIGNMENT,
        Fault.MISSING_FINAL,
        Fault.DROP_AFTER_FLUSH_CLOSE,
        Fault.ODD_BYTES,
    ],
)
async def test_faults_that_nobody_hears(kind: str, fault: Fault) -> None:
    async with served(kind, fault.value) as (voice, service):
        for _ in range(2):
            chunks = await spoken(voice, *TEXTS)
            assert words_of(chunks) == SAID
            assert sum(chunk.clause_end for chunk in chunks) == len(TEXTS)
        assert service.generating_now == 0


@pytest.mark.parametrize(
    ("fault", "failures"),
    [
        (Fault.CLOSE_1008, {Failure.BUSY}),
        (Fault.CLOSE_1006, {Failure.BROKE_OFF}),
        (Fault.STALLED, {Failure.LATE}),
        (Fault.HTTP_429, {Failure.RATE_LIMITED}),
        (Fault.SYSTEM_BUSY, {Failure.BUSY}),
        (Fault.SERVER_500, {Failure.BUSY}),
        (Fault.QUOTA, {Failure.QUOTA}),
        (Fault.SLOW_FIRST_BYTE, {Failure.LATE}),
        (Fault.SILENT_SUCCESS, {Failure.BAD_ANSWER, Failure.LATE}),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_faults_that_are_failures(kind: str, fault: Fault, failures: set[Failure]) -> None:
    if kind == "http" and fault in (Fault.CLOSE_1008, Fault.CLOSE_1006):
        return  # these befall sockets only
    waits = fault in (Fault.STALLED, Fault.SLOW_FIRST_BYTE, Fault.SILENT_SUCCESS)
    async with served(kind, fault.value, patience=QUICK if waits else PATIENT) as (voice, _):
        with pytest.raises(ProviderError) as caught:
            await spoken(voice, *TEXTS)
    expected = failures | ({Failure.BROKE_OFF} if kind == "http" else set())
    assert caught.value.failure in expected
    assert voice.name in str(caught.value)
    assert DEV_KEY not in str(caught.value)


@pytest.mark.parametrize("fault", [Fault.NOT_JSON, Fault.TRUNCATED_BASE64])
async def test_where_sockets_send_nonsense_speech_goes_on_over_http(fault: Fault) -> None:
    async with served("multi", fault.value) as (voice, _):
        assert words_of(await spoken(voice, *TEXTS)) == SAID


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "failure"),
    [({"api_key": "wrong"}, Failure.REFUSED_KEY), ({"voice_id": "nobody"}, Failure.UNKNOWN_VOICE)],
)
async def test_wrong_keys_and_voices(kind: str, change: dict[str, object], failure: Failure) -> None:
    async with served(kind, "", any_share=0.0, guesses=None, **change) as (voice, _):
        with pytest.raises(ProviderError) as caught:
            await spoken(voice, *TEXTS)
    assert caught.value.failure is failure


async def test_an_unsupported_language_is_refused_with_the_upgrade() -> None:
    async with served("multi", language="xx") as (voice, _):
        with pytest.raises(ProviderError) as caught:
            await voice.warm()
    assert caught.value.failure is Failure.BAD_REQUEST


async def test_a_language_is_not_told_to_a_model_that_takes_none() -> None:
    async with served("multi", language="xx", model="eleven_multilingual_v2") as (voice, _):
        assert words_of(await spoken(voice, *TEXTS)) == SAID


async def test_a_dozen_barge_ins_leave_no_context_and_no_socket_ends() -> None:
    async with served("multi", guesses=Guesses(keepalive_opens_context=True)) as (voice, service):
        for _ in range(12):
            async with aclosing(voice.speak(_one("A rather long sentence for a test of this."))) as chunks:
                await anext(chunks)
        assert words_of(await spoken(voice, *TEXTS)) == SAID
        assert voice.open_sockets <= 9
    assert service.generating_now == 0


async def test_a_dozen_replies_at_once_are_all_spoken() -> None:
    async with served("multi") as (voice, _):
        await voice.warm()
        replies = await asyncio.gather(*(spoken(voice, *TEXTS) for _ in range(12)), return_exceptions=True)
    heard = [words_of(reply) for reply in replies if not isinstance(reply, BaseException)]
    assert heard == [SAID] * len(heard)
    limited = [reply for reply in replies if isinstance(reply, BaseException)]
    assert all(isinstance(one, ProviderError) and one.failure is Failure.RATE_LIMITED for one in limited)
    assert len(heard) >= 10


@pytest.mark.parametrize("kind", ADAPTS)
async def test_many_turns_of_random_faults_all_end_and_leave_nothing(kind: str) -> None:
    rng = Random(4)
    failures: list[Failure] = []
    quick = Patience(first_audio_s=0.3, final_s=0.1)
    async with served(kind, any_share=0.3, patience=quick) as (voice, service):
        for _ in range(25):
            cut = rng.random() < 0.3
            try:
                async with aclosing(voice.speak(_one(*TEXTS))) as chunks:
                    heard = []
                    async for chunk in chunks:
                        heard.append(chunk)
                        if cut:
                            break
                assert cut or words_of(heard) == SAID
            except ProviderError as error:
                failures.append(error.failure)
        assert 2 < len(failures) < 23
        await voice.aclose()
        assert voice.open_sockets == 0
        assert service.generating_now == 0


async def _one(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text
