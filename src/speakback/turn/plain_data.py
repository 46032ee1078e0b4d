"""Frozen dataclasses to plain data (what JSON holds) and back, with nothing lost, guessed or filled in. Pure.

A dataclass becomes an object with its class name under "type" and all of its fields; an enum its value; a tuple a
list; bytes their base64; a number that JSON does not have ("nan", "inf", "-inf") its name. Reading is by the
annotations of the fields.
"""

from base64 import b64decode, b64encode
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Literal, NewType, TypeAlias, Union, get_args, get_origin, get_type_hints

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"

TYPE = "type"
"""The key of a dataclass's name; no field may be called so."""
_UNWRITTEN_NUMBERS = ("nan", "inf", "-inf")
_NOUNS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    NoneType: "null",
    bytes: "base64",
}


class PlainDataError(ValueError):
    """The data does not fit; the message names the field (`event.onset_ms`) and what it must be."""


def to_plain(value: object) -> Plain:
    """`value` as plain data. Raises `PlainDataError` for what has no such form, such as another library's number."""
    if isinstance(value, str | bool | int | None) and not isinstance(value, Enum):
        return value
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(float(value))
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        plain: dict[str, Plain] = {TYPE: type(value).__name__}
        for name in _field_names(type(value)):
            plain[name] = to_plain(getattr(value, name))
        return plain
    raise PlainDataError(f"a {type(value).__name__} cannot be written as plain data")


def from_plain(plain: object, kind: object, place: str) -> object:
    """The value of type `kind` (a type, `NewType`, union, literals, or tuple of one type) that `plain` stands for.

    Raises `PlainDataError`, which calls the data `place`.
    """
    options = _options(kind)
    dataclasses = {option.__name__: option for option in options if isinstance(option, type) and is_dataclass(option)}
    if dataclasses and isinstance(plain, dict):
        return _read_dataclass(plain, dataclasses, place)
    for option in options:
        if option is bytes and isinstance(plain, str):
            return _decoded(plain, place)
        if get_origin(option) is Literal and isinstance(plain, str) and plain in get_args(option):
            return plain
        if get_origin(option) is tuple and isinstance(plain, list):
            item_kind = get_args(option)[0]
            return tuple(from_plain(item, item_kind, f"{place}[{index}]") for index, item in enumerate(plain))
        if isinstance(option, type) and issubclass(option, Enum):
            members = {member.value: member for member in option}
            if isinstance(plain, str) and plain in members:
                return members[plain]
        elif option is float and plain in _UNWRITTEN_NUMBERS:
            return float(str(plain))
        elif type(plain) is option or (option is float and type(plain) is int):
            return plain
    raise PlainDataError(f"{place} must be {' or '.join(map(_in_words, options))}, not {plain!r:.60}")


def _decoded(text: str, place: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise PlainDataError(f"{place} must be {_NOUNS[bytes]}") from None


def _read_dataclass(plain: dict[object, object], known: dict[str, type], place: str) -> object:
    name = plain.get(TYPE)
    if not isinstance(name, str) or name not in known:
        raise PlainDataError(f"{place} must have one of these types: {', '.join(known)}; it has {name!r:.60}")
    kinds = _field_kinds(known[name])
    place_of = {field: f"{place}.{field}" for field in kinds}
    if unknown := plain.keys() - kinds.keys() - {TYPE}:
        raise PlainDataError(f"{place}, a {name}, has no field {sorted(map(str, unknown))[0]!r:.60}")
    if missing := kinds.keys() - plain.keys():
        raise PlainDataError(f"{place}, a {name}, lacks its field {min(missing)!r}")
    values = {field: from_plain(plain[field], kind, place_of[field]) for field, kind in kinds.items()}
    made: object = known[name](**values)
    return made


@cache
def _field_names(dataclass: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(dataclass))


@cache
def _field_kinds(dataclass: type) -> dict[str, object]:
    return dict(get_type_hints(dataclass))


@cache
def _options(kind: object) -> tuple[object, ...]:
    """The types that `kind` allows: unions opened, `NewType`s replaced by what they are made of."""
    if isinstance(kind, NewType):
        return _options(kind.__supertype__)
    if get_origin(kind) in (Union, UnionType):
        return tuple(option for part in get_args(kind) for option in _options(part))
    return (kind,)


def _in_words(option: object) -> str:
    if get_origin(option) is tuple:
        return "a list"
    if get_origin(option) is Literal:
        return "one of " + ", ".join(map(repr, get_args(option)))
    if isinstance(option, type) and issubclass(option, Enum):
        return "one of " + ", ".join(repr(member.value) for member in option)
    if isinstance(option, type) and is_dataclass(option):
        return f"a {option.__name__}"
    return _NOUNS[option] if isinstance(option, type) and option in _NOUNS else str(option)
