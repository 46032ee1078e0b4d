"""The import law: pure rooms touch no clock, network, thread or chance; a room imports only from rooms above it."""

import ast
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = "speakback"

HOUSE = (
    "timebase",
    "observe",
    "config",
    "audio",
    "turn",
    "evaluate",
    "weights",
    "vad",
    "providers",
    "speakers",
    "session",
    "records",
    "emulators",
    "gateway",
    "web",
    "caller",
    "load",
    "lab",
    "supervisor",
    "cli",
    "__main__",
)
"""The rooms, top floor first. Some are not built yet."""

PURE_ROOMS = ("timebase", "audio", "turn", "evaluate")

IMPURE = frozenset({"asyncio", "time", "socket", "random", "logging", "threading", "datetime"})
"""What a pure room may not import, nor anything of ours that it imports: time is passed in, chance too."""

IMPURE_ROOMS = frozenset({"observe"})
"""Stands high in the house so that every shell may log; a pure room may not."""

SOURCE = Path(__file__).resolve().parent.parent / "src"

Imports = Mapping[str, frozenset[str]]
"""For each of our modules, the full names of what it imports, anywhere in its source."""


def read_imports(source: Path) -> Imports:
    """The imports of every module under `source`/speakback."""
    trees = {_module_name(path, source): ast.parse(path.read_bytes()) for path in source.rglob("*.py")}
    packages = {_module_name(path, source) for path in source.rglob("__init__.py")}
    return {name: frozenset(_imported(name, name in packages, tree, trees.keys())) for name, tree in trees.items()}


def _module_name(path: Path, source: Path) -> str:
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, is_package: bool, tree: ast.AST, ours: Container[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                above = name.split(".")[: len(name.split(".")) - node.level + is_package]
                origin = ".".join([*above, origin]).rstrip(".")
            for alias in node.names:
                submodule = f"{origin}.{alias.name}"
                yield submodule if submodule in ours else origin


def room_of(module: str) -> str | None:
    """The room a module of ours lies in; None for the package itself and for the modules of others."""
    parts = module.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else None


def closure(module: str, imports: Imports) -> dict[str, tuple[str, ...]]:
    """Everything `module` imports through modules of ours, each with the way that leads to it."""
    found: dict[str, tuple[str, ...]] = {}
    ahead: list[tuple[str, tuple[str, ...]]] = [(module, (module,))]
    while ahead:
        name, way = ahead.pop()
        for target in sorted(imports.get(name, frozenset()) | _parents(name)):
            if target not in found:
                found[target] = (*way, target)
                ahead.append((target, found[target]))
    return found


def _parents(module: str) -> frozenset[str]:
    """Importing a.b.c runs a and a.b first."""
    parts = module.split(".")
    return frozenset(".".join(parts[:count]) for count in range(1, len(parts)))


def impurities(imports: Imports) -> list[str]:
    """Each way by which a pure room reaches something impure."""
    return [
        " -> ".join(way)
        for module in sorted(imports)
        if room_of(module) in PURE_ROOMS
        for target, way in closure(module, imports).items()
        if target.partition(".")[0] in IMPURE or room_of(target) in IMPURE_ROOMS
    ]


def upward_imports(imports: Imports) -> list[str]:
    """Each import from a room below."""
    return [
        f"{module} imports {target}"
        for module, targets in sorted(imports.items())
        for target in sorted(targets)
        if (room := room_of(module)) and (other := room_of(target)) and HOUSE.index(other) > HOUSE.index(room)
    ]


def unknown_rooms(imports: Imports) -> list[str]:
    """Rooms that have no place in the house."""
    return sorted({room for module in imports if (room := room_of(module)) and room not in HOUSE})


def test_every_room_has_a_place_in_the_house() -> None:
    assert unknown_rooms(read_imports(SOURCE)) == []


def test_a_room_imports_only_from_rooms_above_it() -> None:
    assert upward_imports(read_imports(SOURCE)) == []


def test_pure_rooms_import_nothing_impure() -> None:
    assert impurities(read_imports(SOURCE)) == []


BREACHES = {
    "turn/a.py": ("import asyncio", "speakback.turn.a -> asyncio"),
    "turn/b.py": ("def f():\n    from time import monotonic", "speakback.turn.b -> time"),
    "audio/c.py": ("import concurrent\nfrom datetime import date as d", "speakback.audio.c -> datetime"),
    "turn/d.py": ("from ..weights import x", "speakback.turn.d -> speakback.weights -> socket"),
    "turn/e.py": ("from .. import observe", "speakback.turn.e -> speakback.observe"),
}


@pytest.mark.parametrize("path", BREACHES)
def test_a_breach_is_found(tmp_path: Path, path: str) -> None:
    text, expected = BREACHES[path]
    for room in ("turn", "audio", "weights", "observe"):
        (tmp_path / PACKAGE / room).mkdir(parents=True)
        (tmp_path / PACKAGE / room / "__init__.py").touch()
    (tmp_path / PACKAGE / "weights" / "__init__.py").write_text("import socket")
    (tmp_path / PACKAGE / path).write_text(text)
    assert expected in impurities(read_imports(tmp_path))


def test_an_upward_import_is_found() -> None:
    imports = {"speakback.turn.core": frozenset({"speakback.session.driver", "speakback.timebase"})}
    assert upward_imports(imports) == ["speakback.turn.core imports speakback.session.driver"]


def test_a_room_without_a_place_is_found() -> None:
    assert unknown_rooms({"speakback.utils": frozenset(), "speakback": frozenset()}) == ["utils"]
