"""Which of the samples that were made went out, in their order: after a hold, some go out a second time. Pure.

Two counts of samples at 24 kHz meet here. A *made* position is a place in the reply as the voice made it:
words and chunk borders have it. A *sent* position counts what went out: a client's clock has it.
"""

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

    def made_reached(self, sent: int) -> int:
        """The furthest made position among the first `sent` samples that went out."""
        return max(made_end for _, made_end in self._made_spans(sent))

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
