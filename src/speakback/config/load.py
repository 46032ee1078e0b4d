"""Reads the configuration: defaults, then speakback.toml, then the environment, then the command line.

Read by hand rather than with pydantic-settings, because every value keeps its origin and every problem is reported at
once, each with the place where it stands.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from speakback.config.catalogue import COMMON_VARIABLES, KEYS, SECTIONS, VARIABLE_PREFIX, VARIABLES, Key
from speakback.config.contradictions import contradictions
from speakback.config.refusals import ConfigError, refused_value, unknown_key, unknown_section, unknown_variable
from speakback.config.section import Section
from speakback.config.sections import Settings

DEFAULT_FILE = Path("speakback.toml")
FILE_VARIABLE = "SPEAKBACK_CONFIG"
CALLER_KEY_VARIABLE = "SPEAKBACK_API_KEY"
"""The caller's key (`speakback call`, `speakback doctor --url`): no setting, though it may lie beside some."""

_KUBERNETES_LINK = re.compile(
    r"SPEAKBACK_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""Kubernetes sets these in every pod beside a service named speakback; they are no settings and no mistake."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from; `place` is the file's path, the variable's or option's name, empty for a default."""

    kind: Literal["default", "file", "environment", "command line"]
    place: str = ""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The effective settings; `origins` has every key by dotted name; `path` is the file that was read."""

    settings: Settings
    origins: Mapping[str, Origin]
    path: Path | None


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as it was found, not checked yet."""

    value: object
    origin: Origin

    def place(self, key: Key) -> str:
        return f"{self.origin.place}, {key.dotted}" if self.origin.kind == "file" else self.origin.place


def load_settings(
    path: Path | None, environ: Mapping[str, str], options: Mapping[str, object] | None = None
) -> LoadedSettings:
    """Read, check and merge all sources; later ones win: file, environment, command line.

    `path` is what `--config` names; without it SPEAKBACK_CONFIG counts, then speakback.toml in the working directory
    if there is one. `options` holds what a command line sets, by dotted name; a `None` in it is not given.
    Raises `ConfigError` with every problem found. Reads the file; call it before the event loop runs.
    """
    file = _chosen_file(path, environ)
    problems: list[str] = []
    given = _from_file(file, problems) if file is not None else {}
    given |= _from_environment(environ, problems)
    given |= {
        name: _Given(value, Origin("command line", f"--{KEYS[name].name.replace('_', '-')}"))
        for name, value in (options or {}).items()
        if value is not None
    }
    sections = {name: _checked_section(name, model, given, problems) for name, model in SECTIONS.items()}
    sound = {name: section for name, section in sections.items() if section is not None}
    if len(sound) < len(sections):
        raise ConfigError(problems)
    settings = Settings.model_validate(sound)
    if problems := problems + contradictions(settings):
        raise ConfigError(problems)
    origins = {name: given[name].origin if name in given else Origin("default") for name in KEYS}
    return LoadedSettings(settings, origins, file)


def _chosen_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    if path is not None:
        return path
    if named := environ.get(FILE_VARIABLE):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def _from_file(path: Path, problems: list[str]) -> dict[str, _Given]:
    given: dict[str, _Given] = {}
    for section, table in _read_toml(path).items():
        if section not in SECTIONS:
            problems.append(unknown_section(str(path), section))
        elif not isinstance(table, dict):
            problems.append(f"{path}, {section}: must be a table; write [{section}] and its keys below.")
        else:
            for name, value in table.items():
                key = KEYS.get(f"{section}.{name}")
                place = f"{path}, {section}.{name}"
                if key is None:
                    problems.append(unknown_key(place, section, name))
                elif key.is_environment_only:
                    problems.append(
                        f"{place}: may be set only by the variable {key.variable}; in a file, put the hash that "
                        "`speakback key` prints into server.api_key_hashes."
                    )
                else:
                    given[key.dotted] = _Given(value, Origin("file", str(path)))
    return given


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file."]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror})."]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text."]) from None
    except tomllib.TOMLDecodeError as error:  # its message names line and column
        raise ConfigError([f"{path}: is not valid TOML: {error}."]) from None


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, _Given]:
    given = {
        key.dotted: _Given(_parsed_text(key, environ[name]), Origin("environment", name))
        for name, key in COMMON_VARIABLES.items()
        if environ.get(name)
    }
    for name, text in environ.items():
        if not name.startswith(VARIABLE_PREFIX) or _is_no_setting(name, text):
            continue
        key = VARIABLES.get(name)
        if key is None:
            problems.append(unknown_variable(name))
        else:
            given[key.dotted] = _Given(_parsed_text(key, text), Origin("environment", name))
    return given


def _is_no_setting(name: str, text: str) -> bool:
    return name in (FILE_VARIABLE, CALLER_KEY_VARIABLE) or _is_kubernetes_link(name, text)


def _is_kubernetes_link(name: str, text: str) -> bool:
    is_port_url = name == "SPEAKBACK_PORT" and text.startswith(("tcp://", "udp://", "sctp://"))
    return is_port_url or _KUBERNETES_LINK.fullmatch(name) is not None


def _parsed_text(key: Key, text: str) -> object:
    """The value that a variable's text stands for; what cannot be read stays text, for the check to refuse.

    Texts stand as they are, lists are separated by commas, everything else is written as in TOML. An empty text
    un-sets a key that may be unset and empties a list.
    """
    if not text and key.may_be_unset:
        return None
    if key.is_list:
        return [part.strip() for part in text.split(",")] if text else []
    if key.is_text:
        return text
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text


def _checked_section(
    section: str, model: type[Section], given: Mapping[str, _Given], problems: list[str]
) -> Section | None:
    keys = {name: KEYS[f"{section}.{name}"] for name in model.model_fields}
    values = {name: given[key.dotted].value for name, key in keys.items() if key.dotted in given}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for name in dict.fromkeys(str(detail["loc"][0]) for detail in error.errors(include_input=False)):
            culprit = given[keys[name].dotted]
            problems.append(refused_value(culprit.place(keys[name]), keys[name], culprit.value))
        return None
