"""All keys by name, with what can be said of each: derived from the section models, never written twice."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from speakback.config.section import Allowed, AlsoVariable, EnvironmentOnly, NeverQuoted, Section
from speakback.config.sections import Settings

VARIABLE_PREFIX = "SPEAKBACK_"

Marker = TypeVar("Marker")


def _alternatives(annotation: object) -> list[object]:
    """The plain types that `annotation` allows: unions and `Annotated` opened, containers left whole."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [plain for part in get_args(annotation) for plain in _alternatives(part)]
    return [annotation]


def _item_types(container: object) -> list[object]:
    """The plain types of the items of a list type; none for any other type."""
    return _alternatives(get_args(container)[0]) if get_origin(container) is tuple else []


def _markers(annotation: object) -> list[object]:
    """What `Annotated` adds anywhere within the alternatives of `annotation`."""
    found: list[object] = []
    if get_origin(annotation) is Annotated:
        first, *added = get_args(annotation)
        found = [*added, *_markers(first)]
    elif get_origin(annotation) in (Union, types.UnionType):
        found = [marker for part in get_args(annotation) for marker in _markers(part)]
    return found


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration."""

    section: str
    name: str
    field: FieldInfo

    @property
    def dotted(self) -> str:
        """Its name in messages: `server.port`."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it: `SPEAKBACK_SERVER__PORT`."""
        return f"{VARIABLE_PREFIX}{self.section}__{self.name}".upper()

    @property
    def also_variable(self) -> str | None:
        """A variable of another name that sets it as well: `GROQ_API_KEY`."""
        return next((marker.name for marker in self._all_markers() if isinstance(marker, AlsoVariable)), None)

    @property
    def default(self) -> object:
        return self.field.get_default(call_default_factory=True, validated_data={})

    @property
    def description(self) -> str:
        also = f" Also set by {self.also_variable}." if self.also_variable else ""
        return (self.field.description or "") + also

    @property
    def may_be_unset(self) -> bool:
        return type(None) in _alternatives(self.field.annotation)

    @property
    def is_list(self) -> bool:
        return any(get_origin(plain) is tuple for plain in _alternatives(self.field.annotation))

    @property
    def is_text(self) -> bool:
        """A variable's text is the value as it stands, not a number or table to be read."""
        plain_types = _alternatives(self.field.annotation)
        return any(plain in (str, Path, SecretStr) or get_origin(plain) is Literal for plain in plain_types)

    @property
    def is_secret(self) -> bool:
        """Its value is never shown, however it is set."""
        return any(SecretStr in (plain, *_item_types(plain)) for plain in _alternatives(self.field.annotation))

    @property
    def is_quotable(self) -> bool:
        """Whether a refused value may be repeated in a message."""
        return not self.is_secret and not self._has(NeverQuoted)

    @property
    def is_environment_only(self) -> bool:
        return self._has(EnvironmentOnly)

    @property
    def allowed(self) -> str:
        """What the key accepts, in words: `a whole number from 0 to 65535`."""
        for marker in self._all_markers():
            if isinstance(marker, Allowed):
                return marker.text
        return _in_words(_alternatives(self.field.annotation), self._all_markers())

    def _all_markers(self) -> list[object]:
        return [*self.field.metadata, *_markers(self.field.annotation)]

    def _has(self, kind: type[Marker]) -> bool:
        return any(isinstance(marker, kind) for marker in self._all_markers())


def _in_words(plain_types: list[object], markers: list[object]) -> str:
    for plain in plain_types:
        if get_origin(plain) is Literal:
            return " or ".join(f'"{choice}"' for choice in get_args(plain))
    if bool in plain_types:
        return "true or false"
    if float in plain_types or int in plain_types:
        noun = "a number" if float in plain_types else "a whole number"
        return f"{noun} {_bounds_in_words(markers)}".strip()
    if any(isinstance(marker, MinLen) for marker in markers) or SecretStr in plain_types:
        return "a text that is not empty"
    return "a text"


def _bounds_in_words(markers: list[object]) -> str:
    lowest, above, highest, below = "", "", "", ""
    for marker in markers:
        match marker:
            case Ge(ge=bound):
                lowest = str(bound)
            case Gt(gt=bound):
                above = f"above {bound}"
            case Le(le=bound):
                highest = str(bound)
            case Lt(lt=bound):
                below = f"below {bound}"
            case _:
                pass
    if lowest and highest:
        return f"from {lowest} to {highest}"
    lower = f"of at least {lowest}" if lowest else above
    upper = f"of at most {highest}" if highest else below
    return " and ".join(filter(None, (lower, upper)))


def _section_models() -> dict[str, type[Section]]:
    return {name: type(field.default) for name, field in Settings.model_fields.items()}


SECTIONS: Mapping[str, type[Section]] = _section_models()
"""Every section's model, by name, in the order of the documentation."""

KEYS: Mapping[str, Key] = {
    key.dotted: key
    for section, model in SECTIONS.items()
    for key in (Key(section, name, field) for name, field in model.model_fields.items())
}
"""Every key, by dotted name, in the order of the documentation."""

VARIABLES: Mapping[str, Key] = {key.variable: key for key in KEYS.values()}
"""Every key, by environment variable."""

COMMON_VARIABLES: Mapping[str, Key] = {key.also_variable: key for key in KEYS.values() if key.also_variable is not None}
"""Some keys, by the variable that everyone uses for them."""
