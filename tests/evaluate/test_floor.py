import pytest

from speakback.evaluate.baseline import Quantity
from speakback.evaluate.floor import fto_samples, own_samples, take_overs
from speakback.evaluate.joint_state import joint_state
from speakback.evaluate.timeline import Act, Ipu, Timeline
from tests.evaluate.build import B, ipu, talk


def samples(timeline: Timeline) -> dict[Quantity, list[int]]:
    joint = joint_state(timeline)
    return {key: value.tolist() for key, value in {**fto_samples(timeline, joint), **own_samples(joint)}.items()}


@pytest.mark.parametrize(
    ("agent", "fto_ms"),
    [
        (ipu(1250, 2000), [250]),
        (ipu(700, 2000), [-300]),
        (ipu(1000, 2000), [0]),
        (ipu(500, 900), []),
        (ipu(0, 900), []),
    ],
    ids=["gap", "overlap", "direct switch", "within the user's floor", "the user takes over"],
)
def test_floor_transfer_offsets(agent: Ipu, fto_ms: list[int]) -> None:
    timeline = talk([ipu(0, 1000)], [agent])
    taken = take_overs(timeline, joint_state(timeline))
    assert taken.fto_ms.tolist() == fto_ms
    assert taken.user_ipu.tolist() == taken.agent_ipu.tolist() == [0] * len(fto_ms)


def test_each_offset_belongs_to_its_ipus() -> None:
    timeline = talk(
        [ipu(0, 1000), ipu(5000, 6000), ipu(9000, 9500)], [ipu(1100, 1500), ipu(1900, 3000), ipu(6400, 7000)]
    )
    taken = take_overs(timeline, joint_state(timeline))
    assert list(zip(taken.fto_ms.tolist(), taken.user_ipu.tolist(), taken.agent_ipu.tolist(), strict=True)) == [
        (100, 0, 0),
        (400, 1, 2),
    ]


def test_backchannels_are_no_turns() -> None:
    found = samples(
        talk(
            [ipu(0, 1000), ipu(3000, 3300, B), ipu(9000, 9900)],
            [ipu(1200, 1500, B), ipu(3600, 4000), ipu(9950, 10_000)],
        )
    )
    assert found[Quantity.FTO] == [200, 300, 50]
    assert found[Quantity.FTO_TURN] == [50]


def test_what_is_five_seconds_off_is_no_response() -> None:
    found = samples(talk([ipu(0, 1000), ipu(9000, 10_000)], [ipu(5990, 8000), ipu(15_000, 16_000)]))
    assert found[Quantity.FTO] == [4990, 5000]
    assert found[Quantity.FTO_TURN] == [4990]


def test_offsets_are_divided_by_what_is_answered() -> None:
    found = samples(
        talk(
            [ipu(0, 1000, act=Act.WH_QUESTION), ipu(3000, 4000, act=Act.STATEMENT)], [ipu(1300, 2000), ipu(3900, 4500)]
        )
    )
    assert found[Quantity.FTO_WH_QUESTION] == [300]
    assert found[Quantity.FTO_STATEMENT] == [-100]
    assert found[Quantity.FTO_YN_QUESTION] == []
    assert (found[Quantity.GAP], found[Quantity.OVERLAP]) == ([300], [100])


def test_a_long_pause_before_the_users_last_ipu() -> None:
    user = [ipu(0, 1000), ipu(2000, 2500), ipu(6000, 6500), ipu(7490, 8000)]
    found = samples(talk(user, [ipu(2700, 3000), ipu(8100, 8500)]))
    assert found[Quantity.FTO_AFTER_LONG_PAUSE] == [200]


def test_own_pauses_and_overlaps_within_the_users_floor() -> None:
    found = samples(talk([ipu(0, 1000)], [ipu(300, 500, B), ipu(1500, 2000), ipu(2190, 2400), ipu(2600, 3000)]))
    assert found[Quantity.PAUSE] == [200]
    assert found[Quantity.WITHIN_SPEAKER_OVERLAP] == [200]
