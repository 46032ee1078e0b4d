"""When text becomes speech: the buffers of the text-to-speech and of the dialogue sockets."""

from collections.abc import Sequence

DEFAULT_SCHEDULE = (120, 160, 250, 290)


class TextBuffer:
    """What a text-to-speech socket, or one context of it, holds back.

    Each method returns the texts that it sets off, in order; each becomes a clip of its own. Blank text sets off
    nothing, and more blank text behind it is dropped, so that keep-alives add up to at most one.
    """

    def __init__(self, schedule: Sequence[int], *, auto_mode: bool, try_trigger_minimum: int) -> None:
        self._schedule = tuple(schedule)
        self._auto_mode = auto_mode
        self._try_trigger_minimum = try_trigger_minimum
        self._generations = 0
        self.text = ""

    def add(self, text: str, *, flush: bool = False, try_trigger: bool = False) -> list[str]:
        """The next message."""
        if self.text.strip() or text.strip():
            self.text += text
        else:
            self.text = self.text or text
        threshold = self._schedule[min(self._generations, len(self._schedule) - 1)]
        sets_off = (
            flush
            or self._auto_mode
            or len(self.text) >= threshold
            or (try_trigger and len(self.text) > self._try_trigger_minimum)
        )
        return self._generate() if sets_off else []

    def close(self) -> list[str]:
        """The rest."""
        return self._generate()

    def _generate(self) -> list[str]:
        if not self.text.strip():
            return []
        text, self.text = self.text, ""
        self._generations += 1
        return [text]


class DialogueBuffer:
    """What one context of a dialogue socket holds back; works like `TextBuffer`."""

    def __init__(self, *, characters: int, words: int) -> None:
        self._characters = characters
        self._words = words
        self.text = ""

    def add(self, text: str, *, new_turn: bool = False) -> list[str]:
        """One input; a new turn sets off what came before."""
        before = self.flush() if new_turn else []
        self.text += text
        enough = len(self.text) >= self._characters and len(self.text.split()) >= self._words
        return before + (self.flush() if enough else [])

    def flush(self) -> list[str]:
        """Everything so far."""
        text, self.text = self.text, ""
        return [text] if text.strip() else []
