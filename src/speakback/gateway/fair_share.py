"""One client's share of the event loop: however fast it sends, it gets no more than half. Pure."""

LONG_S = 0.002
"""Work of one client that others may have to wait for in one go, but for a single message that takes longer."""


class FairShare:
    """What the work for one client took, less the time in which there was none."""

    def __init__(self) -> None:
        self._owed_s = 0.0
        self._ended_s: float | None = None

    def pause_s(self, began_s: float, ended_s: float) -> float:
        """For how long nothing is to be taken from the client after work from `began_s` to `ended_s`; 0: not at all.

        A message of 20 ms of audio is forgotten when the next one comes. A flood of tiny messages, each of them
        quickly done, adds up to a pause, and so does one that took long.
        """
        if self._ended_s is not None:
            self._owed_s = max(self._owed_s - (began_s - self._ended_s), 0.0)
        self._owed_s += ended_s - began_s
        self._ended_s = ended_s
        return self._owed_s if self._owed_s > LONG_S else 0.0
