"""What is alive: tasks by kind, sessions, their sockets and objects; and whether an ended session left any behind.

A task that belongs to a session says so in its name, `kind@session`; kinds are code, never content. Tasks without
the second part belong to the server or to a provider.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from types import CoroutineType
from typing import Protocol
from weakref import ref

import structlog

from speakback.observe.memory import Held
from speakback.observe.stalls import short_path

GRACE_S = 1.0
"""What still ends a moment after its session, such as a request that is being called off, is not left behind."""
UNNAMED = "unnamed"
"""The kind of tasks that other people's code began."""

log = structlog.get_logger(__name__)


class Holder(Protocol):
    """A conversation, as far as it is watched."""

    @property
    def is_behind(self) -> bool:
        """Its client reads too slowly."""
        ...

    def held(self) -> Held:
        """What its buffers hold now."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """A session that is alive."""

    holder: Holder
    socket_is_open: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Left:
    """What an ended session has not let go of."""

    session_id: str
    tasks: tuple["asyncio.Task[object]", ...]
    socket_is_open: Callable[[], bool]


class Population:
    """The living of one server. `left_behind` counts, by kind, what outlives its session: a defect."""

    def __init__(self, left_behind: Callable[[str], None], grace_s: float = GRACE_S) -> None:
        self._left_behind = left_behind
        self._grace_s = grace_s
        self._sessions: dict[str, Watched] = {}
        self._numbers = count()
        self._objects: dict[int, ref[Holder]] = {}
        self._ended: dict[str, Watched] = {}
        """Sessions that ended in this turn of the loop."""

    @contextmanager
    def session(self, session_id: str, holder: Holder, socket_is_open: Callable[[], bool]) -> Iterator[None]:
        """A session lives while the context lasts; then it is seen to that nothing of it is left."""
        watched = self._sessions[session_id] = Watched(holder, socket_is_open)
        number = next(self._numbers)
        self._objects[number] = ref(holder, lambda _: self._objects.pop(number, None))
        try:
            yield
        finally:
            if self._sessions.get(session_id) is watched:  # else it goes on on another connection already
                del self._sessions[session_id]
            if not self._ended:
                asyncio.get_running_loop().call_soon(self._look_after)
            self._ended[session_id] = watched

    @property
    def sessions(self) -> Collection[Watched]:
        """Those that live now."""
        return tuple(self._sessions.values())

    @property
    def objects(self) -> int:
        """Conversations that the interpreter has not freed yet: more than there are sessions, for long, is a leak."""
        return len(self._objects)

    @property
    def open_sockets(self) -> int:
        """Clients' sockets that are open."""
        return sum(watched.socket_is_open() for watched in self._sessions.values())

    @property
    def clients_behind(self) -> int:
        """Clients that read too slowly."""
        return sum(watched.holder.is_behind for watched in self._sessions.values())

    def tasks(self) -> Mapping[str, int]:
        """How many tasks of each kind live on this loop."""
        return Counter(kind_of(task.get_name()) for task in asyncio.all_tasks())

    # ---- what is left of a session ------------------------------------------------------------

    def _look_after(self) -> None:
        """All that ended since: nothing more should live. What does has a moment longer."""
        ended, self._ended = self._ended, {}
        for resumed in self._sessions.keys() & ended.keys():  # its tasks cannot be told from those before
            del ended[resumed]
        tasks: dict[str, list[asyncio.Task[object]]] = {session_id: [] for session_id in ended}
        for task in asyncio.all_tasks():
            owner = owner_of(task.get_name())
            if owner in tasks:
                tasks[owner].append(task)
        for session_id, watched in ended.items():
            if session_id in self._sessions:
                continue
            left = _Left(session_id, tuple(tasks[session_id]), watched.socket_is_open)
            if left.tasks or left.socket_is_open():
                asyncio.get_running_loop().call_later(self._grace_s, self._judge, left)

    def _judge(self, left: _Left) -> None:
        for task in left.tasks:
            if not task.done():
                self._tell("task", left.session_id, task=kind_of(task.get_name()), place=_place_of(task))
        if left.socket_is_open():
            self._tell("socket", left.session_id)

    def _tell(self, kind: str, session_id: str, **details: str) -> None:
        self._left_behind(kind)
        log.error("an ended session left something behind", kind=kind, session_id=session_id, **details)


# ---- names ------------------------------------------------------------------------------------------


def task_name(kind: str, session_id: str | None = None) -> str:
    """The name of a task of this kind that belongs to a session: the one named, or else the one at hand, if any."""
    owner = _session_at_hand() if session_id is None else session_id
    return f"{kind}@{owner}" if owner else kind


def kind_of_work(work: Coroutine[object, object, object]) -> str:
    """The kind of a task that does only this: the function's name."""
    return work.__qualname__ if isinstance(work, CoroutineType) else type(work).__name__


def kind_of(name: str) -> str:
    """The kind of the task of that name."""
    return UNNAMED if name.startswith("Task-") else name.partition("@")[0]


def owner_of(name: str) -> str:
    """The session that the task of that name belongs to; empty where to none."""
    return name.partition("@")[2]


def _session_at_hand() -> str:
    """The session of the present task, by its name; in a task that is not ours, the one its log lines are bound to."""
    task = asyncio.current_task()
    owner = "" if task is None else owner_of(task.get_name())
    if owner:
        return owner
    found: object = structlog.contextvars.get_contextvars().get("session_id", "")
    return found if isinstance(found, str) else ""


def _place_of(task: "asyncio.Task[object]") -> str:
    """Where a task waits: `file:line function`."""
    frames = task.get_stack(limit=1)
    if not frames:
        return ""
    code = frames[0].f_code
    return f"{short_path(code.co_filename)}:{frames[0].f_lineno} {code.co_qualname}"
