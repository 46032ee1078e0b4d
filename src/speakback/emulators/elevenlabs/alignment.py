"""When each character is spoken, in whole milliseconds from the beginning of the audio that it comes with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from speakback.emulators.content import SpokenText

AUDIO_TAG = re.compile(r"\[[^\]]{1,40}\]")
"""A direction for v3 and v4, such as `[laughs]`: they do not say it; the other models do."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Three tuples of one length, starts ascending."""

    chars: tuple[str, ...]
    starts_ms: tuple[int, ...]
    durations_ms: tuple[int, ...]

    @property
    def end_ms(self) -> int:
        return self.starts_ms[-1] + self.durations_ms[-1] if self.chars else 0

    def part(self, from_ms: float, to_ms: float) -> "Alignment | None":
        """Of the characters that begin in that stretch, counted from its beginning; None where there is none."""
        inside = [index for index, start in enumerate(self.starts_ms) if from_ms <= start < to_ms]
        if not inside:
            return None
        return Alignment(
            tuple(self.chars[index] for index in inside),
            tuple(round(self.starts_ms[index] - from_ms) for index in inside),
            tuple(self.durations_ms[index] for index in inside),
        )

    def normalized(self) -> "Alignment":
        """With the space that the service puts in front; it takes its time from the first character.

        In the capture it took 35 of 81 ms. Numbers stay as they were submitted: the speaker does not say how it read
        them.
        """
        if not self.chars:
            return self
        space = self.durations_ms[0] * 35 // 81
        return Alignment(
            (" ", *self.chars),
            (self.starts_ms[0], self.starts_ms[0] + space, *self.starts_ms[1:]),
            (space, self.durations_ms[0] - space, *self.durations_ms[1:]),
        )


def of_spoken(text: str, spoken: SpokenText) -> Alignment:
    """Of text that was spoken as it stands."""
    return Alignment(tuple(text), spoken.starts_ms, spoken.durations_ms)


def without_tags(text: str) -> str:
    """What v3 and v4 say of a text."""
    return AUDIO_TAG.sub("", text)


def of_spoken_without_tags(text: str, spoken: SpokenText) -> Alignment:
    """Of text whose tags were not spoken: they come back among the characters, and take no time."""
    plain = of_spoken(without_tags(text), spoken)
    chars, starts, durations = list[str](), list[int](), list[int]()
    said = 0
    for char, is_tag in _marked(text):
        chars.append(char)
        starts.append(plain.starts_ms[said] if said < len(plain.chars) else plain.end_ms)
        durations.append(0 if is_tag else plain.durations_ms[said])
        said += not is_tag
    return Alignment(tuple(chars), tuple(starts), tuple(durations))


def _marked(text: str) -> Iterator[tuple[str, bool]]:
    """Each character, and whether it belongs to a tag."""
    tagged = {index for tag in AUDIO_TAG.finditer(text) for index in range(tag.start(), tag.end())}
    return ((char, index in tagged) for index, char in enumerate(text))
