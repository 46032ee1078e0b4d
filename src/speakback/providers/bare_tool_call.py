"""Tool calls that small models write as plain text, without the marks their template asks for. Pure.

Qwen2.5-Coder answers `{"name": "get_weather", "arguments": {"city": "Paris"}}`, bare or in a code fence.
Read aloud it would be noise. So a reply that opens with a brace is held back until it is either such a call
to a tool that exists, or plainly not.
"""

import json
import re
from dataclasses import dataclass

MAX_HELD_CHARACTERS = 8000
"""Longer than any sensible call: what is held by then is text after all."""

_OPENING = re.compile(r"\A\s*(?:```(?:json)?\s*)?(?:<tool_call>\s*)?")
_OPENING_PIECES = ("```json", "json", "<tool_call>")


@dataclass(frozen=True, slots=True)
class BareToolCall:
    """A call found in the text; `arguments` is a JSON object as text."""

    name: str
    arguments: str


class BareToolCallReader:
    """Tells a reply's text from a call written as its very first words. Without tools all is text."""

    def __init__(self, tool_names: frozenset[str]) -> None:
        self._tool_names = tool_names
        self._held = ""
        self._deciding = bool(tool_names)

    def push(self, text: str) -> str | BareToolCall:
        """Take more of the reply; give what is known to be text (often none yet), or the call."""
        if not self._deciding:
            return text
        self._held += text
        body = _OPENING.sub("", self._held, count=1)
        if not body.startswith("{"):
            undecided = any(piece.startswith(body) for piece in _OPENING_PIECES)
            return "" if undecided and len(self._held) <= MAX_HELD_CHARACTERS else self.finish()
        call = self._call_in(body)
        if call is not None:
            self._held, self._deciding = "", False
            return call
        return self.finish() if self._refuted(body) else ""

    def finish(self) -> str:
        """The reply has ended, or is not a call: what was held back, to be taken as text."""
        held, self._held, self._deciding = self._held, "", False
        return held

    def _call_in(self, body: str) -> BareToolCall | None:
        if "}" not in body:
            return None
        try:
            value, _ = json.JSONDecoder().raw_decode(body)
        except json.JSONDecodeError:
            return None
        match value:
            case {"name": str(name), "arguments": dict(arguments)} if name in self._tool_names:
                return BareToolCall(name, json.dumps(arguments, ensure_ascii=False))
        return None

    def _refuted(self, body: str) -> bool:
        """No continuation makes it a call: too long, or a whole JSON value that is something else."""
        if len(self._held) > MAX_HELD_CHARACTERS:
            return True
        try:
            json.JSONDecoder().raw_decode(body)
        except json.JSONDecodeError:
            return False
        return True
