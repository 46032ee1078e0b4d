"""Which of the samples that were made went out, in their order: after a hold, some go out a second time. Pure.

Two counts of samples at 24 kHz meet here. A *made* position is a place in the reply as the voice made it:
words and chunk borders have it. A *sent* position counts what went out: a client's clock has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From sent position `sent_from` on, what was made from `made_from` on went out, sample by sample."""

    sent_from: int
    made_from: int


class SentOrder:
    """The stretches of a reply that went out: one, and one more for each place where it went back."""

    def __init__(self) -> None:
        self._stretches = [_Stretch(0, 0)]

    def go_back(self, sent: int, made: int) -> None:
        """From sent position `sent` on, what was made from `made` on goes out."""
        self._stretches.append(_Stretch(sent, made))

    def reaches(self, made: int, sent: int, lost: Sequence[tuple[int, int]]) -> bool:
        """Whether made position `made` is among the first `sent` samples that went out, and was not lost each time.

        Of each pair in `lost`, what went out behind the first sent position up to the second was lost.
        """
        for part, (start, end) in zip(self._stretches, self._made_spans(sent), strict=False):
            position = part.sent_from + made - start
            if start <= made <= end and not any(behind < position <= to for behind, to in lost):
                return True
        return False

    def sent_positions(self, made: int, sent: int) -> list[int]:
        """Where made position `made` lies among the first `sent` samples that went out: nowhere, once or again."""
        spans = zip(self._stretches, self._made_spans(sent), strict=False)
        return [part.sent_from + made - start for part, (start, end) in spans if start <= made < end]

    def joints(self) -> list[int]:
        """The sent positions at which it went back."""
        return [part.sent_from for part in self._stretches[1:]]

    def _made_spans(self, sent: int) -> list[tuple[int, int]]:
        ends = [*(part.sent_from for part in self._stretches[1:]), sent]
        return [
            (part.made_from, part.made_from + min(end, sent) - part.sent_from)
            for part, end in zip(self._stretches, ends, strict=True)
            if part.sent_from <= sent
        ]
