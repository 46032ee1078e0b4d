"""observe/processor.py"""

import threading

import pytest

from speakback.observe.processor import (
    CpuReading,
    MachineTime,
    core_count,
    cpu_reader,
    machine_time_in,
    shares,
)

STAT = """\
cpu  130 0 60 900 40 5 15 50 10 0
cpu0 100 0 50 400 20 5 10 15 10 0
cpu1 30 0 10 500 20 0 5 35 0 0
cpu10 1 1 1 1 1 1 1 1 1 1
intr 1 2 3
"""


def reading(at_s: float, loop_s: float, process_s: float, machine: MachineTime | None = None) -> CpuReading:
    return CpuReading(at_s, loop_s, process_s, machine)


def test_shares_are_of_one_core_and_of_all() -> None:
    found = shares(reading(0, 1, 2, MachineTime(10, 100)), reading(2, 2, 5, MachineTime(60, 300)), cores=4)
    assert found.loop == 0.5
    assert found.process == 0.375
    assert found.machine == 0.25


def test_no_time_or_no_figures_are_no_share() -> None:
    assert shares(reading(1, 1, 1), reading(1, 2, 2), cores=1).loop == 0
    assert shares(reading(0, 0, 0), reading(1, 0, 0), cores=1).machine is None


def test_a_share_is_no_more_than_all() -> None:
    found = shares(reading(0, 0, 0), reading(1, 1.01, 3), cores=2)
    assert (found.loop, found.process) == (1, 1)


def test_the_machine_is_the_processors_that_may_be_used() -> None:
    assert machine_time_in(STAT, frozenset({0})) == MachineTime(busy=180, all=600)
    assert machine_time_in(STAT, frozenset({0, 1})) == MachineTime(busy=260, all=1200)
    assert machine_time_in(STAT, frozenset()) is None


def test_this_machine_tells() -> None:
    read = cpu_reader(threading.get_ident())
    first = read()
    sum(range(200_000))
    last = read()
    assert last.at_s > first.at_s
    assert last.loop_s > first.loop_s
    assert last.process_s >= last.loop_s - first.loop_s
    assert core_count() > 0


@pytest.mark.parametrize("text", ["", "cpu 1 2", "nonsense"])
def test_what_cannot_be_read_is_not_told(text: str) -> None:
    assert machine_time_in(text, frozenset({0})) is None
