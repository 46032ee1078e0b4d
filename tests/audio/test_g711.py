"""The checksums were taken from the C code of Python 3.11's `audioop`, over every possible input."""

from hashlib import sha256

import numpy as np
import pytest

from speakback.audio.g711 import Law, decode, encode

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_BYTE = bytes(range(256))


@pytest.mark.parametrize(
    ("law", "encoded", "decoded"),
    [
        (
            "ulaw",
            "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a",
            "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827",
        ),
        (
            "alaw",
            "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b",
            "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174",
        ),
    ],
)
def test_every_value_is_coded_as_the_reference_codes_it(law: Law, encoded: str, decoded: str) -> None:
    assert sha256(encode(EVERY_SAMPLE, law)).hexdigest() == encoded
    assert sha256(decode(EVERY_BYTE, law).astype("<i2").tobytes()).hexdigest() == decoded


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_a_byte_survives_decoding_and_encoding(law: Law) -> None:
    # μ-law writes zero in two ways (0x7F and 0xFF); encoding knows one.
    survived = encode(decode(EVERY_BYTE, law), law)
    assert [a for a, b in zip(EVERY_BYTE, survived, strict=True) if a != b] == ([0x7F] if law == "ulaw" else [])


@pytest.mark.parametrize(("law", "silence"), [("ulaw", 0xFF), ("alaw", 0xD5)])
def test_silence_has_its_well_known_byte(law: Law, silence: int) -> None:
    assert encode(np.zeros(3, np.int16), law) == bytes([silence] * 3)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_nothing_is_nothing(law: Law) -> None:
    assert encode(np.zeros(0, np.int16), law) == b""
    assert len(decode(b"", law)) == 0
