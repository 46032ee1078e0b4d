"""How a fetch tells what it is doing. The command line draws a bar; a server logs."""

import logging
from typing import Protocol

_log = logging.getLogger(__name__)


class Progress(Protocol):
    """Told by one thread at a time."""

    def begin(self, label: str, total_bytes: int) -> None:
        """A download of about `total_bytes` starts; it ends the one before."""
        ...

    def reached(self, done_bytes: int) -> None:
        """So many bytes of the current download are here."""
        ...

    def note(self, text: str) -> None:
        """Something an operator may want to know; not an error."""
        ...


class LoggedProgress:
    """One log line for each download."""

    def begin(self, label: str, total_bytes: int) -> None:
        _log.info("fetching %s (%.1f MB)", label, total_bytes / 1e6)

    def reached(self, done_bytes: int) -> None:
        """Nothing: a log has no bar."""

    def note(self, text: str) -> None:
        _log.info("%s", text)
