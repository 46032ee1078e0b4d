import pytest

from speakback.evaluate.encounters import cut_ins, meetings, onsets
from speakback.evaluate.timeline import Ipu
from tests.evaluate.build import B, ipu, talk


def test_every_pair_that_overlaps_meets() -> None:
    met = meetings(talk([ipu(0, 2000), ipu(3000, 5000)], [ipu(1500, 3400), ipu(4000, 4400), ipu(5000, 6000)]))
    assert [(m.overlap_ms, m.agent_began) for m in met] == [(500, True), (400, False), (400, True)]


def test_backchannels_meet_nobody() -> None:
    assert meetings(talk([ipu(0, 2000), ipu(3000, 4000, B)], [ipu(500, 900, B), ipu(3000, 4000)])) == ()


def test_in_a_draw_the_agent_began() -> None:
    assert [m.agent_began for m in meetings(talk([ipu(0, 1000)], [ipu(0, 1000)]))] == [True]


@pytest.mark.parametrize(
    ("start_ms", "counts"),
    [(200, (1, 0, 0)), (201, (0, 0, 1)), (1499, (0, 0, 1)), (1500, (0, 1, 0)), (1999, (0, 1, 0))],
)
def test_how_an_overlap_begins(start_ms: int, counts: tuple[int, int, int]) -> None:
    met = meetings(talk([ipu(0, 2000)], [ipu(start_ms, 3000)]))
    began = onsets(met, by_agent=True)
    assert (began.simultaneous, began.terminal, began.interruptions) == counts
    assert onsets(met, by_agent=False).after_ms.size == 0


def test_an_interruption_that_outlasts_the_other_takes_the_floor() -> None:
    agent = [ipu(0, 3000), ipu(10_000, 13_000)]
    by_user = onsets(meetings(talk([ipu(2200, 4000), ipu(11_000, 12_000)], agent)), by_agent=False)
    assert by_user.interruptions == 2
    assert by_user.yield_times_ms().tolist() == [800]


@pytest.mark.parametrize(
    ("user", "agent", "expected"),
    [
        ([ipu(0, 1000), ipu(2000, 3000)], ipu(1400, 2500), 1),
        ([ipu(0, 1000), ipu(2400, 3000)], ipu(1400, 2500), 1),
        ([ipu(0, 1000), ipu(2401, 3000)], ipu(1400, 2500), 0),
        ([ipu(0, 1000), ipu(2000, 3000)], ipu(1400, 2000), 0),
        ([ipu(0, 1000), ipu(2000, 3000)], ipu(999, 2500), 0),
        ([ipu(0, 1000), ipu(4000, 5000)], ipu(3500, 4500), 0),
        ([ipu(0, 1000, B), ipu(2000, 3000)], ipu(1400, 2500), 0),
        ([ipu(0, 1000), ipu(2000, 3000)], ipu(1400, 2500, B), 0),
        ([ipu(0, 1000)], ipu(1400, 2500), 0),
        ([ipu(2000, 3000)], ipu(1400, 2500), 0),
    ],
    ids=[
        "cuts in",
        "resumes just in time",
        "resumes too late",
        "was over",
        "began in the speech",
        "long silence",
        "after a backchannel",
        "a backchannel",
        "no resumption",
        "no speech before",
    ],
)
def test_cut_ins(user: list[Ipu], agent: Ipu, expected: int) -> None:
    assert cut_ins(talk(user, [agent])) == expected
