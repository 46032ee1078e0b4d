import pytest

from speakback.evaluate.timeline import Act, Kind, TimelineError
from speakback.evaluate.timeline_file import read_timelines
from tests.evaluate.build import ipu, talk

TALK = talk([ipu(0, 1200, act=Act.YN_QUESTION), ipu(3100, 3500, Kind.BACKCHANNEL)], [ipu(1400, 3000)])


LINE = '{"duration_ms":60000,"user":[[0,1200,"s","qy"],[3100,3500,"b"]],"agent":[[1400,3000,"s"]]}\n'


def test_lines_are_read_and_empty_ones_passed_over() -> None:
    assert list(read_timelines([LINE, "\n", LINE])) == [TALK, TALK]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"duration_ms":1000,"user":[]}',
        '{"duration_ms":1000,"user":[],"agent":[],"more":1}',
        '{"duration_ms":1000.0,"user":[],"agent":[]}',
        '{"duration_ms":true,"user":[],"agent":[]}',
        '{"duration_ms":1000,"user":{},"agent":[]}',
        '{"duration_ms":1000,"user":[[0,10]],"agent":[]}',
        '{"duration_ms":1000,"user":[[0,10,"s","qy",1]],"agent":[]}',
        '{"duration_ms":1000,"user":[[0,10.5,"s"]],"agent":[]}',
        '{"duration_ms":1000,"user":[[0,true,"s"]],"agent":[]}',
        '{"duration_ms":1000,"user":[[0,10,"x"]],"agent":[]}',
        '{"duration_ms":1000,"user":[[0,10,"s","x"]],"agent":[]}',
        '{"duration_ms":1000,"user":[[0,10,"s"],[5,20,"s"]],"agent":[]}',
        '{"duration_ms":900000000000,"user":[],"agent":[]}',
        "[" * 200_000,
    ],
)
def test_a_bad_line_is_named(line: str) -> None:
    lines = read_timelines([LINE, line])
    assert next(lines) == TALK
    with pytest.raises(TimelineError, match="line 2: "):
        next(lines)
