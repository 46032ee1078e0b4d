r"""What of a model's text is said aloud: no thinking, no markup. Pure, and exact at any split of the stream.

The text is read once from left to right, one rule for each construct. A rule decides only on what no continuation
can change; until then it withholds, and only the construct's own first characters. What is said:

| written | said |
|---|---|
| `<think>…</think>` and its like, every channel of a harmony reply but `final` | nothing |
| `<\|im_end\|>`, `[INST]`, `[1]`; HTML tags and comments | nothing |
| `**bold**`, `_it_`, `~~gone~~`, `` `code` `` | the words |
| fenced code | nothing |
| `# Heading`, `> quote`, `- item`, `1. item` | the words (a number only where it counts up from 1: "42. Right?" stays) |
| `[text](url)`, `![text](url)` | the text |
| `<url>`, a bare URL | "a link" |
| `\| a \| b \|` | `a, b` |
| emoji, rules, the line under a table's head | nothing |

White space is said once, and never first.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from speakback.session import markup


class Step(NamedTuple):
    """How many characters a rule has read, and what is said for them."""

    read: int
    said: str = ""


WITHHELD = Step(0)
"""Undecided until more is written."""

Rule: TypeAlias = Callable[[str, bool], Step | None]
"""A rule sees the unread text, and whether it is all there will be; `None`: not this construct."""


class SpeakableText:
    """Takes a reply as it is written, gives what to say."""

    def __init__(self) -> None:
        self._unread = ""
        self._before = "\n"
        """The last character read."""
        self._said_last = "\n"
        self._line_start = True
        self._in_table_row = False
        self._list_number = 0
        self._silent_until: tuple[str, ...] = ()
        self._keep_end = False
        """The end of the silence is to be read itself."""
        self._rules: dict[str, tuple[Rule, ...]] = {
            "<": (self._comment, self._special_token, self._tag),
            "[": (self._bracketed_token, self._drop),
            "]": (self._link_target,),
            "!": (self._image,),
            "`": (self._code,),
            "*": (self._emphasis,),
            "_": (self._emphasis,),
            "~": (self._strike,),
            "|": (self._table_cell,),
            "\\": (self._escape,),
            "h": (self._url,),
            "w": (self._url,),
            " ": (self._table_space,),
        }

    def push(self, delta: str) -> str:
        """What can be said now that this was written, often the delta itself."""
        self._unread += delta
        return self._read(final=False)

    def finish(self) -> str:
        """The reply has ended: what was withheld, as what it is without a continuation."""
        return self._read(final=True)

    def _read(self, *, final: bool) -> str:
        said: list[str] = []
        start = 0
        while start < len(self._unread):
            text = self._unread[start : start + 1000]
            whole = final and start + len(text) == len(self._unread)
            step = self._step(text, whole)
            if step.read == 0:
                break
            self._before = text[step.read - 1]
            start += step.read
            said.append(self._spaced(step.said))
        self._unread = self._unread[start:]
        return "".join(said)

    def _step(self, text: str, final: bool) -> Step:
        if self._silent_until:
            return self._silence(text, final)
        if self._line_start:
            step = self._line(text, final)
            if step is not None:
                return step
            self._line_start = False
        for rule in self._rules.get(text[0].lower(), ()):
            step = rule(text, final)
            if step is not None:
                return step
        if text[0] == "\n":
            self._line_start, self._in_table_row = True, False
        return Step(1, "" if markup.EMOJI.match(text) else text[0])

    def _spaced(self, said: str) -> str:
        kept = []
        for sign in said:
            repeated = sign.isspace() and (self._said_last == "\n" or (self._said_last.isspace() and sign != "\n"))
            if not repeated:
                kept.append(sign)
                self._said_last = sign
        return "".join(kept)

    def _silence(self, text: str, final: bool) -> Step:
        found = [(at, end) for end in self._silent_until if (at := text.find(end)) >= 0]
        if found:
            at, end = min(found)
            kept, self._silent_until = self._keep_end, ()
            self._keep_end = False
            return Step(at) if kept and at else self._step(text, final) if kept else Step(at + len(end))
        if final:
            return Step(len(text))
        return Step(max(0, len(text) - max(map(len, self._silent_until)) + 1))

    def _silent(self, read: int, *ends: str, keep_end: bool = False, said: str = "") -> Step:
        self._silent_until, self._keep_end = ends, keep_end
        return Step(read, said)

    # At the start of a line

    def _line(self, text: str, final: bool) -> Step | None:
        """A marker at the line's start; after one there may be another (`> - item`)."""
        first = text[0]
        if first in " \t>":
            return Step(1)
        if first == "#":
            return self._either(markup.HEADING.match(text), markup.PARTIAL_HEADING.match(text), final)
        if first == "|":
            return self._table_row(text, final)
        if first.isdigit():
            return self._list_item_number(text, final)
        if first in markup.LIST_BULLETS or first in markup.RULE_SIGNS:
            return self._bullet_or_rule(text, final)
        return None

    def _either(self, match: object, partial: object, final: bool) -> Step | None:
        if match is not None:
            return Step(match.end())  # type: ignore[attr-defined]
        return WITHHELD if partial is not None and not final else None
