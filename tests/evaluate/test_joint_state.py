from speakback.evaluate.joint_state import AGENT, BOTH, NOBODY, USER, joint_state, on_grid, rounded_ms
from tests.evaluate.build import ipu, talk


def test_the_runs_of_a_conversation() -> None:
    joint = joint_state(talk([ipu(0, 1000), ipu(1900, 2500)], [ipu(1200, 2000)], 3000))
    assert joint.state.tolist() == [USER, NOBODY, AGENT, BOTH, USER, NOBODY]
    assert joint.start_ms.tolist() == [0, 1000, 1200, 1900, 2000, 2500]
    assert joint.duration_ms.tolist() == [1000, 200, 700, 100, 500, 510]


def test_times_are_rounded_to_the_grid_half_up() -> None:
    assert rounded_ms([0, 4, 5, 14, 15]).tolist() == [0, 0, 10, 10, 20]
    assert [on_grid(time_ms) for time_ms in (0, 4, 5, 14, 15)] == [0, 0, 1, 1, 2]


def test_nobody_speaks() -> None:
    assert joint_state(talk([], [], 100)).state.tolist() == [NOBODY]


def test_between_looks_at_both_neighbours() -> None:
    joint = joint_state(talk([ipu(0, 1000), ipu(1500, 2000)], [ipu(2100, 2500)], 3000))
    assert joint.duration_ms[joint.between(NOBODY, USER, USER)].tolist() == [500]
    assert joint.duration_ms[joint.between(NOBODY, USER, AGENT)].tolist() == [100]
    assert not joint.between(BOTH, USER, AGENT).any()
