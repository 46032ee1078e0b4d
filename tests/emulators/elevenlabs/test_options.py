"""What can be set, and what it comes to."""

import asyncio
from random import Random

import pytest

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.catalogue import MODELS, Tier
from speakback.emulators.elevenlabs.inactivity import InactivityClock
from speakback.emulators.elevenlabs.line import first_audio
from speakback.emulators.elevenlabs.options import Guesses
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.profiles import TYPICAL
from tests.emulators.elevenlabs.voices import options

FLASH = MODELS["eleven_flash_v2_5"]


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match="'mars' is no region"):
        options(region="mars")


def test_each_model_takes_its_own_time() -> None:
    times = {model: first_audio(TYPICAL, model) for model in MODELS}
    assert times["eleven_flash_v2_5"] == times["eleven_multilingual_v2"] == TYPICAL.flash_first_audio
    assert times["eleven_v3"] == times["eleven_v3_conversational"] == TYPICAL.expressive_first_audio
    assert times["eleven_v4_turbo"] == TYPICAL.turbo_v4_first_audio


def test_the_plan_limits_what_generates_at_once() -> None:
    service = Service(options(tier=Tier.STARTER))
    assert service.most_at_once(FLASH) == 6
    assert service.most_at_once(MODELS["eleven_multilingual_v2"]) == 3
    assert Service(options(concurrent_generations=7)).most_at_once(MODELS["eleven_multilingual_v2"]) == 7


def test_a_socket_counts_once_however_many_of_its_contexts_generate() -> None:
    service = Service(options())
    with service.generating("a"):
        with service.generating("a"), service.generating("b"):
            assert service.generating_now == 2
        assert service.generating_now == 1
    assert service.generating_now == 0


async def test_a_little_too_much_waits_for_its_turn() -> None:
    service = Service(options(concurrent_generations=1))
    with service.generating("a"):
        waiting = asyncio.create_task(service.admit(FLASH))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


def test_flash_costs_half_a_credit_per_character() -> None:
    service = Service(options())
    assert service.charge(FLASH, "Hello.") == 3
    assert service.charge(FLASH, "x" * 44) == 22
    assert service.charge(MODELS["eleven_v3"], "x" * 44) == 44
    assert service.credits_used == 69


async def test_a_token_is_good_once_and_not_for_ever() -> None:
    service = Service(options())
    token = service.mint_token(Random(1))
    assert [service.spend_token(token) for _ in range(2)] == [True, False]
    expired = Service(options(guesses=Guesses(token_life_s=0)))
    assert not expired.spend_token(expired.mint_token(Random(1)))


def test_chances_repeat_by_name_and_seed() -> None:
    first, second = Service(options(seed=1)), Service(options(seed=2))
    assert [first.name("http"), first.name("http"), first.name("speech")] == [
        "elevenlabs/http/1",
        "elevenlabs/http/2",
        "elevenlabs/speech/1",
    ]
    assert first.chance("a").random() == first.chance("a").random()
    assert first.chance("a").random() != first.chance("b").random()
    assert first.chance("a").random() != second.chance("a").random()


def test_close_reasons_are_cut_between_characters() -> None:
    assert errors.input_timeout(180.0).close_reason.decode().endswith("make sure to eit")
    assert len(errors.input_timeout(180.0).close_reason) == errors.CLOSE_REASON_BYTES
    assert len(errors.unknown_voice("ü" * 99).close_reason) == 122


async def test_the_clock_names_the_one_that_is_idle() -> None:
    clock = InactivityClock[str](0.02)
    clock.touch("first")
    clock.touch("forgotten")
    clock.forget("forgotten")
    assert await clock.expired() == "first"
    waiting = asyncio.create_task(clock.expired())
    clock.touch("second")
    assert await waiting == "second"
