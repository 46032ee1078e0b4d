"""What the chains of providers decide for a session: logged, told to the client, and kept for the turn's record."""

from collections import deque
from collections.abc import Callable

import structlog

from speakback.providers.decisions import Decision
from speakback.session.notices import Notice, ProviderDecided

KEPT = 64
"""For the record of the next answered turn; the client was told of each at once."""


class Decided:
    """One session's decisions since its last record."""

    def __init__(self, notify: Callable[[Notice], None], log: structlog.stdlib.BoundLogger) -> None:
        self._notify = notify
        self._log = log
        self._since: deque[Decision] = deque(maxlen=KEPT)

    def report(self, decision: Decision) -> None:
        """See `providers.decisions.Report`."""
        self._since.append(decision)
        self._log.info(
            "a chain of providers decided",
            role=decision.role,
            kind=decision.kind.value,
            provider=decision.provider,
            instead_of=decision.instead_of,
            reason=decision.reason,
        )
        self._notify(ProviderDecided(decision))

    def take(self) -> tuple[Decision, ...]:
        """Those since this was last asked, oldest first."""
        taken = tuple(self._since)
        self._since.clear()
        return taken
