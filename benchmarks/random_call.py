"""One caller who does as chance will: speaks or types, interrupts, cancels, hangs up, and notes how each turn ended."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from random import Random

import numpy as np

from speakback.audio.pcm import Samples
from speakback.providers.decisions import Decision
from speakback.providers.engines import Engines
from speakback.session import notices as n
from speakback.session.driver import Session
from speakback.session.items import MessageItem
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.timebase import EAR_HZ, ms_to_samples

LONGEST_TURN_S = 60.0
"""A turn that is not over by then is stuck."""
LONGEST_CLOSE_S = 5.0
AT_REST_S = 0.1
"""After so long at rest nothing of a turn is still to come."""
UNTOLD_S = 1.0
"""The same where the caller cancelled: of a reply that had not begun nothing is told."""
UNEXPLAINED_S = 12.0
"""The same where nothing was told of its end: longer than a session waits for anything at rest."""
LOOK_EVERY_S = 0.05
SPEECH_MS, SILENCE_MS = 400, 1_000
SPEECH_LEVEL = 0.2
LATEST_DEED_MS = 2_500


class End(Enum):
    """How a turn ended."""

    AUDIO = "in audio"
    APOLOGY = "in an apology"
    ERROR = "in an error, unspoken"
    NO_WORDS = "without words of the user"
    CANCELLED = "cancelled"
    CLOSED = "with the session"
    SILENT = "in silence, unexplained"
    STUCK = "not at all"


class Deed(Enum):
    """What the caller does besides waiting."""

    NOTHING = "nothing"
    INTERRUPT = "interrupt"
    CANCEL = "cancel"
    CLOSE = "close"


@dataclass
class Course:
    """What became of a call."""

    ends: Counter[End] = field(default_factory=Counter)
    told: list[Decision] = field(default_factory=list)
    """Decisions that came as events."""
    in_records: list[Decision] = field(default_factory=list)
    """Those in the records of turns."""
    faults: Counter[str] = field(default_factory=Counter)
    oddities: list[str] = field(default_factory=list)
    """Of turns that are stuck or ended in unexplained silence: what was seen."""
    sessions: int = 0


class _Line:
    """One session, and all that its client was told."""

    def __init__(self, engines: Engines, settings: SessionSettings, name: str, course: Course) -> None:
        self.session = Session(engines, settings, session_id=name, correlation_id=f"corr-{name}")
        self.seen: list[n.Notice] = []
        self.has_cancelled = False
        """Whether the caller cancelled in this turn."""
        self._course = course
        self._changed = asyncio.Event()
        self._running = asyncio.create_task(self.session.run())
        self._reading = asyncio.create_task(self._read())
        course.sessions += 1

    async def close(self) -> bool:
        """Hang up; whether the session came to its end in time."""
        self.session.close()
        done, late = await asyncio.wait([self._running, self._reading], timeout=LONGEST_CLOSE_S)
        for task in done:
            task.result()
        return not late

    async def settles_within(self, wait_s: float, since: int) -> bool:
        """Whether the turn that began at this notice is over by then."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        until_s = began_s + wait_s
        while loop.time() < until_s:
            at_rest_s = min(self.session.rest_s, loop.time() - began_s)  # what was said is heard a moment later
            if at_rest_s >= self._rest_needed_s(since):
                return True
            self._changed.clear()
            try:
                async with asyncio.timeout(min(LOOK_EVERY_S, until_s - loop.time())):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return False

    def _rest_needed_s(self, since: int) -> float:
        if how_it_ended(self.seen[since:]) is not End.SILENT:
            return AT_REST_S
        return UNTOLD_S if self.has_cancelled else UNEXPLAINED_S

    async def _read(self) -> None:
        while (notice := await self.session.next_notice()) is not None:
            self._changed.set()
            match notice:
                case n.ReplyAudioSent():
                    continue  # that there was any, the end of the reply tells
                case n.ProviderDecided(decision):
                    self._course.told.append(decision)
                case n.LatencyMeasured(latency):
                    self._course.in_records += latency.decisions
                case n.Fault(code=code):
                    self._course.faults[code] += 1
                case _:
                    pass
            self.seen.append(notice)


class RandomCall:
    """Calls until it had so many turns; a session that was closed is followed by another."""

    def __init__(self, engines: Engines, settings: SessionSettings, rng: Random, name: str) -> None:
        self.course = Course()
        self._engines = engines
        self._settings = settings
        self._rng = rng
        self._name = name
        self._line: _Line | None = None

    async def run(self, turns: int) -> Course:
        """So many turns, then the session is closed."""
        for _ in range(turns):
            self.course.ends[await self._turn()] += 1
        await self._hang_up()
        return self.course

    async def _turn(self) -> End:
        line = self._line = self._line or self._opened()
        rng, since = self._rng, len(line.seen)
        line.has_cancelled = False
        self._ask(line)
        deed = rng.choices(list(Deed), weights=(60, 15, 15, 10))[0]
        wait_s = LONGEST_TURN_S if deed is Deed.NOTHING else rng.uniform(0, LATEST_DEED_MS) / 1000
        is_over = await line.settles_within(wait_s, since)
        if deed is Deed.CLOSE:
            return End.CLOSED if await self._hang_up() else self._odd(End.STUCK, line, since)
        if not is_over and deed is not Deed.NOTHING:
            if deed is Deed.INTERRUPT:
                since = len(line.seen)
                line.session.append_audio(_utterance())
            else:
                line.session.cancel_reply()
                line.has_cancelled = True
            is_over = await line.settles_within(LONGEST_TURN_S, since)
        if not is_over:
            end = self._odd(End.STUCK, line, since)
            await self._hang_up()
            return end
        end = how_it_ended(line.seen[since:])
        if end is End.SILENT and line.has_cancelled:
            return End.CANCELLED  # before the reply had begun, of which nothing is told
        return self._odd(end, line, since) if end is End.SILENT else end

    def _opened(self) -> _Line:
        return _Line(self._engines, self._settings, f"{self._name}-{self.course.sessions}", self.course)

    def _ask(self, line: _Line) -> None:
        if self._rng.random() < 0.5:
            line.session.append_audio(_utterance())
        else:
            item_id = line.session.new_id("item")
            line.session.add_item(MessageItem(item_id, "user", "What do you think of that?", spoken=False))
            line.session.request_reply(ReplyOptions())

    async def _hang_up(self) -> bool:
        line, self._line = self._line, None
        return line is None or await line.close()

    def _odd(self, end: End, line: _Line, since: int) -> End:
        seen = " ".join(_in_short(notice) for notice in line.seen[since:])
        self.course.oddities.append(f"{line.session.session_id}: {end.value}: {seen}")
        return end


def how_it_ended(seen: list[n.Notice]) -> End:
    """Of a turn that is over: what the user had of it. Pure."""
    replies = [notice for notice in seen if isinstance(notice, n.ReplyEnded)]
    failed = [notice for notice in seen if isinstance(notice, n.TranscriptFailed)]
    failed_replies = [reply for reply in replies if reply.status == "failed"]
    last = replies[-1] if replies else None
    if last is not None and last.status in {"completed", "incomplete"}:
        return End.APOLOGY if failed or failed_replies else End.AUDIO
    if last is not None and last.status == "failed":
        return End.ERROR
    if last is not None and last.reason == "client_cancelled":
        return End.CANCELLED
    is_empty = any(isinstance(notice, n.TranscriptCompleted) and not notice.text for notice in seen)
    return End.NO_WORDS if is_empty else End.SILENT


def _utterance() -> Samples:
    speech = np.full(ms_to_samples(SPEECH_MS, EAR_HZ), SPEECH_LEVEL, np.float32)
    return np.concatenate((speech, np.zeros(ms_to_samples(SILENCE_MS, EAR_HZ), np.float32)))


def _in_short(notice: n.Notice) -> str:
    match notice:
        case n.ReplyEnded(status=status, reason=reason):
            return f"ReplyEnded({status},{reason})"
        case n.TranscriptCompleted(text=text):
            return f"TranscriptCompleted({len(text.split())} words)"
        case n.Fault(code=code):
            return f"Fault({code})"
        case n.ProviderDecided(decision):
            return f"{decision.role}:{decision.kind.value}({decision.provider})"
        case _:
            return type(notice).__name__
