"""Audio tags such as `[laughs]`: directions for v3 and v4, which other models would read aloud."""

import re

TAG = re.compile(r"\[[^\]]{1,40}\]")


def without_tags(text: str) -> str:
    """The text as it is said, its words apart by single spaces."""
    return " ".join(TAG.sub(" ", text).split())


def is_speakable(text: str) -> bool:
    """Whether it has a letter or a digit: of anything else no audio would come."""
    return any(map(str.isalnum, text))
