"""How a process learns that it is to end, and that it is to hurry: by signals, or by whoever started it."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Stopping:
    """Two steps, each taken at most once, and how the first is meant."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """To end, and to leave nobody in the middle of a word."""
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    """To end now. Never before `asked`."""
    others_stay: asyncio.Event = field(default_factory=asyncio.Event)
    """Set before `asked`: others serve this address on, so that nobody needs to notice that this one leaves."""

    def ask(self) -> None:
        """To end; asked a second time, to hurry."""
        if self.asked.is_set():
            self.hurried.set()
        self.asked.set()

    def make_room(self) -> None:
        """To end, while others stay."""
        if not self.asked.is_set():
            self.others_stay.set()
        self.asked.set()

    def hurry(self) -> None:
        """To end now."""
        self.asked.set()
        self.hurried.set()


def by_signals() -> Stopping:
    """Asked by SIGINT and SIGTERM; to be called once the loop runs."""
    stopping = Stopping()
    if sys.platform != "win32":  # there, Ctrl-C cancels the main task instead
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stopping.ask)
    return stopping


def on_hangup(do: Callable[[], None]) -> None:
    """What SIGHUP is for; as it was where it is ignored already, as by nohup. To be called once the loop runs."""
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, do)


async def unless(stopped: asyncio.Event, work: Coroutine[object, object, _T]) -> _T | None:
    """What `work` gives; None if the process is asked to end before, and then `work` is cancelled."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
