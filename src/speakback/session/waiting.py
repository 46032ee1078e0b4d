"""What waits to be told to one client, and what becomes of it where the client reads too slowly.

| the client | that is | and then |
|---|---|---|
| is in time | nothing has waited for longer than `BEHIND_MS` | it is told everything, at once |
| is behind | something has, and since then not all was taken | deltas of one item are merged, of the floor only its \
latest change waits, no more of the agent's audio is made ready for it, and the gateway leaves out what is `OPTIONAL` |
| is crammed | over `CRAMMED_NOTICES` notices or `CRAMMED_BYTES` wait | no more is read from it, either |
| is lost | over `MOST_NOTICES` or `MOST_BYTES` wait | the session ends, `overrun` (1013) |

The gateway loses a client also by time: one that takes nothing, or stays behind, for `server.send_timeout_s`
(`gateway/slow_reader.py`, which bounds the buffers of the socket as well). This table is all there is of the rule.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np

from speakback.session.notices import (
    DraftsCounted,
    FloorChanged,
    LatencyMeasured,
    Notice,
    OverlapJudged,
    PauseWeighed,
    ProviderDecided,
    ReplyAudioSent,
    ReplyPlanned,
    ReplyTextGrew,
    TranscriptGrew,
)

BEHIND_MS = 500
"""Far above what a busy server or a line that jitters makes wait, and about what a conversation bears."""
CRAMMED_NOTICES = 256
CRAMMED_BYTES = 256 * 1024
"""A client that talks and listens stays far below both: while it is behind, no audio is made ready for it."""
MOST_NOTICES = 512
MOST_BYTES = 8 * 1024 * 1024
"""Above `CRAMMED_BYTES` and what one message of a client may come to, at 4 bytes a character."""
OPTIONAL = (LatencyMeasured, OverlapJudged, DraftsCounted, ProviderDecided, PauseWeighed, ReplyPlanned)
"""About the conversation, not of it."""
OBJECT_BYTES = 128


@dataclass(frozen=True, slots=True)
class _Entry:
    notice: Notice
    since_ms: int
    weight_bytes: int


class Waiting:
    """One session's notices on their way to its client: one side puts, one takes."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._entries: deque[_Entry] = deque()
        self._weight_bytes = 0
        self._is_behind = False
        self._is_closed = False
        self._news = asyncio.Event()
        self._taken = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def weight_bytes(self) -> int:
        """About what all that waits takes in memory; text and audio that other parts hold as well is counted here."""
        return self._weight_bytes

    @property
    def is_behind(self) -> bool:
        """Whether the client is; see above."""
        if not self._is_behind and self._entries:
            self._is_behind = self._now_ms() - self._entries[0].since_ms > BEHIND_MS
        return self._is_behind

    @property
    def is_crammed(self) -> bool:
        """Whether no more is to be read from the client."""
        return len(self._entries) > CRAMMED_NOTICES or self._weight_bytes > CRAMMED_BYTES

    @property
    def is_lost(self) -> bool:
        """Whether more waits than may."""
        return len(self._entries) > MOST_NOTICES or self._weight_bytes > MOST_BYTES

    def put(self, notice: Notice) -> None:
        """Add a notice; ignored after `close`."""
        if self._is_closed:
            return
        if self._entries and self.is_behind:
            if self._merged(notice):
                return
            if isinstance(notice, FloorChanged):
                self._drop_older_floor()
        self._append(_Entry(notice, self._now_ms(), weight_bytes(notice)))

    def close(self) -> None:
        """Nothing more comes: `take` gives what still waits, then None."""
        self._is_closed = True
        self._news.set()

    async def take(self) -> Notice | None:
        """The next notice, in order; None once closed. Cancelling is safe."""
        while not self._entries:
            if self._is_closed:
                return None
            self._news.clear()
            await self._news.wait()
        entry = self._entries.popleft()
        self._weight_bytes -= entry.weight_bytes
        if not self._entries:
            self._is_behind = False
        self._taken.set()
        return entry.notice

    async def caught_up(self) -> None:
        """Return once the client is in time."""
        while self.is_behind:
            await self._next_taken()

    async def room(self) -> None:
        """Return once the client is not crammed."""
        while self.is_crammed:
            await self._next_taken()

    # ---- within -------------------------------------------------------------------------------

    async def _next_taken(self) -> None:
        self._taken.clear()
        await self._taken.wait()

    def _append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._weight_bytes += entry.weight_bytes
        self._news.set()

    def _merged(self, notice: Notice) -> bool:
        """Whether `notice` went into a delta of the same item that waits."""
        if not isinstance(notice, ReplyTextGrew | TranscriptGrew):
            return False
        for place in range(len(self._entries) - 1, -1, -1):
            waiting = self._entries[place].notice
            if isinstance(waiting, type(notice)) and waiting.item_id == notice.item_id:
                grown = replace(waiting, delta=waiting.delta + notice.delta)
                weight = weight_bytes(grown)
                self._weight_bytes += weight - self._entries[place].weight_bytes
                self._entries[place] = _Entry(grown, self._entries[place].since_ms, weight)
                return True
        return False

    def _drop_older_floor(self) -> None:
        """What waits of the floor is over: it is a state, of which only the present is of use."""
        for place in range(len(self._entries) - 1, -1, -1):
            if isinstance(self._entries[place].notice, FloorChanged):
                self._weight_bytes -= self._entries[place].weight_bytes
                del self._entries[place]
                return


def weight_bytes(value: object) -> int:
    """About what a notice takes in memory: its text and audio, and something for each object."""
    match value:
        case ReplyAudioSent(audio_24k=audio):
            return OBJECT_BYTES + audio.nbytes
        case str():
            return sys.getsizeof(value)
        case tuple():
            return sum(map(weight_bytes, value))
        case np.ndarray():
            return value.nbytes
        case _ if is_dataclass(value) and not isinstance(value, type):
            return OBJECT_BYTES + sum(weight_bytes(getattr(value, field.name)) for field in fields(value))
        case _:
            return 0
