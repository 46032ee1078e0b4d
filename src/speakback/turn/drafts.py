"""Drafts: replies prepared in a pause that may be the turn's end, and the budget that bounds what they waste. Pure."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class DraftBook:
    """What the drafts of a conversation came to so far. A draft that is under way counts as started only."""

    started: int = 0
    promoted: int = 0
    wasted_tokens: int = 0
    wasted_characters: int = 0
    useful_tokens: int = 0
    useful_characters: int = 0

    def with_started(self) -> "DraftBook":
        """One more draft was begun."""
        return replace(self, started=self.started + 1)

    def with_settled(self, *, promoted: bool, tokens: int, characters: int) -> "DraftBook":
        """A draft ended, and what it had cost by then was of use or not."""
        if promoted:
            return replace(
                self,
                promoted=self.promoted + 1,
                useful_tokens=self.useful_tokens + tokens,
                useful_characters=self.useful_characters + characters,
            )
        return replace(
            self,
            wasted_tokens=self.wasted_tokens + tokens,
            wasted_characters=self.wasted_characters + characters,
        )


@dataclass(frozen=True, slots=True)
class Drafts:
    """When a reply is drafted."""

    enabled: bool = True
    least_probability: float = 0.2
    """That the turn is over; below it a draft is not worth its cost."""
    most_per_turn: int = 3
    wasted_share: float = 0.25
    """The most that may be wasted, as a share of what was of use (tokens and characters alike). When it is spent, only
    pauses so likely to be ends are drafted that their drafts keep to it by themselves: without any it would never fill
    again."""
    free_tokens: int = 40
    """Tokens that may be wasted before the share counts: the first drafts have nothing to be a share of."""
    free_characters: int = 160

    def allows(self, book: DraftBook, probability: float, drafted_in_turn: int) -> bool:
        """Whether another draft may be begun."""
        needed = self.least_probability if self._is_within(book) else 1 / (1 + self.wasted_share)
        return self.enabled and probability >= needed and drafted_in_turn < self.most_per_turn

    def _is_within(self, book: DraftBook) -> bool:
        return (
            book.wasted_tokens <= self.free_tokens + self.wasted_share * book.useful_tokens
            and book.wasted_characters <= self.free_characters + self.wasted_share * book.useful_characters
        )
