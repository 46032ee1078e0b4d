from dataclasses import replace

import pytest

from speakback.evaluate.timeline import Act, Ipu, Kind, Timeline, TimelineError, ipus_from_voice, joined
from tests.evaluate.build import ipu, talk


@pytest.mark.parametrize(
    ("user", "duration_ms", "message"),
    [
        ([ipu(100, 100)], 1000, "user IPU 0 .* ends before it begins"),
        ([ipu(100, 300), ipu(299, 400)], 1000, "user IPU 1 .* begins before 300 ms"),
        ([ipu(500, 600), ipu(100, 200)], 1000, "user IPU 1 .* begins before 600 ms"),
        ([ipu(-1, 600)], 1000, "user IPU 0 .* begins before 0 ms"),
        ([ipu(100, 1001)], 1000, "outside of a conversation of 1000 ms"),
        ([], 0, "cannot last 0 ms"),
    ],
)
def test_a_side_that_is_no_side_is_refused(user: list[Ipu], duration_ms: int, message: str) -> None:
    with pytest.raises(TimelineError, match=message):
        talk(user, [], duration_ms)


def test_the_agent_is_checked_as_well() -> None:
    with pytest.raises(TimelineError, match="agent IPU 0"):
        talk([], [ipu(5, 4)])


def test_swapped_twice_is_the_same() -> None:
    timeline = talk([ipu(0, 1000)], [ipu(1200, 1500, Kind.BACKCHANNEL)])
    assert timeline.swapped().user == timeline.agent
    assert timeline.swapped().swapped() == timeline


def test_a_side_whose_pauses_are_not_known_cannot_be_the_users() -> None:
    with pytest.raises(TimelineError, match="cannot be the user's"):
        Timeline(1000, (), (), agent_pauses_known=False).swapped()


def test_a_backchannel_that_joins_speech_is_speech() -> None:
    speech, backchannel = ipu(0, 100, act=Act.STATEMENT), ipu(150, 300, Kind.BACKCHANNEL)
    assert joined([speech, backchannel]) == (ipu(0, 300),)
    assert joined([replace(backchannel, start_ms=0, end_ms=50), ipu(100, 300, act=Act.OPINION)]) == (
        ipu(0, 300, act=Act.OPINION),
    )
    assert joined([backchannel, replace(backchannel, end_ms=200)]) == (backchannel,)


def test_voice_is_joined_over_less_than_200_ms() -> None:
    assert ipus_from_voice([(0, 100), (299, 400), (600, 700)]) == (Ipu(0, 400), Ipu(600, 700))


def test_voice_may_come_in_any_order_and_overlap() -> None:
    assert ipus_from_voice([(600, 2000), (0, 1000), (700, 800)]) == (Ipu(0, 2000),)


def test_voice_that_does_not_last_is_refused() -> None:
    with pytest.raises(TimelineError, match="from 5 to 5 ms"):
        ipus_from_voice([(5, 5)])


def test_no_voice_is_no_ipu() -> None:
    assert ipus_from_voice([]) == ()
    assert Timeline(10, (), ()).user == ()
