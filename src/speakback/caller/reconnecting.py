"""Whether a conversation whose line ended is to be taken up on another line, and when to try. Pure."""

from collections.abc import Iterator
from random import Random

SERVICE_RESTART = 1012
FIRST_TRY_WITHIN_S = 0.3
"""Not at once: all callers of a server lose their lines in the same moment."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 4.0
PATIENCE_S = 30.0
"""The waits between all tries of one outage together; who is still away then is not waited for."""


def is_to_be_resumed(close_code: int | None, *, was_told: bool) -> bool:
    """After a line that broke (no close code), and after a restart; after any close that was announced (`was_told`)."""
    return close_code is None or close_code == SERVICE_RESTART or was_told


def waits_s(chance: Random) -> Iterator[float]:
    """How long to wait before each try: longer each time, and spread."""
    yield chance.uniform(0.0, FIRST_TRY_WITHIN_S)
    waited_s, most_s = 0.0, FIRST_WAIT_S
    while waited_s < PATIENCE_S:
        wait_s = chance.uniform(most_s / 2, most_s)
        waited_s += wait_s
        most_s = min(2 * most_s, LONGEST_WAIT_S)
        yield wait_s
