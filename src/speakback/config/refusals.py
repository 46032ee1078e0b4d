"""Why a configuration is refused: the error, and the sentences of single keys."""

import difflib
import json
from collections.abc import Iterable, Sequence

from speakback.config.catalogue import KEYS, SECTIONS, VARIABLES, Key

_LONGEST_QUOTE = 80


class ConfigError(Exception):
    """The configuration is refused. `problems` holds every reason found, a sentence each, without secrets."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["The configuration is refused:", *(f"  - {problem}" for problem in problems)]))


def refused_value(place: str, key: Key, given: object) -> str:
    """The value at `place` is of the wrong type or out of range."""
    return f"{place}: must be {key.allowed}{_quoted(given) if key.is_quotable else ' (the value given is not shown)'}."


def unknown_section(place: str, name: str) -> str:
    return f"{place}: there is no section [{name}]; {_nearest(name, SECTIONS, 'section')}."


def unknown_key(place: str, section: str, name: str) -> str:
    """The section exists, the key does not: the nearest one in it, else the nearest one anywhere."""
    own_names = [key.name for key in KEYS.values() if key.section == section]
    if near := difflib.get_close_matches(name, own_names, n=1):
        return f"{place}: there is no such key; the nearest known one is {section}.{near[0]}."
    elsewhere = [key.dotted for key in KEYS.values() if key.name == name]
    nearest = elsewhere[0] if elsewhere else _closest(f"{section}.{name}", KEYS)
    return f"{place}: there is no such key; the nearest known one is {nearest}."


def unknown_variable(name: str) -> str:
    return f"{name}: no setting belongs to this variable; {_nearest(name, VARIABLES, 'variable')}."


def _nearest(name: str, known: Iterable[str], noun: str) -> str:
    return f"the nearest known {noun} is {_closest(name, known)}"


def _closest(name: str, known: Iterable[str]) -> str:
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)[0]


def _quoted(given: object) -> str:
    text = json.dumps(given, ensure_ascii=False, default=str)
    return f", not {text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + '…'}"
