"""What a client that plays agent audio at once has played of it. Pure; counts samples on the call's clock."""

from dataclasses import dataclass, field, replace

from speakback.audio.pcm import Samples
from speakback.timebase import VOICE_HZ, samples_to_ms


@dataclass(frozen=True, slots=True)
class Stretch:
    """Audio of one item and where on the call's clock it is played, in samples at 24 kHz."""

    item_id: str
    start_samples: int
    audio_24k: Samples = field(repr=False)

    @property
    def end_samples(self) -> int:
        return self.start_samples + len(self.audio_24k)


class Loudspeaker:
    """Plays each stretch when it comes, or as soon as the one before it is over."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        """What was, is and will be played, in order."""

    def play(self, item_id: str, audio_24k: Samples, at_ms: float) -> None:
        """Agent audio came in."""
        start = max(_samples(at_ms), self.stretches[-1].end_samples if self.stretches else 0)
        self.stretches.append(Stretch(item_id, start, audio_24k))

    def flush(self, at_ms: float) -> None:
        """Be silent from now on: drop what was not played yet."""
        now = _samples(at_ms)
        self.stretches = [
            replace(stretch, audio_24k=stretch.audio_24k[: now - stretch.start_samples])
            for stretch in self.stretches
            if stretch.start_samples < now
        ]

    def playing(self, at_ms: float) -> str | None:
        """The item that can be heard now; None in silence."""
        now = _samples(at_ms)
        for stretch in reversed(self.stretches):
            if stretch.end_samples <= now:
                break
            if stretch.start_samples <= now:
                return stretch.item_id
        return None

    def ends_ms(self) -> float:
        """When all that came in so far has been played; 0 if nothing has."""
        return self.stretches[-1].end_samples * 1000 / VOICE_HZ if self.stretches else 0.0

    def played_ms(self, item_id: str, at_ms: float) -> int:
        """How much of an item was played by now."""
        now = _samples(at_ms)
        played = (min(s.end_samples, now) - s.start_samples for s in self._of(item_id) if s.start_samples < now)
        return samples_to_ms(sum(played), VOICE_HZ)

    def buffered_ms(self, item_id: str, at_ms: float) -> int:
        """How much of an item came in and was not played by now."""
        total = samples_to_ms(sum(len(s.audio_24k) for s in self._of(item_id)), VOICE_HZ)
        return total - self.played_ms(item_id, at_ms)

    def _of(self, item_id: str) -> list[Stretch]:
        return [stretch for stretch in self.stretches if stretch.item_id == item_id]


def _samples(at_ms: float) -> int:
    return round(at_ms * VOICE_HZ / 1000)
