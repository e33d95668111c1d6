"""A report is what the rows of the ledger say, in either database."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, update

from lakebed.database.tables import objects, operations
from lakebed.database.transaction import writing
from lakebed.model.operation import OperationState
from lakebed.model.report import Report
from lakebed.operations import story
from lakebed.operations.ledger import Ledger
from lakebed.operations.owner import Owner
from lakebed.operations.throughput import BINS, Group, spread
from tests.operations.conftest import REQUEST, Clock

START = 1_700_000_000.0


def row(key: str, **told: object) -> dict[str, object]:
    """A small object that was copied, and what is told otherwise."""
    usual: dict[str, object] = {
        "key": key.encode(),
        "action": "copy",
        "state": "done",
        "size": 100,
        "lane": "whole",
        "proof": "etag-md5",
        "error": None,
        "message": None,
        "attempts": 1,
        "seconds": 0.01,
        "finished": START + 1.0,
    }
    return usual | told


def told(ledger: Ledger, rows: list[dict[str, object]], **operation: object) -> Report:
    operation_id = ledger.create(REQUEST)
    with writing(ledger.engine) as connection:
        values = {"state": "completed", "started": START, "finished": START + 10} | operation
        connection.execute(update(operations).where(operations.c.id == operation_id).values(values))
        if rows:
            connection.execute(insert(objects), [one | {"operation": operation_id} for one in rows])
    return ledger.report(operation_id)


def mixed(count: int = 500) -> list[dict[str, object]]:
    """Every state, sizes from nothing to gigabytes, times from nothing to seconds."""
    states = ("done", "done", "done", "deleted", "failed", "quarantined", "pending")
    return [
        row(
            f"k{number:04}",
            state=states[number % 7],
            size=0 if number % 50 == 0 else 2 ** (number % 34) + number,
            seconds=number % 11 * 0.37,
            attempts=None if states[number % 7] == "pending" else 1 + number % 3,
            finished=START + number % 97 / 9.7,
            error=("changed", "throttled")[number % 2] if number % 7 in (4, 5) else None,
            message=f"k{number:04}: it broke",
        )
        for number in range(count)
    ]


def test_the_bins_of_each_histogram_add_up_to_what_arrived(ledger: Ledger) -> None:
    rows = mixed()
    report = told(ledger, rows)
    arrived = [one for one in rows if one["state"] in ("done", "deleted")]
    for bins in (report.throughput, report.sizes, report.durations):
        assert sum(one.objects for one in bins) == len(arrived) == report.summary.copied
        assert sum(one.bytes for one in bins) == report.summary.bytes == report.bytes


def test_each_object_is_in_the_bin_of_its_size_and_of_its_time(ledger: Ledger) -> None:
    rows = mixed()
    report = told(ledger, rows)
    arrived = [one for one in rows if one["state"] in ("done", "deleted")]
    for name, bins in (("size", report.sizes), ("seconds", report.durations)):
        values = [float(str(one[name])) for one in arrived]
        assert [one.objects for one in bins] == [
            sum(one.start <= value < one.end for value in values) for one in bins
        ]


def test_an_object_is_counted_when_it_was_done_and_its_bytes_while_it_moved(
    ledger: Ledger,
) -> None:
    rows = [
        row("large", size=1000, seconds=5.0, finished=START + 10.0),
        row("small", size=7, seconds=0.01, finished=START + 0.1),
    ]
    bins = told(ledger, rows).throughput
    assert len(bins) == 40
    assert [number for number, one in enumerate(bins) if one.objects] == [0, 39]
    assert bins[0].bytes == 7
    assert all(one.bytes == 0 for one in bins[1:20])
    assert [one.bytes for one in bins[20:]] == [50] * 20


def test_a_clock_that_was_set_back_counts_at_the_start(ledger: Ledger) -> None:
    report = told(ledger, [row("a", finished=START - 50.0), row("b", finished=START + 1.0)])
    assert sum(one.objects for one in report.throughput) == 2
    assert report.throughput[0].objects == 1


def test_a_long_operation_has_no_more_bins_than_a_plot_shows(ledger: Ledger) -> None:
    report = told(ledger, [row("a", finished=START + 86_400.0, seconds=3_600.0)])
    assert len(report.throughput) == BINS
    assert report.throughput[-1].end == pytest.approx(86_400.0)


def test_refusals_are_counted_by_cause_with_the_first_keys_as_examples(ledger: Ledger) -> None:
    rows = mixed()
    causes = told(ledger, rows).causes
    expected = Counter(
        (one["error"], one["state"]) for one in rows if one["state"] in ("failed", "quarantined")
    )
    assert {(one.error, one.state.value): one.objects for one in causes} == expected
    assert [one.objects for one in causes] == sorted(expected.values(), reverse=True)
    for cause in causes:
        keys = [
            one["key"] for one in rows if (one["error"], one["state"]) == (cause.error, cause.state)
        ]
        assert [example.key.encode() for example in cause.examples] == keys[: story.EXAMPLES]
        assert all("it broke" in example.message for example in cause.examples)


def test_the_slowest_come_first_and_attempts_are_counted(ledger: Ledger) -> None:
    rows = mixed()
    report = told(ledger, rows)
    times = sorted(
        (float(str(one["seconds"])) for one in rows if one["state"] in ("done", "deleted")),
        reverse=True,
    )
    assert [slow.seconds for slow in report.slowest] == times[: story.SLOWEST]
    settled = [one["attempts"] for one in rows if one["state"] != "pending"]
    assert report.attempts == Counter(settled)


def test_what_was_verified_is_what_arrived_and_what_was_deleted_is_not(ledger: Ledger) -> None:
    report = told(
        ledger,
        [row("a", action="verify", lane=None), row("b", action="delete", state="deleted", size=0)],
    )
    assert (report.objects, report.bytes, report.summary.deleted) == (1, 100, 1)
    assert report.slowest[0].lane is None


def test_an_operation_without_objects_has_a_report(ledger: Ledger) -> None:
    report = told(ledger, [])
    assert (report.throughput, report.sizes, report.slowest, report.causes) == ((), (), (), ())
    assert report.objects == 0


def test_one_that_runs_still_tells_how_far_it_is(ledger: Ledger, clock: Clock) -> None:
    operation_id = ledger.create(REQUEST)
    assert ledger.report(operation_id).summary.state is OperationState.QUEUED
    report = told(
        ledger,
        [row("a"), row("b", state="pending", attempts=None)],
        state="running",
        finished=None,
        run_started=START,
        lease_until=clock.now + 30,
        owner=str(Owner.current()),
    )
    assert report.finished is None
    assert (report.summary.pending, report.objects, report.told) == (1, 1, clock.now)


def test_pairs_in_quarantine_come_with_their_evidence_until_they_are_released(
    ledger: Ledger, engine: Engine
) -> None:
    from lakebed.database.tables import quarantines
    from lakebed.operations.quarantine import release

    entry = {"source": "binance:data", "key": b"spot/a.zip", "source_etag": "e"}
    more = {"digest_etag": "d", "evidence": '{"expected": "1"}', "operation": "OLD", "at": START}
    with writing(engine) as connection:
        connection.execute(insert(quarantines), [entry | more])
    halves = [row(key, state="quarantined") for key in ("a.zip", "a.zip.CHECKSUM", "b.zip")]
    (found,) = told(ledger, halves, state="quarantined").quarantines
    assert (str(found.location), found.expected) == ("binance:data/spot/a.zip", "1")
    assert datetime.fromtimestamp(found.since, UTC).year == 2023
    release(engine)
    assert told(ledger, halves).quarantines == ()


def test_a_report_is_by_the_prefix_of_an_id_as_everywhere(ledger: Ledger) -> None:
    operation_id = ledger.create(REQUEST)
    assert ledger.report(operation_id[:12].lower()).summary.operation_id == operation_id


# --- a law ---------------------------------------------------------------------------------------

SOME = st.lists(
    st.tuples(
        st.floats(0, 99.9),  # when it was done
        st.floats(0, 120),  # how long it took
        st.integers(0, 2**43),
    ),
    max_size=30,
)


@given(SOME)
def test_spread_bytes_add_up_and_none_is_negative(moved: list[tuple[float, float, int]]) -> None:
    count, width = 40, 2.5
    bins = spread([_group(*one, count=count, width=width) for one in moved], count, width)
    assert len(bins) == count
    assert sum(one.objects for one in bins) == len(moved)
    assert sum(one.bytes for one in bins) == sum(size for _, _, size in moved)
    assert all(one.bytes >= 0 for one in bins)


def _group(done: float, took: float, size: int, *, count: int, width: float) -> Group:
    begun = done - took
    rate = size / took if took else 0.0
    first, last = (min(max(int(at // width), 0), count - 1) for at in (begun, done))
    return Group(first, last, 1, size, rate, rate * begun)
