"""Objects, spans and parts."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.model.objects import Attributes, Object, Span, md5_of_etag

MOMENT = datetime(2026, 5, 8, tzinfo=UTC)


@given(st.binary())
def test_an_etag_that_is_an_md5_says_so_in_lower_case(data: bytes) -> None:
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert md5_of_etag(digest.upper()) == digest
    assert Object("a", 1, digest, MOMENT).md5 == digest


@pytest.mark.parametrize("etag", ["", "0" * 31, "0" * 33, "g" * 32, "0" * 32 + "-2", '"' * 32])
def test_any_other_etag_is_no_md5(etag: str) -> None:
    assert md5_of_etag(etag) is None


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_span_has_as_many_bytes_as_lie_between_its_ends(start: int, size: int) -> None:
    assert Span(start, start + size).size == size


def test_attributes_that_say_nothing_are_equal() -> None:
    assert Attributes() == Attributes(headers={}, metadata={}, tags={})
