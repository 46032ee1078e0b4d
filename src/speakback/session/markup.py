"""What counts as markup in a model's text, as data. The rules that use it are in `speakable`.

An `OPEN_…` pattern matches all that is unread where more text may still make the construct; its pair matches the
construct once nothing can change it any more.
"""

import re

SILENT_TAGS = frozenset(
    {"think", "thinking", "thought", "thoughts", "reasoning", "reflection", "analysis", "scratchpad"}
    | {"tool_call", "tool_response", "function_call", "script", "style", "svg", "math"}
)
"""Tags whose whole content is for no ears: thinking, and what is meant for machines."""

BREAKING_TAGS = frozenset({"br", "p", "div", "li", "ul", "ol", "tr", "table", "hr", "h1", "h2", "h3", "h4", "h5", "h6"})
"""Tags that part words: a line break is left of them."""

MAX_TAG_CHARACTERS = 300
TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)(?:\s+[^<>\n=]+=[^<>\n]*|\s*)/?>")
"""With attributes or none; other things between angle brackets (`a <b and c> d`) are text."""
OPEN_TAG = re.compile(r"</?(?:[A-Za-z][^<>\n]*)?\Z")
LINK_IN_BRACKETS = re.compile(r"<(?:https?://|mailto:)[^<>\s]*>")
COMMENT, COMMENT_END = "<!--", "-->"

SPECIAL_TOKEN = re.compile(r"<[|｜][^|｜<>\s]{1,40}[|｜]>|<</?SYS>>")
OPEN_SPECIAL_TOKEN = re.compile(r"<(?:[|｜](?:[^|｜<>\s]{0,40}[|｜]?)?|</?S?Y?S?>?)?\Z")
ROLE_OPENINGS = {"<|im_start|>": "\n", "<|start_header_id|>": "<|", "<|start|>": "<|", "start_of_turn": "\n"}
"""Special tokens and tags that the name of a role follows, and where that ends."""

CHANNEL, CHANNEL_TEXT = "<|channel|>", "<|message|>"
SPOKEN_CHANNEL = "final"
CHANNEL_ENDS = ("<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|channel|>")

BRACKETED_TOKEN = re.compile(
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|THINK|PAD|UNK|BOS|EOS|CLS|SEP|\d{1,3})\](?=[^(])"
)
"""`[INST]` and its like, and footnote marks such as `[1]`; but not where a link's address follows."""
OPEN_BRACKETED_TOKEN = re.compile(r"\[/?[A-Z_\d]{0,20}\]?\Z")

AUDIO_TAG = re.compile(r"\[[A-Za-z][A-Za-z ,'’-]{0,39}\](?=[^(])")
OPEN_AUDIO_TAG = re.compile(r"\[(?:[A-Za-z][A-Za-z ,'’-]{0,39}\]?)?\Z")
"""`[laughs]`: a direction to a voice that performs it; but not the text of a link."""

LINK_TARGET = re.compile(r"\]\((?:[^()\n]|\([^()\n]*+\))*+\)")
OPEN_LINK_TARGET = re.compile(r"\](?:\((?:[^()\n]|\([^()\n]*+\))*+(?:\([^()\n]*+)?)?\Z")

URL = re.compile(r"(?:https?://|www\.)[^\s<>\[\]\"*|`]*", re.IGNORECASE)
URL_OPENINGS = ("https://", "http://", "www.")
URL_TAIL = ".,;:!?)'_"
"""Signs at the end of a URL that belong to the sentence around it."""
A_LINK = "a link"

HEADING = re.compile(r"#{1,6}[ \t]")
OPEN_HEADING = re.compile(r"#{1,6}\Z")
BULLET = re.compile(r"[-*+•◦‣](?:[ \t]|(?=\n))")
RULE_LINE = re.compile(r"([-*_=])\1{2,}[ \t]*(?=\n)")
OPEN_BULLET_OR_RULE = re.compile(r"(?:[+•◦‣]|([-*_=])\1*|([-*_=])\2{2,}[ \t]*)\Z")
LIST_NUMBER = re.compile(r"(\d{1,2})[.)][ \t]")
OPEN_LIST_NUMBER = re.compile(r"\d{1,2}[.)]?\Z")
TABLE_RULE = re.compile(r"\|[ \t]*:?-[-:| \t]*(?=\n)")
OPEN_TABLE_RULE = re.compile(r"\|[ \t]*(?::?(?:-[-:| \t]*)?)?\Z")
TABLE_CELL_END = re.compile(r"\|[ \t]*")
SPACES = re.compile(r"[ \t]+")

FENCE = "```"
ESCAPABLE = frozenset("\\`*_{}[]()#+-.!|~<>")

EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]"
)
