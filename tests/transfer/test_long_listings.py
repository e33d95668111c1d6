"""Planning is O(1) in memory, whatever the number of objects."""

import tracemalloc
from datetime import UTC, datetime

import pytest

from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import Counters, Filters, Options
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import UNPROBED
from lakebed.store.contract import PAGE_LIMIT, Page
from lakebed.store.memory import MemoryStore
from lakebed.transfer.budget import Budget
from lakebed.transfer.plan import Planner
from lakebed.transfer.sides import Side, Sides
from tests.transfer.memory_recorder import MemoryRecorder

MOMENT = datetime(2026, 5, 8, tzinfo=UTC)
KEYS = 200_000
MIB = 1024**2


class Made(MemoryStore):
    """Makes its objects up as they are listed."""

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        if delimiter:
            return Page(())
        first = int(token or int(after.removeprefix("data/") or -1) + 1)
        last = min(first + limit, KEYS)
        made = (
            Object(f"data/{place:09}", place, f"{place:032x}", MOMENT)
            for place in range(first, last)
        )
        return Page(tuple(made), token=str(last) if last < KEYS else None)


@pytest.mark.long
@pytest.mark.parametrize("filters", [Filters(), Filters(min_size=0)], ids=["skimmed", "one by one"])
def test_a_plan_of_200_000_objects_a_side_holds_only_pages(filters: Filters) -> None:
    cancellation, options = Cancellation(), Options(filters=filters)
    source, destination = (
        Side(Made(name, buckets=["b"]), Location(name, "b", "data/"), UNPROBED) for name in "ab"
    )
    sides = Sides(source, destination, options, Budget(MIB, cancellation), cancellation)
    counters = Counters()
    tracemalloc.start()
    try:
        for step in Planner(sides, MemoryRecorder()).steps(skim=True):
            counters.add(step.counters)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (counters.listed, counters.skipped) == (KEYS, KEYS)
    # A busy machine may list in ranges, 64 pages a side; all of it would be 150 MiB.
    assert peak < 80 * MIB
