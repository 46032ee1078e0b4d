"""gateway/binary.py"""

import pytest

from speakback.gateway.binary import AudioFrame, BadFrame, Kind, pack, unpack


def test_a_frame_survives_the_way_there_and_back() -> None:
    frame = AudioFrame(Kind.USER_AUDIO, 70_000, b"\x01\x02\x03\x04")
    assert unpack(pack(frame)) == frame


def test_the_header_is_laid_out_as_documented() -> None:
    assert pack(AudioFrame(Kind.AGENT_AUDIO, 258, b"\xff\x7f")) == b"\x01\x02\x00\x00\x02\x01\x00\x00\xff\x7f"


def test_the_sequence_number_wraps() -> None:
    assert unpack(pack(AudioFrame(Kind.AGENT_AUDIO, 2**32 + 5, b""))).sequence == 5


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x01\x01\x00", "header of 8 bytes"),
        (b"\x02\x01\x00\x00\x00\x00\x00\x00", "version must be 1"),
        (b"\x01\x07\x00\x00\x00\x00\x00\x00", "kind must be"),
        (b"\x01\x01\x01\x00\x00\x00\x00\x00", "flags and channel"),
        (b"\x01\x01\x00\x01\x00\x00\x00\x00", "flags and channel"),
    ],
)
def test_bytes_that_are_no_frame_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(BadFrame, match=said):
        unpack(data)
