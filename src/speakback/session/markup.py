"""What counts as markup in a model's text, as data. The rules that use it are in `speakable`."""

import re

THINKING_TAGS = frozenset(
    {"think", "thinking", "thought", "thoughts", "reasoning", "reflection", "analysis", "scratchpad"}
)
"""Tags whose whole content is not for the user's ears."""

MACHINE_TAGS = frozenset({"tool_call", "tool_response", "function_call", "script", "style", "svg", "math"})
"""Tags whose content is for machines."""

SILENT_TAGS = THINKING_TAGS | MACHINE_TAGS

BREAKING_TAGS = frozenset({"br", "p", "div", "li", "ul", "ol", "tr", "table", "hr", "h1", "h2", "h3", "h4", "h5", "h6"})
"""Tags that part words: they leave a line break."""

TAG = re.compile(r"</?([A-Za-z][\w-]*)(\s+[\w:-]+\s*=[^<>\n]*|\s*)/?>\Z")
"""A whole tag; anything else between angle brackets, as in `a <b and c> d`, is text."""

MAX_TAG_CHARACTERS = 300

LINK_IN_BRACKETS = re.compile(r"<(https?://|mailto:)[^<>\s]*>\Z")

SPECIAL_TOKEN = re.compile(r"<\|[^|<>\s]{1,40}\|>")
PARTIAL_SPECIAL_TOKEN = re.compile(r"<\|[^|<>\s]{0,40}\|?\Z")

BRACKETED_TOKEN = re.compile(r"\[/?(?:[A-Z][A-Z_]*|\d+)\]")
"""`[INST]`, `[TOOL_CALLS]`, and footnote marks such as `[1]`."""
PARTIAL_BRACKETED_TOKEN = re.compile(r"\[/?(?:[A-Z][A-Z_]{0,20}|\d{0,4})\Z")

CHANNEL = "<|channel|>"
MESSAGE = "<|message|>"
SPOKEN_CHANNELS = frozenset({"final"})
CHANNEL_ENDS = ("<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|channel|>")

ROLE_OPENINGS = {"<|im_start|>": "\n", "<|start_header_id|>": "<|end_header_id|>", "<|start|>": "<|"}
"""Special tokens that a role's name follows, and what ends the name."""

URL_OPENINGS = ("https://", "http://", "www.")
URL_ENDS = re.compile(r"[\s<>\[\]\"*|]")
URL_TAIL = ".,;:!?)'_"
"""Signs at the end of a URL that belong to the sentence around it."""

A_LINK = "a link"

LIST_BULLETS = "-*+•◦‣"
LIST_NUMBER = re.compile(r"(\d{1,2})[.)][ \t]")
PARTIAL_LIST_NUMBER = re.compile(r"\d{1,2}[.)]?\Z")
RULE_SIGNS = "-*_="
HEADING = re.compile(r"#{1,6}[ \t]")
PARTIAL_HEADING = re.compile(r"#{1,6}\Z")
TABLE_RULE = re.compile(r"\|[ \t:|-]*(?=\n)")
PARTIAL_TABLE_RULE = re.compile(r"\|[ \t:|-]*\Z")

EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u231b\u23e9-\u23fa\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]"
)

ESCAPABLE = "\\`*_{}[]()#+-.!|~<>"
