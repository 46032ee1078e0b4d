r"""What of a model's text is said aloud: no thinking, no markup. Pure, and exact at any split of the stream.

The text is read once from left to right, one rule for each construct. A rule decides only on what no continuation
can change; until then it withholds, and only the construct's own first characters. What is said:

| written | said |
|---|---|
| `<think>…</think>` and its like, every channel of a harmony reply but `final` | nothing |
| `<\|im_end\|>`, `[INST]`, `[1]`; HTML tags and comments | nothing |
| `**bold**`, `_it_`, `~~gone~~`, `` `code` `` | the words |
| fenced code | nothing |
| `# Heading`, `> quote`, `- item`, `1. item` | the words (numbers that count from 1: "42. Right?" stays) |
| `[text](url)`, `![text](url)` | the text |
| `<url>`, a bare URL | "a link" |
| `\| a \| b \|` | `a, b` |
| emoji, rules, the line under a table's head | nothing |

White space is said once, and never first.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from speakback.session import markup


class Step(NamedTuple):
    """How many characters a rule has read (0: undecided until more is written), and what is said for them."""

    read: int
    said: str = ""


WITHHELD = Step(0)

Rule: TypeAlias = Callable[[str, int, bool], Step | None]
"""Sees the text, where it is unread, and whether it is all there will be; `None` where its construct is not."""


class SpeakableText:
    """Takes a reply as it is written, gives what to say.

    `keeps_audio_tags`: for a voice that performs them, `[laughs]` stays as it is; else its brackets go like all others.
    """

    def __init__(self, *, keeps_audio_tags: bool = False) -> None:
        self._keeps_audio_tags = keeps_audio_tags
        self._unread = ""
        self._before = "\n"
        """The last character read."""
        self._said_last = "\n"
        self._line_start = True
        self._in_table_row = False
        self._list_number = 0
        self._silent_until: tuple[str, ...] = ()
        self._read_end = True
        """Whether the end of the silence is read with it."""
        self._rules: dict[str, tuple[Rule, ...]] = {
            "<": (self._comment, self._special_token, self._tag),
            "[": (self._bracket,),
            "]": (self._link_target,),
            "!": (self._image,),
            "`": (self._code,),
            "*": (self._emphasis,),
            "_": (self._emphasis,),
            "~": (self._emphasis,),
            "|": (self._table_cell_end,),
            " ": (self._table_space,),
            "\\": (self._escape,),
            "h": (self._url,),
            "w": (self._url,),
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
        at = 0
        while at < len(self._unread):
            step = self._step(self._unread, at, final)
            if step.read == 0:
                break
            at += step.read
            self._before = self._unread[at - 1]
            said.append(self._spaced(step.said))
        self._unread = self._unread[at:]
        return "".join(said)

    def _step(self, text: str, at: int, final: bool) -> Step:
        if self._silent_until:
            step = self._silence(text, at, final)
            if step is not None:
                return step
        if self._line_start:
            step = self._line(text, at, final)
            if step is not None:
                return step
            self._line_start = False
        for rule in self._rules.get(text[at].lower(), ()):
            step = rule(text, at, final)
            if step is not None:
                return step
        if text[at] == "\n":
            self._line_start, self._in_table_row = True, False
        return Step(1, "" if markup.EMOJI.match(text, at) else text[at])

    def _spaced(self, said: str) -> str:
        kept = []
        for sign in said:
            if sign.isspace() and (self._said_last == "\n" or (self._said_last.isspace() and sign != "\n")):
                continue
            kept.append(sign)
            self._said_last = sign
        return "".join(kept)

    # What is not said at all

    def _silent(self, read: int, *ends: str, read_end: bool = True) -> Step:
        self._silent_until, self._read_end = ends, read_end
        return Step(read)

    def _silence(self, text: str, at: int, final: bool) -> Step | None:
        found = [(place, end) for end in self._silent_until if (place := text.find(end, at)) >= 0]
        if not found:
            may_be_end = 0 if final else max(map(len, self._silent_until)) - 1
            return Step(max(0, len(text) - at - may_be_end))
        place, end = min(found)
        self._silent_until, self._line_start = (), True
        read = place - at + (len(end) if self._read_end else 0)
        return Step(read) if read else None

    def _comment(self, text: str, at: int, final: bool) -> Step | None:
        if text.startswith(markup.COMMENT, at):
            return self._silent(len(markup.COMMENT), markup.COMMENT_END)
        return _open(markup.COMMENT.startswith(text[at : at + len(markup.COMMENT)]), final)

    def _special_token(self, text: str, at: int, final: bool) -> Step | None:
        match = markup.SPECIAL_TOKEN.match(text, at)
        if match is None:
            return _open(markup.OPEN_SPECIAL_TOKEN.match(text, at), final)
        token = match.group()
        if token == markup.CHANNEL:
            return self._channel(text, at, final)
        if token in markup.ROLE_OPENINGS:
            return self._silent(len(token), markup.ROLE_OPENINGS[token], read_end=False)
        return Step(len(token))

    def _channel(self, text: str, at: int, final: bool) -> Step:
        name_at = at + len(markup.CHANNEL)
        name_end = text.find(markup.CHANNEL_TEXT, name_at)
        if name_end < 0:
            return Step(len(text) - at) if final else WITHHELD
        read = name_end + len(markup.CHANNEL_TEXT) - at
        if text[name_at:name_end].split()[:1] == [markup.SPOKEN_CHANNEL]:
            return Step(read)
        return self._silent(read, *markup.CHANNEL_ENDS, read_end=False)

    def _tag(self, text: str, at: int, final: bool) -> Step | None:
        link = markup.LINK_IN_BRACKETS.match(text, at)
        match = link or markup.TAG.match(text, at)
        if match is None:
            short = len(text) - at < markup.MAX_TAG_CHARACTERS
            return _open(markup.OPEN_TAG.match(text, at) if short else None, final)
        read = len(match.group())
        if read > markup.MAX_TAG_CHARACTERS:
            return None
        if link is not None:
            return Step(read, markup.A_LINK)
        closing, name = match.group(1), match.group(2).lower()
        if name in markup.SILENT_TAGS and not closing and not match.group().endswith("/>"):
            return self._silent(read, f"</{match.group(2)}>")
        if name in markup.ROLE_OPENINGS:
            return self._silent(read, markup.ROLE_OPENINGS[name], read_end=False)
        return Step(read, "\n" if name in markup.BREAKING_TAGS else "")

    # At the start of a line

    def _line(self, text: str, at: int, final: bool) -> Step | None:
        """A marker at the line's start; after one there may be another (`> - item`)."""
        first = text[at]
        if first in " \t>":
            return Step(1)
        if first == "#":
            return _whole_or_open(markup.HEADING, markup.OPEN_HEADING, text, at, final)
        if first == "|":
            return self._table_row(text, at, final)
        if first.isdigit():
            return self._list_number_read(text, at, final)
        rule = _line_match(markup.RULE_LINE, text, at, final)
        if rule is not None:
            return Step(rule)
        return _whole_or_open(markup.BULLET, markup.OPEN_BULLET_OR_RULE, text, at, final)

    def _list_number_read(self, text: str, at: int, final: bool) -> Step | None:
        match = markup.LIST_NUMBER.match(text, at)
        if match is None:
            return _open(markup.OPEN_LIST_NUMBER.match(text, at), final)
        number = int(match.group(1))
        if number != 1 and number != self._list_number + 1:
            return None
        self._list_number = number
        return Step(len(match.group()))

    def _table_row(self, text: str, at: int, final: bool) -> Step:
        rule = _line_match(markup.TABLE_RULE, text, at, final)
        if rule is not None:
            return Step(rule)
        if markup.OPEN_TABLE_RULE.match(text, at) and not final:
            return WITHHELD
        self._in_table_row, self._line_start = True, False
        return Step(1)

    # Inside a line

    def _table_cell_end(self, text: str, at: int, final: bool) -> Step | None:
        if not self._in_table_row:
            return None
        end = _end(markup.TABLE_CELL_END, text, at)
        if end == len(text) and not final:
            return WITHHELD
        return Step(end - at, "" if end == len(text) or text[end] == "\n" else ", ")

    def _table_space(self, text: str, at: int, final: bool) -> Step | None:
        if not self._in_table_row:
            return None
        end = _end(markup.SPACES, text, at)
        if end == len(text) and not final:
            return WITHHELD
        return Step(end - at) if end == len(text) or text[end] == "|" else None

    def _bracket(self, text: str, at: int, final: bool) -> Step:
        token = _line_match(markup.BRACKETED_TOKEN, text, at, final)
        if token is not None:
            return Step(token)
        undecided = markup.OPEN_BRACKETED_TOKEN.match(text, at)
        if self._keeps_audio_tags:
            tag = _line_match(markup.AUDIO_TAG, text, at, final)
            if tag is not None:
                return Step(tag, text[at : at + tag])
            undecided = undecided or markup.OPEN_AUDIO_TAG.match(text, at)
        return _open(undecided, final) or Step(1)

    def _link_target(self, text: str, at: int, final: bool) -> Step:
        return _whole_or_open(markup.LINK_TARGET, markup.OPEN_LINK_TARGET, text, at, final) or Step(1)

    def _image(self, text: str, at: int, final: bool) -> Step | None:
        if at + 1 == len(text):
            return _open(True, final)
        return Step(1) if text[at + 1] == "[" else None

    def _code(self, text: str, at: int, final: bool) -> Step:
        if text.startswith(markup.FENCE, at):
            return self._silent(len(markup.FENCE), markup.FENCE)
        run = _run(text, at)
        return WITHHELD if at + run == len(text) and not final else Step(run)

    def _emphasis(self, text: str, at: int, final: bool) -> Step | None:
        run = _run(text, at)
        if at + run == len(text) and not final:
            return WITHHELD
        after = text[at + run : at + run + 1]
        sign, before = text[at], self._before
        if sign == "~":
            kept = run == 1
        elif sign == "_":
            kept = before.isalnum() and after.isalnum()
        else:
            kept = run == 1 and ((before.isspace() and after.isspace()) or (before.isdigit() and after.isdigit()))
        return Step(run, sign * run if kept else "")

    def _escape(self, text: str, at: int, final: bool) -> Step | None:
        if at + 1 == len(text):
            return _open(True, final)
        return Step(2, text[at + 1]) if text[at + 1] in markup.ESCAPABLE else None

    def _url(self, text: str, at: int, final: bool) -> Step | None:
        if self._before.isalnum():
            return None
        match = markup.URL.match(text, at)
        if match is None:
            rest = text[at : at + 8].lower()
            return _open(any(opening.startswith(rest) for opening in markup.URL_OPENINGS), final)
        if match.end() == len(text) and not final:
            return WITHHELD
        url = match.group().rstrip(markup.URL_TAIL)
        return Step(len(url), markup.A_LINK) if "." in url or "//" in url else None


def _open(undecided: object, final: bool) -> Step | None:
    return WITHHELD if undecided and not final else None


def _whole_or_open(whole: re.Pattern[str], opening: re.Pattern[str], text: str, at: int, final: bool) -> Step | None:
    match = whole.match(text, at)
    return Step(len(match.group())) if match else _open(opening.match(text, at), final)


def _line_match(pattern: re.Pattern[str], text: str, at: int, final: bool) -> int | None:
    """Length of a match that a character after it decides; at the reply's end a line end stands for that."""
    match = pattern.match(text + "\n" if final else text, at)
    return len(match.group()) if match else None


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _run(text: str, at: int) -> int:
    """How often the character is repeated."""
    sign, end = text[at], at
    while end < len(text) and text[end] == sign:
        end += 1
    return end - at
