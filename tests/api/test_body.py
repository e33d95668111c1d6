"""An operation of the command line as a request, and back again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.api.body import plan_body, sync_body, verify_body
from lakebed.api.requests import MOST_KEYS
from lakebed.errors import UsageError
from lakebed.model.location import Location
from lakebed.model.operation import (
    Compare,
    Filters,
    InventoryFile,
    KeyFile,
    Kind,
    Mode,
    OnChange,
    Options,
    Request,
    ServerSide,
)
from lakebed.model.quantity import GIB, MIB, MIN_BANDWIDTH

SOURCE, DESTINATION = Location("here", "b", "p/"), Location("", "d")
GLOBS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
MOMENTS = st.none() | st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))
SIZES = st.none() | st.integers(0, 2**63 - 1)
COUNTS = st.none() | st.integers(0, 2**31 - 1)
FILTERS = st.builds(
    Filters,
    patterns=st.lists(st.tuples(st.booleans(), GLOBS), max_size=5).map(tuple),
    min_size=SIZES,
    max_size=SIZES,
    newer=MOMENTS,
    older=MOMENTS,
    keys=st.none() | st.lists(GLOBS, max_size=5).map(tuple),
)
OPTIONS = st.builds(
    Options,
    filters=FILTERS,
    compare=st.sampled_from(Compare),
    ignore_existing=st.booleans(),
    delete_source=st.booleans(),
    on_change=st.sampled_from(OnChange),
    mode=st.sampled_from(Mode),
    server_side=st.sampled_from(ServerSide),
    concurrency=st.none() | st.integers(1, 256),
    memory=st.integers(10, 1024).map(lambda size: size * MIB),
    part_size=st.just(5 * MIB),
    bandwidth=st.none() | st.integers(MIN_BANDWIDTH, 2**63 - 1),
    extra_reads=st.booleans(),
    retries=st.integers(0, 1000),
    max_errors=COUNTS,
    fail_fast=st.booleans(),
    max_duration=st.none() | st.floats(0.001, 1e6),
    tags=st.booleans(),
    storage_class=st.sampled_from(["", "STANDARD_IA"]),
    sse=st.sampled_from(["", "aws:kms"]),
)


@given(OPTIONS)
def test_what_is_asked_of_an_executor_is_what_was_typed(options: Options) -> None:
    request = Request(SOURCE, DESTINATION, Kind.SYNC, options)
    assert sync_body(request).request(GIB) == request
    assert plan_body(request).request(GIB) == request
    kept = replace(options, delete_source=False)
    verify = replace(request, kind=Kind.VERIFY, options=kept)
    assert verify_body(verify).request(GIB) == verify


@given(COUNTS)
def test_what_is_to_be_deleted_is_asked_for_too(most: int | None) -> None:
    options = Options(delete=True, max_delete=most, part_size=5 * MIB)
    request = Request(SOURCE, DESTINATION, options=options)
    assert sync_body(request).request(GIB) == request


def test_a_body_survives_its_way() -> None:
    request = Request(SOURCE, DESTINATION, options=Options(part_size=5 * MIB))
    body = sync_body(request)
    assert type(body).model_validate_json(body.model_dump_json(exclude_unset=True)) == body


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (Options(inventory=InventoryFile("i", "0")), "--inventory with --executor"),
        (Options(filters=Filters(keys_file=KeyFile("k", "0"))), "at most 10,000 keys"),
        (Options(filters=Filters(keys=("k",) * (MOST_KEYS + 1))), "at most 10,000 keys"),
        (Options(part_size=6 * MIB + 1), "whole MiB"),
        (Options(concurrency=257), "configuration.max_concurrent|max_concurrent: "),
        (Options(filters=Filters(patterns=((True, "a"),) * 101)), "patterns: "),
    ],
)
def test_what_has_no_meaning_there_is_refused_with_one_line(
    options: Options, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint) as raised:
        sync_body(Request(SOURCE, DESTINATION, options=options))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "ends", [(SOURCE, Location("file", "/a")), (Location("file", "/a"), SOURCE)]
)
def test_folders_of_this_machine_are_not_those_of_the_executor(
    ends: tuple[Location, Location],
) -> None:
    with pytest.raises(UsageError, match="does not see the folders of this machine"):
        sync_body(Request(*ends))
