"""Which words of a growing transcript are certain: those on which two passes in a row agree. Pure."""

import re

_AROUND = re.compile(r"^(?:(?![+-]\d|[$€£]\d)[^\w])+|[^\w%+#]+$")


def _bare(word: str) -> str:
    """The word without case and the punctuation around it; what makes one number another ("2.5", "-5", "$5") stays."""
    return _AROUND.sub("", word.replace("’", "'")).lower()


def same_words(left: str, right: str) -> bool:
    """Whether two texts say the same but for case and punctuation."""
    return _words(left) == _words(right)


def _words(text: str) -> list[str]:
    return [bare for word in text.split() if (bare := _bare(word))]  # a dash between two words is none


class AgreedWords:
    """Local agreement over the passes of one turn; what was once agreed on is never taken back."""

    def __init__(self) -> None:
        self._agreed: list[str] = []
        self._previous: list[str] = []

    @property
    def text(self) -> str:
        """The words that are certain so far."""
        return " ".join(self._agreed)

    def push(self, text: str) -> str:
        """Take in the text of the next pass; returns what it adds to `text`, with the space before it."""
        words = text.split()
        common = 0
        for old, new in zip(self._previous, words, strict=False):
            if _bare(old) != _bare(new):
                break
            common += 1
        self._previous = words
        before = len(self.text)
        self._agreed += words[len(self._agreed) : common]
        return self.text[before:]
