"""One request to the service: its id, its own chance, and its pace."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from speakback.emulators.content import Recogniser, Writer
from speakback.emulators.faults import NO_FAULTS, SLOW_FIRST_BYTE_MS, Fault, Faults
from speakback.emulators.groq.errors import over_capacity, server_error
from speakback.emulators.groq.models import MODELS, Model
from speakback.emulators.groq.rate_limits import RPM, RateLimits, Tier, Window
from speakback.emulators.groq.wire import REQUEST_ID
from speakback.emulators.profiles import REGION_MS, ZERO, Profile

DEV_KEY = "gsk_local_development"
"""Accepted by the emulator; means nothing anywhere else."""

MOST_UPLOAD_BYTES = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GroqOptions:
    """What is emulated; `seed` fixes all that is drawn, for each request apart.

    `region` is one of `REGION_MS`: `ValueError` for another.
    """

    recogniser: Recogniser
    writer: Writer
    profile: Profile = ZERO
    faults: Faults = NO_FAULTS
    seed: int = 1
    region: str = "us"
    keys: tuple[str, ...] = (DEV_KEY,)
    tier: Tier = "developer"
    models: tuple[Model, ...] = MODELS
    organization: str = "org_01emulated0000000000000000"
    now_s: Callable[[], float] = time.monotonic
    wall_s: Callable[[], float] = time.time
    sleep_s: Callable[[float], Awaitable[None]] = asyncio.sleep

    def __post_init__(self) -> None:
        if self.region not in REGION_MS:
            raise ValueError(f"{self.region!r} is no region; there are {', '.join(REGION_MS)}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is being answered."""

    options: GroqOptions
    rng: Random
    request_id: str
    began_s: float
    limits: RateLimits

    def strike(self, *possible: Fault) -> Fault | None:
        """The fault that befalls it."""
        return self.options.faults.strike(self.rng, *possible)

    async def until(self, after_ms: float, *, early_ms: float = 0.0) -> None:
        """Wait until this long after its beginning, or up to `early_ms` less; what the work behind it took counts."""
        due_s = self.began_s + (after_ms + REGION_MS[self.options.region]) / 1000
        wait_s = due_s - self.options.now_s()
        if wait_s > early_ms / 1000:
            await self.options.sleep_s(wait_s)

    def headers(self, model: str) -> dict[str, str]:
        """Of a proper answer."""
        return {REQUEST_ID: self.request_id, **self.limits.headers(model, self.options.now_s())}


BEFORE_ANSWER = (Fault.HTTP_429, Fault.QUOTA, Fault.SYSTEM_BUSY, Fault.SERVER_500)


def refuse(fault: Fault | None, call: Call, model: str, day: Window, *, is_flex: bool = False) -> None:
    """Raise the `GroqError` of a fault that is one; `day` is the window that a used-up quota is of."""
    if fault is Fault.HTTP_429:
        raise call.limits.refusal(model, RPM, call.options.now_s())
    if fault is Fault.QUOTA:
        raise call.limits.refusal(model, day, call.options.now_s())
    if fault is Fault.SYSTEM_BUSY:
        raise over_capacity(is_flex=is_flex)
    if fault is Fault.SERVER_500:
        raise server_error()


def slowness_ms(fault: Fault | None) -> float:
    """What a fault adds to the time of the first byte."""
    return SLOW_FIRST_BYTE_MS if fault is Fault.SLOW_FIRST_BYTE else 0.0
