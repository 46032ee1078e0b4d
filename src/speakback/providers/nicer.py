"""Threads that do heavy work let the event loop and the VAD go first.

Those two do little at a time, but all sessions wait for them. Where as many threads compute as there are cores, the
system shares the cores out equally, each of the two waits its turn several times in 32 ms, and what is heard falls
behind by seconds (docs/decisions/013-turn-model.md).
"""

import os
import sys
from functools import cache
from threading import get_native_id

import structlog

log = structlog.get_logger(__name__)

NICER = 10
"""By so much the threads of models are nicer. Linux alone gives each thread a niceness of its own."""


def give_way() -> None:
    """Let all threads of the usual niceness go before this one, and before those that it makes, from now on.

    A sandbox may forbid it: then models compete with the event loop on equal terms, which is logged once.
    """
    if sys.platform != "linux":
        return
    thread = get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + NICER, 19))
    except OSError as problem:
        _warn(problem.strerror or type(problem).__name__)


@cache
def _warn(reason: str) -> None:
    """Once for each reason, not for each thread."""
    log.warning("the threads of models do not give way to the event loop: the system forbids it", reason=reason)
