"""CRCs as S3 has them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.model.checksum import Algorithm, Checksum


@pytest.mark.parametrize(
    ("algorithm", "value", "text"),
    [
        # The check values of both algorithms: of the bytes "123456789".
        (Algorithm.CRC32C, 0xE3069283, "4waSgw=="),
        (Algorithm.CRC64NVME, 0xAE8B14860A799888, "rosUhgp5mIg="),
    ],
)
def test_a_checksum_is_what_its_algorithm_says(algorithm: Algorithm, value: int, text: str) -> None:
    found = Checksum.of(algorithm, b"123456789")
    assert (found.value, str(found)) == (value, text)
    assert Checksum.parse(algorithm, text) == found


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(Algorithm), st.binary(), st.binary())
def test_the_checksum_of_a_whole_follows_from_those_of_its_pieces(
    algorithm: Algorithm, one: bytes, other: bytes
) -> None:
    combined = Checksum.of(algorithm, one).then(Checksum.of(algorithm, other), len(other))
    assert combined == Checksum.of(algorithm, memoryview(bytearray(one + other)))


@pytest.mark.parametrize("text", ["", "4waSgw==-2", "no base64", "4waSgwAA"])
def test_what_is_no_checksum_of_a_whole_is_none(text: str) -> None:
    assert Checksum.parse(Algorithm.CRC32C, text) is None
