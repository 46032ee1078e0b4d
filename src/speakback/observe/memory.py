"""How much memory the process takes, and what each conversation's buffers hold of it."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")
_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True, slots=True)
class Held:
    """What one conversation's buffers hold, in bytes: a sum of what grows, not of every object."""

    heard: int = 0
    """The user's audio: of the open turn, and what waits to be listened to."""
    spoken: int = 0
    """The agent's audio: what waits to be sent, and what the books of its last replies keep."""
    history: int = 0
    """The words of the conversation."""
    notices: int = 0
    """What waits for the client to be told."""

    @property
    def total(self) -> int:
        return self.heard + self.spoken + self.history + self.notices


def resident_bytes() -> int | None:
    """Memory of this process that is in RAM; None where the system does not tell. Not for the event loop."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def usable_bytes() -> int | None:
    """RAM of the machine, or of the container where that is less; None where the system does not tell."""
    known = [limit for path in _CONTAINER_LIMITS if (limit := _limit_in(path)) is not None]
    with suppress(AttributeError, OSError, ValueError):  # not every system has them
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(known, default=None)


def _limit_in(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return None if text == "max" else int(text)
