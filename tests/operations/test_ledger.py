from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from lakebed.errors import (
    BucketMissing,
    LeaseLost,
    LedgerError,
    OperationError,
    UnknownOperation,
)
from lakebed.model.location import Location
from lakebed.model.operation import Counters, Filters, Kind, OperationState, Options, Request
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.operation import new_id
from lakebed.operations.request_json import dump_request, load_request
from tests.operations.conftest import REQUEST, Clock

_MOMENTS = st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]))
_FILTERS = st.builds(
    Filters,
    patterns=...,
    min_size=...,
    max_size=...,
    newer=_MOMENTS,
    older=_MOMENTS,
    keys=...,
)
_OPTIONS = st.builds(
    Options,
    filters=_FILTERS,
    inventory=...,
    compare=...,
    delete=...,
    max_delete=...,
    on_change=...,
    mode=...,
    memory=...,
    max_duration=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    storage_class=...,
)
_LOCATIONS = st.builds(Location, path=...)
_REQUESTS = st.builds(Request, _LOCATIONS, _LOCATIONS, kind=..., options=_OPTIONS)


def run(ledger: Ledger, clock: Clock, request: Request = REQUEST) -> Lease:
    """A new operation that runs."""
    return Lease.acquire(ledger.engine, ledger.create(request), clock)


@settings(deadline=None, max_examples=60)
@given(_REQUESTS)
def test_a_request_survives_the_ledger_without_loss(wish: Request) -> None:
    assert load_request(dump_request(wish)) == wish
    assert "\0" not in dump_request(wish)


def test_a_request_that_nobody_here_understands_is_refused_by_name() -> None:
    strange = dump_request(replace(REQUEST, kind=Kind.VERIFY)).replace("verify", "dig")
    with pytest.raises(LedgerError, match="kind: the ledger holds a request"):
        load_request(strange)


def test_a_request_of_an_older_lakebed_takes_the_defaults_of_today() -> None:
    text = '{"source":{"store":"a","bucket":"b"},"destination":{"store":"c","bucket":"d"}}'
    assert load_request(text) == Request(Location("a", "b"), Location("c", "d"))


def test_a_new_operation_is_queued_and_found_by_its_id(ledger: Ledger, clock: Clock) -> None:
    operation_id = ledger.create(REQUEST)
    operation = ledger.get(operation_id)
    assert operation.request == REQUEST
    assert operation.state is OperationState.QUEUED
    assert operation.created == clock.now
    assert (operation.cursor, operation.counters) == ("", Counters())
    assert ledger.summary(operation_id).seconds == 0


def test_an_operation_is_found_by_the_beginning_of_its_id_in_any_case(ledger: Ledger) -> None:
    operation_id = ledger.create(REQUEST)
    assert ledger.get(operation_id[:5].lower()).id == operation_id


@pytest.mark.parametrize("prefix", ["", "9", "%", "_"])
def test_an_id_that_no_operation_has_is_unknown(ledger: Ledger, prefix: str) -> None:
    ledger.create(REQUEST)
    with pytest.raises(UnknownOperation, match="no such operation"):
        ledger.get(prefix)


def test_a_beginning_that_two_ids_share_is_refused(ledger: Ledger) -> None:
    first, second = ledger.create(REQUEST), ledger.create(REQUEST)
    assert first[:9] == second[:9]
    with pytest.raises(UnknownOperation, match="write more"):
        ledger.get(first[:9])


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 4e9), st.floats(0.001, 1e9))
def test_ids_sort_by_time(now: float, later: float) -> None:
    assert new_id(now) < new_id(now + later + 0.001)
    assert len(new_id(now)) == 16


def test_operations_are_listed_newest_first(ledger: Ledger, clock: Clock) -> None:
    ids = []
    for _ in range(3):
        ids.append(ledger.create(REQUEST))
        clock.now += 1
    assert [o.id for o in ledger.list()] == ids[::-1]
    assert [o.id for o in ledger.list(limit=1)] == ids[2:]
    Lease.acquire(ledger.engine, ids[1], clock)
    assert [o.id for o in ledger.list(OperationState.RUNNING)] == [ids[1]]


def test_a_run_ends_with_its_state_its_time_and_its_error(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    clock.now += 7
    error = BucketMissing("no such bucket \0", subject="lake:raw")
    ledger.finish(lease.operation_id, lease.fence, OperationState.FAILED, error)
    operation = ledger.get(lease.operation_id)
    assert (operation.state, operation.finished) == (OperationState.FAILED, clock.now)
    summary = ledger.summary(lease.operation_id)
    assert (summary.error, summary.message) == ("bucket-missing", "lake:raw: no such bucket \\x00")
    assert summary.seconds == 7


def test_a_run_cannot_end_in_a_state_that_may_not_follow(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    ledger.finish(lease.operation_id, lease.fence, OperationState.COMPLETED)
    with pytest.raises(OperationError, match="completed and cannot become failed"):
        ledger.finish(lease.operation_id, lease.fence, OperationState.FAILED)


def test_a_run_that_was_taken_over_cannot_end_the_operation(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    clock.now += 60
    Lease.acquire(ledger.engine, lease.operation_id, clock)
    with pytest.raises(LeaseLost):
        ledger.finish(lease.operation_id, lease.fence, OperationState.COMPLETED)
    assert ledger.get(lease.operation_id).state is OperationState.RUNNING


def test_the_time_between_two_runs_is_not_counted(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    clock.now += 5
    ledger.finish(lease.operation_id, lease.fence, OperationState.INTERRUPTED)
    clock.now += 1000
    Lease.acquire(ledger.engine, lease.operation_id, clock)
    clock.now += 2
    assert ledger.summary(lease.operation_id).seconds == 7
    assert ledger.get(lease.operation_id).started == clock.now - 1007


def test_a_killed_run_is_seen_as_interrupted_once_its_lease_is_over(
    ledger: Ledger, clock: Clock
) -> None:
    lease = run(ledger, clock)
    assert [one.id for one in ledger.list(OperationState.RUNNING)] == [lease.operation_id]
    assert ledger.list(OperationState.INTERRUPTED) == []
    clock.now += 1000
    assert ledger.list(OperationState.RUNNING) == []
    [killed] = ledger.list(OperationState.INTERRUPTED)
    assert killed == ledger.get(lease.operation_id)
    assert ledger.summary(lease.operation_id).state is OperationState.INTERRUPTED
    assert ledger.list(OperationState.INTERRUPTED, limit=0) == []


def test_a_killed_run_counts_up_to_its_last_sign_of_life(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    clock.now += 5
    lease.renew()
    clock.now += 1000
    assert ledger.summary(lease.operation_id).seconds == 5
    Lease.acquire(ledger.engine, lease.operation_id, clock)
    assert ledger.summary(lease.operation_id).seconds == 5


def test_a_queued_operation_is_cancelled_at_once(ledger: Ledger) -> None:
    operation_id = ledger.create(REQUEST)
    assert ledger.request_cancel(operation_id) is OperationState.CANCELLED
    assert ledger.get(operation_id).state is OperationState.CANCELLED


def test_a_running_operation_is_asked_to_stop(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    assert ledger.request_cancel(lease.operation_id) is OperationState.RUNNING
    assert ledger.get(lease.operation_id).cancel_requested
    assert lease.renew()


def test_an_operation_that_was_killed_is_cancelled_at_once(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    clock.now += 60
    assert ledger.request_cancel(lease.operation_id) is OperationState.CANCELLED
    with pytest.raises(LeaseLost):
        lease.renew()


def test_what_has_ended_is_not_cancelled(ledger: Ledger, clock: Clock) -> None:
    lease = run(ledger, clock)
    ledger.finish(lease.operation_id, lease.fence, OperationState.COMPLETED)
    with pytest.raises(OperationError):
        ledger.request_cancel(lease.operation_id)


def test_capabilities_are_remembered_for_a_while(ledger: Ledger, clock: Clock) -> None:
    assert ledger.get_capabilities("lake", "raw", 60) is None
    ledger.put_capabilities("lake", "raw", '{"copy": false}')
    ledger.put_capabilities("lake", "raw", '{"copy": true}')
    clock.now += 60
    assert ledger.get_capabilities("lake", "raw", 60) == '{"copy": true}'
    assert ledger.get_capabilities("lake", "other", 60) is None
    clock.now += 1
    assert ledger.get_capabilities("lake", "raw", 60) is None


def test_a_database_that_fails_raises_our_own_error(engine: Engine, ledger: Ledger) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE objects"))
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.summary(ledger.create(REQUEST))
