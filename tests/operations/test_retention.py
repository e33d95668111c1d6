from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, text

from lakebed.database.tables import deliveries, events
from lakebed.database.transaction import reading, writing
from lakebed.errors import UnknownOperation
from lakebed.model.objects import Object
from lakebed.model.operation import (
    Action,
    Counters,
    Item,
    ObjectState,
    OperationState,
    Outcome,
    Proof,
    Unit,
)
from lakebed.operations import retention
from lakebed.operations.bulletin import Bulletin
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.news import page_of
from lakebed.operations.queue import Queue
from lakebed.operations.recorder import LedgerRecorder
from lakebed.operations.retention import forget_events, prune
from lakebed.operations.submission import Submission
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.recorder import Batch
from tests.operations.conftest import REQUEST, Clock

DAY = 86_400.0


def operate(ledger: Ledger, clock: Clock, state: OperationState | None, keys: int = 3) -> str:
    """An operation with its rows, ended in `state`, or still running."""
    operation_id = ledger.create(REQUEST)
    lease = Lease.acquire(ledger.engine, operation_id, clock)
    source = Object("spot/k", 1, "e", datetime.now(UTC))
    units = [Unit((Item(f"k{number}", Action.COPY, source),)) for number in range(keys)]
    with LedgerRecorder(REQUEST, lease, Cancellation(), clock=clock, linger=0) as recorder:
        recorder.planned(Batch(units, Counters(), "k"))
        recorder.settled([Outcome("k0", ObjectState.DONE, 1, "e", "w", None, Proof.SIZE_ONLY)])
        recorder.settled([Outcome("k1", ObjectState.QUARANTINED, 1, "e", evidence="{}")])
    if state is not None:
        ledger.finish(operation_id, lease.fence, state)
    clock.now += 1
    return operation_id


def rows_in(ledger: Ledger, table: str) -> int:
    with reading(ledger.engine) as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def test_old_operations_go_with_their_rows_and_what_they_learned_stays(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    old = operate(ledger, clock, OperationState.QUARANTINED, keys=5)
    clock.now += DAY
    new = operate(ledger, clock, OperationState.COMPLETED)
    assert prune(ledger, DAY) == 1
    assert [operation.id for operation in ledger.list()] == [new]
    assert rows_in(ledger, "objects") == 3
    assert (rows_in(ledger, "copies"), rows_in(ledger, "quarantines")) == (1, 1)
    with pytest.raises(UnknownOperation):
        ledger.get(old)
    assert prune(ledger, DAY) == 0


def test_a_running_or_queued_operation_stays_however_old(ledger: Ledger, clock: Clock) -> None:
    ids = [operate(ledger, clock, None), ledger.create(REQUEST)]
    clock.now += 1000 * DAY
    assert prune(ledger, 0) == 0
    assert [operation.id for operation in ledger.list()] == ids[::-1]


def test_an_interrupted_operation_stays_until_it_is_cancelled(ledger: Ledger, clock: Clock) -> None:
    operation_id = operate(ledger, clock, OperationState.INTERRUPTED)
    clock.now += 1000 * DAY
    assert prune(ledger, 0) == 0
    assert Lease.acquire(ledger.engine, operation_id, clock).fence == 2
    clock.now += 1000 * DAY
    ledger.request_cancel(operation_id)
    clock.now += DAY
    assert prune(ledger, 0) == 1


def test_the_newest_stay_where_that_is_asked(ledger: Ledger, clock: Clock) -> None:
    ids = [operate(ledger, clock, OperationState.COMPLETED) for _ in range(3)]
    clock.now += DAY
    assert prune(ledger, 0, keep_last=2) == 1
    assert [operation.id for operation in ledger.list()] == ids[:0:-1]


def test_what_a_killed_prune_left_is_not_resumed_and_goes_next_time(
    ledger: Ledger, clock: Clock
) -> None:
    operation_id = operate(ledger, clock, OperationState.INTERRUPTED)
    with writing(ledger.engine) as connection:
        connection.execute(text("UPDATE operations SET pruned = true"))
    assert ledger.list() == []
    with pytest.raises(UnknownOperation):
        Lease.acquire(ledger.engine, operation_id, clock)
    assert prune(ledger, DAY) == 1
    assert (rows_in(ledger, "operations"), rows_in(ledger, "objects")) == (0, 0)


def asked_for(ledger: Ledger, clock: Clock) -> str:
    """An operation that ran and ended as one of a service does, with all that is kept of it."""
    queue = Queue(ledger.engine, clock)
    (operation_id,) = queue.enqueue([(REQUEST, Submission("somebody"))]).ids
    claim = queue.claim()
    assert claim is not None
    ledger.finish(operation_id, claim.lease.fence, OperationState.COMPLETED)
    Bulletin(claim.lease, ledger.summary(operation_id)).ended(ledger.summary(operation_id))
    kinds = ("started", *("objects",) * 5, "progress")
    told = {"operation": operation_id, "at": clock.now, "data": "{}"}
    sent = {
        "id": "one",
        "operation": operation_id,
        "caller": "somebody",
        "url": "https://there",
        "body": "{}",
        "attempts": 1,
        "next_at": clock.now,
        "state": "sent",
        "fence": 1,
        "kind": "completion",
        "created": clock.now,
    }
    with writing(ledger.engine) as connection:
        connection.execute(delete(events).where(events.c.number > 1))
        rows = [{**told, "number": number, "kind": kind} for number, kind in enumerate(kinds, 2)]
        connection.execute(insert(events), rows)
        connection.execute(insert(deliveries), sent)
    return operation_id


def test_one_that_a_service_ran_goes_with_its_events_and_deliveries(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    asked_for(ledger, clock)
    clock.now += DAY + 1
    assert prune(ledger, DAY) == 1
    for table in ("operations", "queue", "progress", "events", "deliveries"):
        assert rows_in(ledger, table) == 0, table


def test_one_that_was_just_asked_for_again_stays(ledger: Ledger, clock: Clock) -> None:
    operation_id = operate(ledger, clock, OperationState.PARTIAL)
    clock.now += DAY
    queue = Queue(ledger.engine, clock)
    queue.want(operation_id, Submission("somebody"))
    assert prune(ledger, 0) == 0
    claim = queue.claim()
    assert claim is not None
    assert claim.lease.operation_id == operation_id
    ledger.finish(operation_id, claim.lease.fence, OperationState.COMPLETED)
    clock.now += DAY
    assert prune(ledger, 0) == 1


def test_of_old_events_those_stay_that_say_how_an_operation_went(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    operation_id = asked_for(ledger, clock)
    before = page_of(ledger.engine, operation_id, 0)
    clock.now += DAY / 2
    assert forget_events(ledger, DAY) == 0
    clock.now += DAY
    assert forget_events(ledger, DAY) == 5
    kept = page_of(ledger.engine, operation_id, 0)
    assert [event.kind for event in kept] == ["queued", "started", "progress"]
    assert kept[-1] == before[-1], "numbers go on from the newest"
    assert forget_events(ledger, DAY) == 0
