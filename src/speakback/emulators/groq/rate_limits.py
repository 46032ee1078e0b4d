"""Limits that refill linearly: what is used shrinks by limit / window all the time.

So `reset = used / limit * window` and `wait = (used + requested - limit) / limit * window`, both of whole units, which
is what the captured headers and messages say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Literal, TypeAlias

from speakback.emulators.groq.errors import GroqError
from speakback.emulators.groq.wire import go_duration

Tier: TypeAlias = Literal["free", "developer"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which something may be used up."""

    title: str
    seconds: int
    error_type: str


RPM = Window("requests per minute (RPM)", 60, "requests")
RPD = Window("requests per day (RPD)", 86_400, "requests")
TPM = Window("tokens per minute (TPM)", 60, "tokens")
TPD = Window("tokens per day (TPD)", 86_400, "tokens")
ASPH = Window("seconds of audio per hour (ASPH)", 3_600, "seconds")
ASD = Window("seconds of audio per day (ASD)", 86_400, "seconds")

_IN_HEADERS = ((RPD, "requests"), (ASPH, "audio-seconds"), (TPM, "tokens"))

Limits: TypeAlias = Mapping[Window, int]
Amounts: TypeAlias = Mapping[Window, int]
"""What a request takes of each window; only windows that have a limit count."""

_FREE_WHISPER: Limits = MappingProxyType({RPM: 20, RPD: 2_000, ASPH: 7_200, ASD: 28_800})
_FREE_CHAT: Limits = MappingProxyType({RPM: 30, RPD: 1_000, TPM: 8_000, TPD: 200_000})
_DEVELOPER_CHAT: Limits = MappingProxyType({RPM: 1_000, TPM: 250_000})
_DEVELOPER: Mapping[str, Limits] = MappingProxyType(
    {
        "whisper-large-v3-turbo": MappingProxyType({RPM: 400, ASPH: 400_000}),
        "whisper-large-v3": MappingProxyType({RPM: 300, ASPH: 200_000}),
    }
)


def limits_of(tier: Tier, model: str) -> Limits:
    """What an organisation of this tier may use of a model. Of chat models, only gpt-oss-120b's are known."""
    free = _FREE_WHISPER if model.startswith("whisper") else _FREE_CHAT
    return free if tier == "free" else _DEVELOPER.get(model, _DEVELOPER_CHAT)


class Budget:
    """What is used of one limit."""

    def __init__(self, window: Window, limit: int) -> None:
        self.window, self.limit = window, limit
        self._used, self._at_s = 0.0, 0.0

    def used(self, now_s: float) -> int:
        """In whole units."""
        self._refill(now_s)
        return ceil(round(self._used, 6))

    def take(self, amount: int, now_s: float) -> None:
        """Use some up; a negative amount gives back."""
        self._refill(now_s)
        self._used = max(0.0, self._used + amount)

    def reset_s(self, now_s: float) -> float:
        """Until nothing is used any more."""
        return self.used(now_s) / self.limit * self.window.seconds

    def wait_s(self, amount: int, now_s: float) -> float:
        """Until this amount may be taken; 0 or less where it may at once."""
        return (self.used(now_s) + amount - self.limit) / self.limit * self.window.seconds

    def _refill(self, now_s: float) -> None:
        self._used = max(0.0, self._used - (now_s - self._at_s) * self.limit / self.window.seconds)
        self._at_s = now_s


class RateLimits:
    """All limits of one organisation, for each model apart."""

    def __init__(self, tier: Tier, organization: str) -> None:
        self._tier: Tier = tier
        self._organization = organization
        self._budgets: dict[str, dict[Window, Budget]] = {}

    def admit(self, model: str, amounts: Amounts, now_s: float) -> None:
        """Take what a request needs of all windows, or nothing. Raises `GroqError`: 429, or 413 where it never fits."""
        budgets = self._of(model)
        asked = [(budget, amounts[window]) for window, budget in budgets.items() if window in amounts]
        for budget, amount in asked:
            if budget.window is TPM and amount > budget.limit:
                raise self._too_large(model, budget, amount)
            if budget.wait_s(amount, now_s) > 0:
                raise self._refusal(model, budget, budget.used(now_s), amount, now_s)
        for budget, amount in asked:
            budget.take(amount, now_s)

    def settle(self, model: str, window: Window, amount: int, now_s: float) -> None:
        """Correct what was taken before it was known exactly."""
        budget = self._of(model).get(window)
        if budget is not None:
            budget.take(amount, now_s)

    def refusal(self, model: str, window: Window, now_s: float) -> GroqError:
        """The 429 of a window that is used up, though it may not be; by the free tier's limit where there is none.

        One request is asked for, or of what is counted otherwise a tenth of the limit.
        """
        budget = self._of(model).get(window) or Budget(window, limits_of("free", model)[window])
        amount = 1 if window.error_type == "requests" else budget.limit // 10
        return self._refusal(model, budget, budget.limit, amount, now_s)

    def headers(self, model: str, now_s: float) -> dict[str, str]:
        """What each answer says of the limits; of a window without a limit, nothing."""
        headers: dict[str, str] = {}
        for window, name in _IN_HEADERS:
            budget = self._of(model).get(window)
            if budget is not None:
                headers[f"x-ratelimit-limit-{name}"] = str(budget.limit)
                headers[f"x-ratelimit-remaining-{name}"] = str(max(0, budget.limit - budget.used(now_s)))
                headers[f"x-ratelimit-reset-{name}"] = go_duration(budget.reset_s(now_s))
        return headers

    def _of(self, model: str) -> dict[Window, Budget]:
        if model not in self._budgets:
            limits = limits_of(self._tier, model)
            self._budgets[model] = {window: Budget(window, limit) for window, limit in limits.items()}
        return self._budgets[model]

    def _refusal(self, model: str, budget: Budget, used: int, amount: int, now_s: float) -> GroqError:
        wait_s = (used + amount - budget.limit) / budget.limit * budget.window.seconds
        numbers = f"Limit {budget.limit}, Used {used}, Requested {amount}. Please try again in {go_duration(wait_s)}."
        message = f"Rate limit reached {self._for(model, budget.window)}: {numbers}{self._upgrade()}"
        headers = self.headers(model, now_s) | {"retry-after": str(ceil(round(wait_s, 6)))}
        return GroqError(429, message, budget.window.error_type, "rate_limit_exceeded", headers)

    def _too_large(self, model: str, budget: Budget, amount: int) -> GroqError:
        numbers = f"Limit {budget.limit}, Requested {amount}, please reduce your message size and try again."
        message = f"Request too large {self._for(model, budget.window)}: {numbers}{self._upgrade()}"
        return GroqError(413, message, budget.window.error_type, "rate_limit_exceeded")

    def _for(self, model: str, window: Window) -> str:
        return f"for model `{model}` in organization `{self._organization}` service tier `on_demand` on {window.title}"

    def _upgrade(self) -> str:
        if self._tier != "free":
            return ""
        return " Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
