import pytest

from speakback.audio.sent_order import SentOrder


def went_back() -> SentOrder:
    """0 to 100 went out, then 60 to 160, then 150 on."""
    order = SentOrder()
    order.go_back(100, 60)
    order.go_back(200, 150)
    return order


@pytest.mark.parametrize(
    ("sent", "reached"), [(0, 0), (70, 70), (100, 100), (120, 100), (150, 110), (200, 160), (205, 160), (230, 180)]
)
def test_the_furthest_made_position(sent: int, reached: int) -> None:
    assert went_back().made_reached(sent) == reached


@pytest.mark.parametrize(
    ("made", "sent", "positions"),
    [(30, 300, [30]), (70, 300, [70, 110]), (155, 300, [195, 205]), (70, 90, [70]), (70, 60, []), (999, 300, [])],
)
def test_a_made_position_may_go_out_twice(made: int, sent: int, positions: list[int]) -> None:
    assert went_back().sent_positions(made, sent) == positions


def test_joints_are_where_it_went_back() -> None:
    assert (SentOrder().joints(), went_back().joints()) == ([], [100, 200])
