"""Acoustic end-of-turn evidence, as a session sees it. The words' share is `turn/end_of_turn.py`."""

from typing import Protocol

from speakback.audio.pcm import Samples


class EndOfTurnModel(Protocol):
    """Scores from the sound alone how likely it is that the speaker has finished."""

    name: str

    async def score(self, audio_16k: Samples) -> float:
        """Probability in [0, 1] that the turn ends with `audio_16k` (cut at the last voiced sample).

        Only the last 8 s are heard. Cancelling is safe. Raises `ProviderError`.
        """
        ...

    async def aclose(self) -> None:
        """Release threads and memory; no call may follow."""
        ...
