"""Writes docs/configuration.md and speakback.example.toml from the settings themselves.

From the project's root: `python -m speakback.config.pages`. A test holds both files to what this would write.
"""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

from speakback.config.catalogue import KEYS, SECTIONS, Key

PAGE_PATH = Path("docs/configuration.md")
EXAMPLE_PATH = Path("speakback.example.toml")

_PAGE_HEAD = """\
# Configuration

<!-- Written by `python -m speakback.config.pages`; change src/speakback/config/ instead. -->

Nothing needs to be configured. Values are taken from, later ones winning:

1. the defaults below;
2. `speakback.toml` in the working directory, or the file named by `--config` or `SPEAKBACK_CONFIG`
   (`speakback.example.toml` shows every key);
3. environment variables, `SPEAKBACK_SECTION__KEY`;
4. options of the command, such as `--port`.

`speakback config` shows the effective values and where each came from. Unknown keys and variables, wrong types and
values out of range are refused, all at once, each with its place. Secrets are never printed.

In a variable, text is written as it stands, a list is separated by commas, and everything else is written as in TOML.
An empty variable un-sets a key that may be unset. Paths may begin with `~` and are relative to the working directory.

With no API key configured the server is open and binds to loopback only. `speakback key` makes a key and prints the
line for `speakback.toml`, which holds only the key's hash.
"""

_EXAMPLE_HEAD = """\
# Every setting of Speakback with its default, or with an example where nothing is set by default.
# Copy this file to speakback.toml and remove the # before a key to change it.
# Any key can also be set by an environment variable, SPEAKBACK_SECTION__KEY, which wins over this file.
# `speakback config` shows the effective values and where each came from.
"""


def configuration_page() -> str:
    """The text of docs/configuration.md."""
    return _PAGE_HEAD + "".join(_page_section(section) for section in SECTIONS)


def example_file() -> str:
    """The text of speakback.example.toml: every key commented out; with all `#` before keys removed it is valid."""
    return _EXAMPLE_HEAD + "".join(_example_section(section) for section in SECTIONS)


def _keys_of(section: str) -> Iterator[Key]:
    return (key for key in KEYS.values() if key.section == section)


def _page_section(section: str) -> str:
    lines = [
        "",
        f"## [{section}]",
        "",
        _summary(section),
        "",
        "| key | default | accepts | meaning |",
        "|---|---|---|---|",
    ]
    for key in _keys_of(section):
        default = "not set" if key.default is None else f"`{_toml(key.default)}`"
        name = f"`{key.variable}` only" if key.is_environment_only else f"`{key.name}`"
        lines.append(f"| {name} | {default} | {key.allowed} | {key.description} |")
    return "\n".join([*lines, ""])


def _example_section(section: str) -> str:
    lines = ["", f"# {_summary(section)}", f"[{section}]"]
    for key in _keys_of(section):
        note = f"{key.description} Accepts {key.allowed}."
        lines += ["", *textwrap.wrap(note, 118, initial_indent="# ", subsequent_indent="# ")]
        if key.is_environment_only:
            lines.append(f"# Set only by the variable {key.variable}.")
        else:
            lines.append(f"#{key.name} = {_toml(_sample(key))}")
    return "\n".join([*lines, ""])


def _summary(section: str) -> str:
    return (SECTIONS[section].__doc__ or "").splitlines()[0]


def _sample(key: Key) -> object:
    """The default; where that is "not set", the key's example, so that the line is valid TOML."""
    if key.default is not None:
        return key.default
    if not key.field.examples:
        raise LookupError(f"{key.dotted} has no default and no example")
    return key.field.examples[0]


def _toml(value: object) -> str:
    """JSON and TOML write the numbers, strings and lists used here alike; tables are empty by default."""
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    PAGE_PATH.write_text(configuration_page(), encoding="utf-8")
    EXAMPLE_PATH.write_text(example_file(), encoding="utf-8")
