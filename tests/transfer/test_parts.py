"""Parts of a multipart upload: their sizes follow from the object's, and cover it exactly."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.model.quantity import MIB, TIB
from lakebed.store.contract import Properties
from lakebed.transfer.lanes.multipart import PART, part_size
from lakebed.transfer.uploads import Begun

S3 = Properties(identity="s3")


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.integers(1, 200 * MIB), st.integers(1, 5 * TIB)))
def test_parts_cover_any_object_within_the_stores_limits(size: int) -> None:
    step = part_size(size, S3, None)
    parts = Begun("a", "etag", size, step).spans()
    assert (parts[0].start, parts[-1].end) == (0, size)
    assert all(left.end == right.start for left, right in pairwise(parts))
    assert len(parts) <= S3.max_parts
    assert all(part.size == step for part in parts[:-1])
    assert 0 < parts[-1].size <= step
    assert S3.min_part <= step <= S3.max_put


@pytest.mark.parametrize("number", [1, 10_000, 10_001])
def test_the_usual_part_grows_only_where_the_number_of_parts_demands_it(number: int) -> None:
    step = part_size(number * PART, S3, None)
    assert step == (PART if number <= 10_000 else PART + MIB)


def test_a_store_that_wants_larger_parts_gets_them() -> None:
    assert part_size(1, Properties(identity="large", min_part=64 * MIB), None) == 64 * MIB
