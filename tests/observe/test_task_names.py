"""Every task that a server begins says in its name what it is (observe/population.py): what lives is counted by it."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("gateway", "observe", "providers", "session", "vad")
"""Whose tasks live beside conversations."""


def nameless(source: str) -> list[int]:
    """The lines that begin a task without a name."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "create_task"
        and not any(keyword.arg == "name" for keyword in call.keywords)
    ]


def test_no_task_of_a_server_is_nameless() -> None:
    package = ROOT / "src" / "speakback"
    files = [path for room in ROOMS for path in (package / room).rglob("*.py")]
    assert files
    found = {str(path.relative_to(package)): nameless(path.read_text(encoding="utf-8")) for path in files}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_nameless_task_is_found() -> None:
    assert nameless("asyncio.create_task(f())\ng.create_task(f(), name='x')") == [1]
