"""What a table of speakback.toml is made of: the model all share, and what can be said of a key besides its type."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


@dataclass(frozen=True, slots=True)
class Allowed:
    """Says in words what a key accepts, where type and range do not say it."""

    text: str


@dataclass(frozen=True, slots=True)
class NeverQuoted:
    """A refused value is not repeated in the message: it may be a secret put in the wrong place."""


@dataclass(frozen=True, slots=True)
class EnvironmentOnly:
    """Refused in a file: the plain secret should not lie on a disk where a hash would do."""


@dataclass(frozen=True, slots=True)
class AlsoVariable:
    """Set by this variable as well, the name that everyone uses; the one with our prefix counts for more."""

    name: str


def _expand_home(path: Path) -> Path:
    return Path(os.path.expanduser(path))


def _fit_for_a_header(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if " " in text or not (text.isascii() and text.isprintable()):
        raise ValueError("no HTTP header can carry this key")
    return key


FilePath = Annotated[Path, Field(strict=False), AfterValidator(_expand_home), Allowed("a path")]
KeyText = Annotated[SecretStr, Field(min_length=1)]
ServiceKey = Annotated[
    KeyText, AfterValidator(_fit_for_a_header), Allowed("a key, in ASCII and without spaces or line breaks")
]
"""A key that is sent, not received."""
KeyHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Threads = Annotated[int, Field(ge=1, le=64)]


class Section(BaseModel):
    """One table of speakback.toml."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )
