import pytest

from speakback.audio.sent_order import SentOrder


def went_back() -> SentOrder:
    """0 to 100 went out, then 60 to 160, then 150 on."""
    order = SentOrder()
    order.go_back(100, 60)
    order.go_back(200, 150)
    return order


FURTHEST = [(0, 0), (70, 70), (100, 100), (120, 100), (150, 110), (200, 160), (205, 160), (230, 180)]


@pytest.mark.parametrize(("sent", "furthest"), FURTHEST)
def test_all_made_positions_up_to_the_furthest_are_reached(sent: int, furthest: int) -> None:
    reached = [made for made in range(300) if went_back().reaches(made, sent, ())]
    assert reached == list(range(furthest + 1))


@pytest.mark.parametrize(
    ("made", "lost", "is_reached"),
    [
        (30, [(20, 100)], False),
        (30, [(30, 100)], True),
        (70, [(20, 100)], True),  # it went out again
        (70, [(20, 100), (100, 200)], False),
        (90, [(90, 90)], True),
        (180, [(20, 100)], True),
    ],
)
def test_what_was_lost_each_time_is_not_reached(made: int, lost: list[tuple[int, int]], is_reached: bool) -> None:
    assert went_back().reaches(made, 230, lost) is is_reached


@pytest.mark.parametrize(
    ("made", "sent", "positions"),
    [(30, 300, [30]), (70, 300, [70, 110]), (155, 300, [195, 205]), (70, 90, [70]), (70, 60, []), (999, 300, [])],
)
def test_a_made_position_may_go_out_twice(made: int, sent: int, positions: list[int]) -> None:
    assert went_back().sent_positions(made, sent) == positions


def test_joints_are_where_it_went_back() -> None:
    assert (SentOrder().joints(), went_back().joints()) == ([], [100, 200])
