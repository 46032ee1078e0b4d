"""Which modules a script imports, and which those import. Pure."""

import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(
    r"^(?:import\s*|(?:import|export)\b[^;'\"]*?\bfrom\s*)['\"](?P<path>\.[^'\"]+)['\"]", re.MULTILINE
)  # fmt: skip
"""A static import, or an export from elsewhere, by a relative path; such statements begin their lines."""


def imports(name: str, source: str) -> tuple[str, ...]:
    """The paths of the modules that the one of that name imports, all from the same folder."""
    folder = posixpath.dirname(name)
    return tuple(posixpath.normpath(posixpath.join(folder, found["path"])) for found in _IMPORT.finditer(source))


def needed_by(entry: str, sources: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of the entry and of all that it needs before it runs, nearest first, as far as they are there."""
    found = [entry] if entry in sources else []
    for name in found:
        found.extend(
            dict.fromkeys(path for path in imports(name, sources[name]) if path in sources and path not in found)
        )
    return tuple(found)
