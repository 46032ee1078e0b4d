"""What all requests and sockets of one emulated ElevenLabs share: its account, its limits, its chances."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from random import Random

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.catalogue import Model
from speakback.emulators.elevenlabs.errors import RefusedError
from speakback.emulators.elevenlabs.options import ElevenLabsOptions

QUEUED_S = 0.05
"""How long a little too much at once waits before it is refused."""
_HEX_KEY = re.compile(r"(sk_)?[0-9a-f]{32,}")


class Service:
    """One account. Lives as long as its application."""

    def __init__(self, options: ElevenLabsOptions) -> None:
        self.options = options
        self.credits_used = 0
        self.dialogue_sessions = 0
        self._counts = Counter[str]()
        self._generating = Counter[str]()
        self._tokens: dict[str, float] = {}

    # ---- chance --------------------------------------------------------------------------------

    def name(self, kind: str) -> str:
        """The next request's or socket's own name."""
        self._counts[kind] += 1
        return f"elevenlabs/{kind}/{self._counts[kind]}"

    def chance(self, name: str) -> Random:
        """The chances of one request, socket or context: the same in each run with the same seed."""
        return Random(f"{self.options.seed}/{name}")

    # ---- keys ----------------------------------------------------------------------------------

    def mint_token(self, rng: Random) -> str:
        """A token that opens one socket."""
        token = f"sutkn_{rng.getrandbits(128):032x}"
        self._tokens[token] = asyncio.get_running_loop().time() + self.options.guesses.token_life_s
        return token

    def is_key(self, key: str) -> bool:
        return key in self.options.keys or key in self.options.restricted_keys

    def spend_token(self, token: str) -> bool:
        """Whether it was good; it is good once."""
        return self._tokens.pop(token, 0.0) > asyncio.get_running_loop().time()

    def check_http_key(self, headers: Mapping[str, str], *, of_account: bool = False) -> None:
        """Raises `RefusedError`."""
        key = headers.get("xi-api-key") or bearer(headers.get("Authorization"))
        if not key:
            raise RefusedError(errors.KEY_MISSING)
        if not self.is_key(key):
            raise RefusedError(errors.BAD_HEX_KEY if _HEX_KEY.fullmatch(key) else errors.BAD_KEY)
        if of_account and key in self.options.restricted_keys:
            raise RefusedError(errors.NO_PERMISSION)

    # ---- limits --------------------------------------------------------------------------------

    def has_voice(self, voice_id: str) -> bool:
        return any(voice.voice_id == voice_id for voice in self.options.voices)

    def charge(self, model: Model, text: str, *, quota_is_out: bool = False) -> int:
        """Take the credits of a text; returns how many. Raises `RefusedError` where there are too few."""
        cost = ceil(len(text) * model.credits_per_character)
        limit = self.options.credit_limit
        remaining = 0 if quota_is_out else max(0, limit - self.credits_used)
        if cost > remaining:
            raise RefusedError(errors.quota_exceeded(limit, remaining, cost))
        self.credits_used += cost
        return cost

    @property
    def generating_now(self) -> int:
        """Sockets and requests that generate."""
        return len(self._generating)

    def most_at_once(self, model: Model) -> int:
        """The limit of what generates at once, for a model."""
        most = self.options.most_concurrent
        is_light = model.credits_per_character < 1 or self.options.concurrent_generations is not None
        return most if is_light else max(1, most // 2)

    async def admit(self, model: Model) -> None:
        """Raises `RefusedError` where too much is generated at once, and still is a little later."""
        if self.generating_now < self.most_at_once(model):
            return
        await asyncio.sleep(QUEUED_S)
        if self.generating_now >= self.most_at_once(model):
            raise RefusedError(errors.TOO_MANY_AT_ONCE)

    @contextmanager
    def generating(self, name: str) -> Iterator[None]:
        """While a socket or request generates; a socket counts once, however many of its contexts do."""
        self._generating[name] += 1
        try:
            yield
        finally:
            self._generating[name] -= 1
            if not self._generating[name]:
                del self._generating[name]


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization` header, or of a message's field, which may be bare."""
    return header.removeprefix("Bearer ").strip() if header else None
