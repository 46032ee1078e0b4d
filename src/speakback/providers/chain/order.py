"""Whom one turn asks next."""

from speakback.providers.chain.entry import Entry
from speakback.providers.chain.standing import Standings
from speakback.providers.decisions import Decision, DecisionKind, Report
from speakback.providers.errors import LASTING, Failure, ProviderError

NOT_AGAIN = LASTING | {Failure.BAD_REQUEST, Failure.RATE_LIMITED, Failure.SHED}
"""After one of these, asking the same again within a turn is in vain."""


class Order:
    """One turn's candidates. Each may fail at most twice, so a turn ends."""

    def __init__(self, entries: tuple[Entry[object], ...], standings: Standings, report: Report) -> None:
        self._entries = entries
        self._standings = standings
        self._report = report
        self._failures: dict[str, int] = {}
        self._barred: set[str] = set()
        self._skipped: set[str] = set()

    def failed(self, name: str, problem: ProviderError) -> None:
        """It failed in this turn."""
        self._failures[name] = self._failures.get(name, 0) + 1
        if problem.failure in NOT_AGAIN or self._failures[name] > 1:
            self._barred.add(name)

    def next(self, under_way: set[str]) -> tuple[str, str] | None:
        """Whom to ask now, and what is to be said of that ("": nothing); None: nobody is left.

        First whoever has not failed and has a closed circuit, then the open ones, then those that failed once.
        """
        candidate, skipped = self._candidate(under_way)
        for name in skipped:
            self._skip(name)
        return candidate

    def is_anybody_left(self, under_way: set[str]) -> bool:
        """Whether `next` has somebody to name."""
        return self._candidate(under_way)[0] is not None

    def _candidate(self, under_way: set[str]) -> tuple[tuple[str, str] | None, list[str]]:
        left = [entry.name for entry in self._entries if entry.name not in under_way | self._barred]
        fresh = [name for name in left if name not in self._failures]
        closed = [name for name in fresh if not self._standings.is_open(name)]
        if closed:
            return (closed[0], ""), fresh[: fresh.index(closed[0])]
        for name in fresh:
            if not self._standings.is_hopeless(name):
                return (name, "asked although its circuit is open, as nobody else is left"), []
        again = [name for name in left if name in self._failures]
        return ((again[0], "asked once more, as nobody else is left") if again else None), []

    def seconds(self, name: str) -> list[str]:
        """Who may get a second request besides the one to this provider, in order."""
        wanted = self._standings.options.hedge_with
        by_name = {entry.name: entry for entry in self._entries}
        fit = [other for other in by_name if not self._standings.is_open(other) and other not in self._failures]
        others = [other for other in fit if other != name]
        same = [name] if name in fit and not by_name[name].is_local else []
        if wanted not in {"same", "next"}:
            others.sort(key=lambda other: other != wanted)  # stable: the others follow in order
        return [*same, *others] if wanted == "same" else [*others, *same]

    def _skip(self, name: str) -> None:
        if name not in self._skipped:
            self._skipped.add(name)
            reason = f"its circuit is open: {self._standings.why_open(name)}"
            self._report(Decision(self._standings.role, DecisionKind.SKIPPED, name, reason))
