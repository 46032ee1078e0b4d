"""Who is let in before the upgrade: by origin, by key, and while the server bears more. Pure; `seats.py` counts."""

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from speakback.config.loopback import is_loopback
from speakback.gateway.auth import REALTIME_SUBPROTOCOL, KeyRing, offered_subprotocols, presented_key
from speakback.observe.load import Load

LOWERED = 0.8
"""A server that refused for its load lets in again once it bears no more than this share of what it may: so it does
not waver between the two."""
ASSUMED_CPU_SHARE = 0.01
"""What a session that is too new to be measured is taken to need of a core, at least."""
ASSUMED_BYTES = 2_000_000
KNOWN_FROM = 8
"""From so many measured sessions on, a new one is taken to need what each of them does."""
MEMORY_SHARE = 0.9
"""Where no limit is set for memory, this share of what there is."""
RESERVE_SHARE = 0.1
"""So many seats more than there are, and one at least, are kept for those who come back to their conversation."""

Full: TypeAlias = Literal["sessions", "joining", "loop_lag", "queue_wait", "cpu", "memory"]
"""Why nobody more is let in: a label of metrics, and what `/readyz` says."""

RETRY_AFTER_S: dict[Full, tuple[int, int]] = {
    "sessions": (5, 15),
    "joining": (1, 3),
    "loop_lag": (4, 10),
    "queue_wait": (4, 10),
    "cpu": (4, 10),
    "memory": (10, 30),
}
"""What a client that is turned away is told to wait: from the one to the other, by chance, so that those who were
turned away together do not come back together."""
NOT_READY_S = (3, 8)
"""The same where the server is not ready yet, or not any more."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Why a client is not let in; becomes an HTTP answer in the shape of OpenAI's errors."""

    status: int
    code: str
    message: str
    wait_s: tuple[int, int] = NOT_READY_S
    """With status 503: when to come again, drawn from between these."""


ORIGIN_REFUSED = TurnedAway(403, "origin_not_allowed", "web pages of other origins may not talk to this server")
PAGE_TOKEN_REFUSED = TurnedAway(
    401, "page_token_invalid", "this page token was used, or expired, or never given to this page: ask for another"
)
PAGE_TOKENS_UNAVAILABLE = TurnedAway(
    503, "page_tokens_unavailable", "page tokens cannot be given or taken at the moment; try again soon"
)
NOT_READY = TurnedAway(503, "not_ready", "the server is not ready; try again soon")


@dataclass(frozen=True, slots=True)
class Knock:
    """The headers that decide; None where not sent."""

    authorization: str | None
    subprotocols: str | None
    origin: str | None
    host: str | None


def turned_away(knock: Knock, keys: KeyRing) -> TurnedAway | None:
    """Why this client may not have a session, or None if it may."""
    if knock.origin is not None and not origin_is_allowed(knock.origin, knock.host, keys):
        return ORIGIN_REFUSED
    if not keys.accepts(presented_key(knock.authorization, knock.subprotocols)):
        return TurnedAway(401, "invalid_api_key", "a valid API key is needed: send it as Authorization: Bearer KEY")
    return _unknown_subprotocol(knock)


def page_turned_away(knock: Knock, keys: KeyRing) -> TurnedAway | None:
    """The same for a web page, which says where it comes from; whether its token counts is to be seen."""
    if knock.origin is None or not origin_is_allowed(knock.origin, knock.host, keys):
        return ORIGIN_REFUSED
    return _unknown_subprotocol(knock)


def _unknown_subprotocol(knock: Knock) -> TurnedAway | None:
    offered = offered_subprotocols(knock.subprotocols)
    if offered and REALTIME_SUBPROTOCOL not in offered:
        return TurnedAway(
            400, "unknown_subprotocol", f"the subprotocol of this server is {REALTIME_SUBPROTOCOL!r}; offer it or none"
        )
    return None


def origin_is_allowed(origin: str, host: str | None, keys: KeyRing) -> bool:
    """Browsers send the page's origin; pages of this machine may connect, and this server's own where it needs keys.

    An open server does not trust an origin that equals its `Host`: a foreign name may have been pointed at
    this machine (DNS rebinding), and no key would stop it.
    """
    try:
        page = urlsplit(origin)
    except ValueError:  # nothing that a browser would send
        return False
    if page.hostname is not None and is_loopback(page.hostname):
        return True
    return not keys.is_open and page.scheme in ("http", "https") and host is not None and page.netloc == host


def turned_away_for(reason: Full) -> TurnedAway:
    """What a client is told that found no place."""
    if reason == "sessions":
        message = "all sessions of this server are taken; try again later"
        return TurnedAway(503, "too_many_sessions", message, RETRY_AFTER_S[reason])
    message = "this server has as much to do as it can do well; try again later"
    return TurnedAway(503, "server_busy", message, RETRY_AFTER_S[reason])


# ---- by what the server bears -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """The most load under which a new session is let in; by default any."""

    loop_lag_ms: float = math.inf
    queue_wait_ms: float = math.inf
    cpu_share: float = 1.0
    """Of one core for the event loop's thread, and of all cores it may use for the process."""
    memory_bytes: float | None = None
    """None: of `MEMORY_SHARE` of the RAM there is, what falls to each of the `workers`."""
    joins: float = math.inf
    """Sessions that may join between one measurement and the next."""
    workers: int = 1
    """Processes like this one on the machine. They cannot see each other: from 2 up, what the whole machine does counts
    besides what this process does."""


ANY_LOAD = LoadLimits()


@dataclass(frozen=True, slots=True)
class Taken:
    """The seats."""

    seats: int
    """Held now."""
    total: int
    unmeasured: int
    """Of those held, how many are too new to show in the load."""
    just_given: int
    """Given since the last measurement."""


def why_full(load: Load, limits: LoadLimits, taken: Taken) -> Full | None:
    """Why one session more is not borne, or None if it is.

    A server without any session lets one in whatever the load: that is none of its making, and would never end.
    """
    if taken.seats >= taken.total:
        return "sessions"
    if _memory_bytes(load, taken) > _memory_limit(load, limits):
        return "memory"
    if not taken.seats:
        return None
    if taken.just_given >= limits.joins:
        return "joining"
    if load.lag.p90_ms > limits.loop_lag_ms:
        return "loop_lag"
    if load.queue_wait_ms > limits.queue_wait_ms:
        return "queue_wait"
    cpu = max(_with_the_new(load.cpu.loop, taken), load.cpu.process, _machine_share(load, limits))
    return "cpu" if limits.cpu_share < 1 and cpu > limits.cpu_share else None


def lowered(limits: LoadLimits) -> LoadLimits:
    """The limits for a server that refuses already."""
    return replace(
        limits,
        loop_lag_ms=LOWERED * limits.loop_lag_ms,
        queue_wait_ms=LOWERED * limits.queue_wait_ms,
        cpu_share=limits.cpu_share if limits.cpu_share >= 1 else LOWERED * limits.cpu_share,
    )


def for_those_who_come_back(limits: LoadLimits) -> LoadLimits:
    """The limits for a client whose conversation was cut: it is refused later than strangers are."""
    return replace(
        limits,
        loop_lag_ms=2 * limits.loop_lag_ms,
        queue_wait_ms=2 * limits.queue_wait_ms,
        cpu_share=(1 + limits.cpu_share) / 2,
        joins=2 * limits.joins,
    )


def reserve_of(total: int) -> int:
    """How many seats beyond `total` are for those who come back."""
    return max(int(RESERVE_SHARE * total), 1)


def _with_the_new(share: float, taken: Taken) -> float:
    """The event loop's share of a core once those who are not measured yet, and the one who knocks, are in full."""
    measured = taken.seats - taken.unmeasured
    each = max(share / measured, ASSUMED_CPU_SHARE) if measured >= KNOWN_FROM else ASSUMED_CPU_SHARE
    return share + (taken.unmeasured + 1) * each


def _machine_share(load: Load, limits: LoadLimits) -> float:
    """How busy all cores are with anything, where others of this server are part of that."""
    return 0.0 if limits.workers == 1 or load.cpu.machine is None else load.cpu.machine


def _memory_bytes(load: Load, taken: Taken) -> float:
    return 0 if load.resident_bytes is None else load.resident_bytes + taken.unmeasured * ASSUMED_BYTES


def _memory_limit(load: Load, limits: LoadLimits) -> float:
    if limits.memory_bytes is not None:
        return limits.memory_bytes
    return math.inf if load.usable_bytes is None else MEMORY_SHARE * load.usable_bytes / limits.workers
