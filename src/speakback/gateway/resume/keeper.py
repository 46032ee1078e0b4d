"""Keeps one conversation's record fresh, behind its back.

Nobody waits for the store but the end of a connection, and that not long. Changes within `CHECKPOINT_EVERY_S` are kept
together. A store that fails is told of once, and tried again; the conversation goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

import structlog

from speakback.gateway.resume.store import ResumeStore, StoreUnavailable
from speakback.gateway.resume.tokens import new_token, record_key
from speakback.providers.link.backoff import Backoff
from speakback.session import notices as n
from speakback.session.snapshot import Snapshot, to_json

CHECKPOINT_EVERY_S = 1.0
"""So much, and the client's own record of it, is lost with a process that is killed."""
OPEN_TURN_EVERY_S = 3.0
"""So often while the user speaks, of which nothing tells meanwhile."""
TOGETHER_S = 0.05
"""What changes at once is kept at once."""
REFRESHED_TIMES = 3
"""How often within its life a record is kept anew where nothing changes."""
FINAL_WITHIN_S = 0.8
"""How long the end of a connection may wait for the store."""
BACKOFF = Backoff(first_s=0.5, longest_s=10.0)

PASSING = (
    n.ReplyAudioSent,
    n.LatencyMeasured,
    n.DraftsCounted,
    n.ProviderDecided,
    n.PauseWeighed,
    n.FloorChanged,
    n.ReplyPlanned,
    n.OverlapJudged,
    n.TranscriptGrew,
)
"""Notices of what is not kept, or comes again with the next that is."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenGiven:
    """From now on the conversation can be resumed with this token."""

    token: str = field(repr=False)
    expires_in_s: float
    """After the connection's end."""


@dataclass(frozen=True, slots=True)
class ResumeUnavailable:
    """The conversation cannot be resumed, or not as it stands, until a token is given again."""

    reason: str


ResumeNews: TypeAlias = TokenGiven | ResumeUnavailable


class Keeper:
    """One connection's record. `take` is called on the event loop; `tell` is awaited with what the client must know."""

    def __init__(
        self,
        store: ResumeStore,
        owner: str,
        keep_s: float,
        encoding: Executor,
        *,
        take: Callable[[], Snapshot],
        tell: Callable[[ResumeNews], Awaitable[None]],
        store_failed: Callable[[], None],
        rng: Random | None = None,
    ) -> None:
        self._token = new_token()
        self.key = record_key(self._token, owner)
        self._store = store
        self._keep_s = keep_s
        self._encoding = encoding
        self._take = take
        self._tell = tell
        self._store_failed = store_failed
        self._rng = rng or Random()
        self._wanted = asyncio.Event()
        self._withdrawn = asyncio.Event()
        self._changed = asyncio.Event()
        self._user_speaks = False
        self._is_kept = False
        """Whether there is a record."""
        self._is_told = False
        """Whether the client knows how the store is."""
        self.was_token_told = False
        """Whether the client was sent the token."""
        self.is_given_up = False
        """Whether no token counts any more: the conversation went on elsewhere, or is to be forgotten."""
        self._failures = 0
        self.is_over = False
        """Whether the record belongs to another connection now, or to nobody."""

    def want(self, is_wanted: bool) -> None:
        """Whether the client asks for it."""
        if is_wanted:
            self._wanted.set()
            self._withdrawn.clear()
        else:
            self._wanted.clear()
            self._withdrawn.set()
        self._changed.set()

    def saw(self, notice: n.Notice) -> None:
        """The conversation told this: it may have changed."""
        match notice:
            case n.UserSpeechStarted():
                self._user_speaks = True
            case n.UserSpeechStopped() | n.InputBufferCommitted() | n.InputBufferCleared():
                self._user_speaks = False
        if not isinstance(notice, PASSING):
            self._changed.set()

    def hand_over(self) -> Snapshot:
        """The conversation as it stands, for another connection; nothing more is kept for this one."""
        self.is_over = self.is_given_up = True
        return self._take()

    async def run(self) -> None:
        """Keep the record fresh until cancelled; returns once another connection took it."""
        while not self.is_over:
            await self._wanted.wait()
            try:
                is_ours = await self._keep()
            except StoreUnavailable as problem:
                await self._told_failure(problem)
                await asyncio.sleep(BACKOFF.wait_s(self._failures, self._rng))
                continue
            if not is_ours:
                self.is_over = self.is_given_up = True
                return
            await self._told_success()
            await self._until_due()
            if not self._wanted.is_set():
                await self._forget()

    async def finish(self, *, forget: bool) -> None:
        """The connection ends: keep the conversation as it stands, or `forget` it. Over within `FINAL_WITHIN_S`."""
        is_wanted = not (forget or self._withdrawn.is_set())
        self.is_given_up = self.is_given_up or not is_wanted
        if self.is_over or not self._is_kept:
            return
        self.is_over = True
        try:
            async with asyncio.timeout(FINAL_WITHIN_S):
                if not is_wanted:
                    await self._forget()
                else:
                    await self._keep()
        except (StoreUnavailable, TimeoutError) as problem:
            self._store_failed()
            reason = str(problem) or "the store takes too long"
            log.warning("the end of a conversation was not kept", reason=reason)

    # ---- within -------------------------------------------------------------------------------

    async def _keep(self) -> bool:
        """Keep it as it stands; False: the record was taken."""
        self._changed.clear()
        record = await self._written()
        if self._is_kept:
            return await self._store.replace(self.key, record, self._keep_s)
        await self._store.create(self.key, record, self._keep_s)
        self._is_kept = True
        return True

    async def _written(self) -> bytes:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._encoding, to_json, self._take())
        except Exception:  # a defect of ours: better a conversation that cannot be resumed than one that ends
            log.exception("a conversation could not be written down")
            raise StoreUnavailable("the server failed to write the conversation down") from None

    async def _forget(self) -> None:
        with suppress(StoreUnavailable):
            await self._store.discard(self.key)
        self._is_kept = self._is_told = False

    async def _told_success(self) -> None:
        if self._failures:
            log.info("conversations can be kept again")
        self._failures = 0
        if not self._is_told:
            self._is_told = True
            await self._tell(TokenGiven(self._token, self._keep_s))
            self.was_token_told = True

    async def _told_failure(self, problem: StoreUnavailable) -> None:
        self._failures += 1
        self._store_failed()
        if self._failures == 1:
            log.warning("the conversation cannot be kept; it goes on", reason=str(problem))
            self._is_told = False
            await self._tell(ResumeUnavailable(str(problem)))

    async def _until_due(self) -> None:
        """Until something changed, and a while has passed since the last time; at the latest when it must be anew."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._keep_s / REFRESHED_TIMES):
                if self._store.outlives_process:
                    await asyncio.sleep(CHECKPOINT_EVERY_S)
                    await self._until_changed()
                    await asyncio.sleep(TOGETHER_S)
                else:
                    await self._withdrawn.wait()

    async def _until_changed(self) -> None:
        """An open turn changes by itself."""
        with suppress(TimeoutError):
            async with asyncio.timeout(OPEN_TURN_EVERY_S - CHECKPOINT_EVERY_S if self._user_speaks else None):
                await self._changed.wait()
