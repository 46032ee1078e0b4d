"""The shape of an exchange: its keys, types, nulls, orders, codes and header names, but no values. Pure.

Made of recorded frames, so that it can be made of saved ones too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from speakback.emulators.contracts.reading import ABSENT, context_of, kind_of, parsed
from speakback.emulators.contracts.recording import Frame

Facts: TypeAlias = Mapping[str, frozenset[str]]
"""What is to be said of each place of an exchange, such as `audio.alignment.chars[]`: `string`."""

HEADERS = "header names"
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the live exchange is not like the emulator's."""

    where: str
    live: str
    emulator: str

    def __str__(self) -> str:
        return f"{self.where}: live {self.live}; emulator {self.emulator}"


def differences(live: Sequence[Frame], emulator: Sequence[Frame]) -> tuple[Difference, ...]:
    """All, but not what follows from another: the fields of an object that one side does not have."""
    theirs, ours = facts(live), facts(emulator)
    found: list[Difference] = []
    for where in sorted(theirs.keys() | ours.keys()):
        one, other = theirs.get(where, frozenset()), ours.get(where, frozenset())
        if one == other or (not (one and other) and any(_is_within(where, known.where) for known in found)):
            continue
        if where.endswith(HEADERS):
            one, other = one - other, other - one
        found.append(Difference(where, _shown(one), _shown(other)))
    return tuple(found)


def _is_within(where: str, outer: str) -> bool:
    return where.startswith((f"{outer}.", f"{outer}["))


def _shown(values: frozenset[str]) -> str:
    return " or ".join(sorted(values, key=lambda value: (value in ("null", "absent"), value))) or NOTHING


def facts(frames: Sequence[Frame]) -> Facts:
    """Of what the service sent."""
    received = [frame for frame in frames if frame.direction == "received"]
    numbers = sorted({frame.connection for frame in frames})
    made: dict[str, frozenset[str]] = {}
    for number in numbers:
        prefix = f"connection {number}: " if len(numbers) > 1 else ""
        of_one = _facts_of_connection([frame for frame in received if frame.connection == number])
        made |= {prefix + where: what for where, what in of_one}
    return made


def _facts_of_connection(frames: Sequence[Frame]) -> Iterator[tuple[str, frozenset[str]]]:
    values: dict[str, list[object]] = {}
    orders: dict[str, list[str]] = {}
    for frame in frames:
        if frame.kind == "head":
            yield from _head(frame.text)
        elif frame.kind == "close":
            code, _, reason = frame.text.partition(" ")
            yield "close", frozenset({f"{code} {'with a' if reason else 'without'} reason"})
        elif frame.kind == "body":
            values.setdefault("body", []).append(parsed(frame.text))
        else:
            kind, context, value = _message(frame)
            values.setdefault(kind, []).append(value)
            order = orders.setdefault("order" if context is None else f"order in {context}", [])
            if order[-1:] != [kind]:
                order.append(kind)
    for where, order in orders.items():
        yield where, frozenset({", ".join(order)})
    for kind, several in values.items():
        yield from types_of(several, kind)


def _head(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    first, *lines = text.split("\n")
    yield "status", frozenset({first})
    yield HEADERS, frozenset(line.partition(":")[0] for line in lines)


def _message(frame: Frame) -> tuple[str, str | None, object]:
    """Its kind, its context, and its JSON."""
    if frame.kind == "message":
        value = parsed(frame.text)
        return kind_of(value), context_of(value), value
    fields = dict(line.partition(":")[::2] for line in frame.text.split("\n"))
    data = fields.get("data", "").strip()
    name = fields.get("event", "").strip()
    named = f"event {name}: " if name else ""
    if data == "[DONE]":
        return f"{named}[DONE]", None, data
    value = parsed(data)
    return named + kind_of(value), None, value


def types_of(values: Sequence[object], where: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The types found at a place in several values of one kind, then those of all places within them."""
    yield where, _merged({_type(value) for value in values})
    objects = [value for value in values if isinstance(value, Mapping)]
    for key in sorted({str(key) for one in objects for key in one}):
        inner = f"{where}.{key}"
        made = dict(types_of([one[key] for one in objects if key in one], inner))
        if not all(key in one for one in objects):
            made[inner] |= {"absent"}
        yield from made.items()
    within = [item for value in values if isinstance(value, list) for item in value]
    if within:
        yield from types_of(within, f"{where}[]")


def _merged(types: set[str]) -> frozenset[str]:
    """0 and 0.5 are numbers; where all are whole, they are integers."""
    return frozenset(types - {"integer"} if "number" in types else types)


def _type(value: object) -> str:
    if value is None:
        return "null"
    if value is ABSENT:
        return "not JSON"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
