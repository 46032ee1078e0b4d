"""observe/memory.py"""

import sys
from pathlib import Path

import pytest

from speakback.observe import memory
from speakback.observe.memory import Held, resident_bytes, usable_bytes


def test_what_is_held_is_the_sum_of_its_parts() -> None:
    assert Held(heard=1, spoken=20, history=300, notices=4000).total == 4321
    assert Held().total == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_this_process_is_in_ram() -> None:
    resident, usable = resident_bytes(), usable_bytes()
    assert resident is not None
    assert usable is not None
    assert 1_000_000 < resident < usable


def test_a_containers_limit_counts_where_it_is_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CONTAINER_LIMITS", (limit, tmp_path / "none"))
    machine = usable_bytes()
    limit.write_text("1048576\n")
    assert usable_bytes() == 1_048_576
    limit.write_text("max\n")
    assert usable_bytes() == machine
