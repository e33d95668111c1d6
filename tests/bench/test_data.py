"""What is moved, and whether it arrived."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bench.check import difference
from bench.data import MIB, Archive, Dataset, large, mixed, small, tiny
from hypothesis import given
from hypothesis import strategies as st

from lakebed.model.objects import Object


@given(st.integers(0, 10**6), st.integers(0, 3 * MIB))
def test_an_archive_has_the_size_it_says(number: int, size: int) -> None:
    assert sum(map(len, Archive(number, size).chunks())) == size


def test_archives_differ_and_are_the_same_each_time() -> None:
    first, again, other = (b"".join(Archive(n, 5000).chunks()) for n in (1, 1, 2))
    assert first == again != other


def test_a_checksum_is_that_of_the_bytes() -> None:
    archive = Archive(7, 2 * MIB + 3)
    digest = hashlib.sha256(b"".join(archive.chunks())).hexdigest()
    name = archive.key.rpartition("/")[2]
    assert archive.checksum().decode() == f"{digest}  {name}\n"


@pytest.mark.parametrize("shape", [small, tiny, mixed, large])
def test_each_archive_has_a_key_of_its_own(shape: Callable[[float], Dataset]) -> None:
    dataset = shape(0.1)
    keys = {archive.key for archive in dataset.archives()}
    assert 2 * len(keys) == dataset.objects
    assert shape(0.1) == dataset


def test_a_scale_makes_small_archives_fewer_and_large_ones_smaller() -> None:
    assert small(0.01).objects == 100
    assert max(small(0.01).sizes) <= 100_000
    assert large(0.5).sizes == (128 * MIB,) * 8
    assert small(0.0).objects == 2


def test_in_a_mixed_archive_most_files_are_small_and_most_bytes_are_not() -> None:
    sizes = sorted(mixed(1.0).sizes)
    assert sizes[len(sizes) // 2] < 100_000
    assert sum(size for size in sizes if size > 2_000_000) > sum(sizes) / 2


ONE = Object("a", 1, "0" * 32, datetime(2026, 1, 1, tzinfo=UTC))


def test_equal_listings_have_no_difference() -> None:
    assert difference({}, {}) == ""
    assert difference({"a": ONE}, {"a": ONE}) == ""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "1 of 1 missing, as a"),
        ({"a": ONE, "b": ONE}, "1 of 1 too many, as b"),
        ({"a": replace(ONE, size=2)}, "1 of 1 different, as a"),
        ({"a": replace(ONE, etag="f" * 32)}, "1 of 1 different, as a"),
    ],
)
def test_what_did_not_arrive_is_told(found: dict[str, Object], said: str) -> None:
    assert difference({"a": ONE}, found) == said


def test_the_etag_of_an_upload_in_parts_tells_nothing() -> None:
    assert difference({"a": ONE}, {"a": replace(ONE, etag=f"{'f' * 32}-8")}) == ""
