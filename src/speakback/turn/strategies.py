"""The named strategies, and how single keys of one are overridden."""

import difflib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TypeAlias, TypeVar, cast

from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.drafts import Drafts
from speakback.turn.endpointing import CalibratedEndpointing, FixedEndpointing, SemanticEndpointing
from speakback.turn.limits import contradictions, out_of_range

Value: TypeAlias = int | float | bool | str
_D = TypeVar("_D")

STRATEGIES: dict[str, TurnConfig] = {
    "half-duplex": TurnConfig(endpointing=FixedEndpointing(wait_ms=700), barge_in=BargeIn.NEVER),
    "rapid-duplex": TurnConfig(
        endpointing=SemanticEndpointing(sure_ms=260, doubtful_ms=800, unscored_ms=600),
        barge_in=BargeIn.IMMEDIATE,
        drafts=Drafts(),
    ),
    "overlap-aware": TurnConfig(
        endpointing=CalibratedEndpointing(),
        barge_in=BargeIn.GRADED,
        drafts=Drafts(),
    ),
}


class UnknownStrategy(ValueError):
    """No strategy or no key of that name, or a value that does not fit; the message names the nearest."""


def strategy(name: str, overrides: Mapping[str, Value] | None = None) -> TurnConfig:
    """The strategy `name` with some keys replaced, e.g. `{"endpointing.sure_ms": 300}`. Raises `UnknownStrategy`."""
    if name not in STRATEGIES:
        raise UnknownStrategy(_unknown("strategy", name, list(STRATEGIES)))
    config = STRATEGIES[name]
    for key, value in (overrides or {}).items():
        config = _override(config, key, key, value)
    if problem := next(contradictions(config), None):
        raise UnknownStrategy(problem)
    return config


def _override(target: _D, path: str, key: str, value: Value) -> _D:
    if not is_dataclass(target):
        raise UnknownStrategy(f"{path!r} does not name a setting of the strategy: it goes on after a plain value")
    head, _, rest = key.partition(".")
    names = [field.name for field in fields(target)]
    if head not in names:
        raise UnknownStrategy(_unknown("strategy setting", path, _keys(target, path[: len(path) - len(key)])))
    old: object = getattr(target, head)
    new = _override(old, path, rest, value) if rest else _converted(path, old, value)
    return cast(_D, replace(target, **{head: new}))  # type: ignore[type-var]


def _converted(path: str, old: object, value: Value) -> object:
    """`value` in the type of the value it replaces; a whole number may stand for a fraction."""
    if isinstance(old, Enum):
        choices = {member.value: member for member in type(old)}
        if value not in choices:
            raise UnknownStrategy(_unknown(f"value for {path}", str(value), list(choices)))
        return choices[value]
    if is_dataclass(old):
        raise UnknownStrategy(f"{path!r} is a group of settings; name one of {', '.join(_keys(old, path + '.'))}")
    if not isinstance(value, bool | str) and (problem := out_of_range(path, value)):
        raise UnknownStrategy(problem)
    if isinstance(old, float) and type(value) is int:
        return float(value)
    if type(value) is not type(old):
        raise UnknownStrategy(f"{path} must be of type {type(old).__name__}, not {type(value).__name__}")
    return value


def _keys(target: object, prefix: str) -> list[str]:
    if not is_dataclass(target):
        return [prefix.removesuffix(".")]
    return [key for field in fields(target) for key in _keys(getattr(target, field.name), f"{prefix}{field.name}.")]


def _unknown(kind: str, given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.0)
    return f"no {kind} is called {given!r}; did you mean {near[0]!r}? Known: {', '.join(known)}"
