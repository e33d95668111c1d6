"""How an operation stands, where its process had no time to say so."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from lakebed.errors import AccessDenied, ChecksumRefused
from lakebed.executor.status import status_of
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
from lakebed.operations.bulletin import Bulletin
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.queue import Queue
from lakebed.operations.recorder import LedgerRecorder
from lakebed.operations.submission import Submission
from lakebed.operations.watch import Snapshot
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.recorder import Batch
from tests.operations.conftest import REQUEST, sqlite, sqlite_template

__all__ = ["sqlite", "sqlite_template"]
NOTHING_YET = Snapshot(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, listing=True, retries=0, seconds=0.0)


@pytest.mark.parametrize("says_so", [True, False])
def test_the_figures_of_what_has_ended_are_those_of_the_ledger(
    sqlite: Engine, says_so: bool
) -> None:
    queue, ledger = Queue(sqlite), Ledger(sqlite)
    queue.enqueue([(REQUEST, Submission("ann"))])
    claim = queue.claim()
    assert claim is not None
    lease, operation = claim.lease, claim.lease.operation_id
    bulletin = Bulletin(lease, ledger.summary(operation))
    bulletin.progress(NOTHING_YET)
    unit = Unit((Item("k", Action.COPY, Object("spot/k", 5, "e", datetime.now(UTC))),))
    with LedgerRecorder(REQUEST, lease, Cancellation(), linger=0) as recorder:
        recorder.planned(Batch([unit], Counters(listed=1, planned=1, planned_bytes=5), "k"))
        recorder.settled([Outcome("k", ObjectState.DONE, 5, "e", "w", None, Proof.ETAG_MD5)])
    assert status_of(ledger, operation).files_done == 0
    ledger.finish(operation, lease.fence, OperationState.COMPLETED)
    if says_so:
        bulletin.ended(ledger.summary(operation))
    told = status_of(ledger, operation)
    assert (told.files_done, told.files_total, told.bytes_done) == (1, 1, 5)
    assert told.proofs == {"etag-md5": 1}


def test_retries_and_the_peak_of_the_runs_before_still_count(sqlite: Engine) -> None:
    ledger = Ledger(sqlite)
    operation = ledger.create(REQUEST)
    live = replace(NOTHING_YET, bytes=1000, seconds=2.0, retries=3, last=True)
    for retries, peak in ((3, 500.0), (5, 500.0)):
        lease = Lease.acquire(sqlite, operation)
        bulletin = Bulletin(lease, ledger.summary(operation))
        bulletin.progress(live)
        told = status_of(ledger, operation)
        assert (told.retries, told.throughput.peak) == (retries, peak)
        bulletin.ended(ledger.summary(operation))
        assert status_of(ledger, operation).retries == retries
        ledger.finish(operation, lease.fence, OperationState.INTERRUPTED)
        live = replace(live, bytes=100, retries=2)


def test_what_failed_is_told_by_its_cause_though_no_process_said_so(sqlite: Engine) -> None:
    ledger = Ledger(sqlite)
    operation = ledger.create(REQUEST)
    lease = Lease.acquire(sqlite, operation)
    found = Object("spot/k", 5, "e", datetime.now(UTC))
    units = [Unit((Item(key, Action.COPY, found),)) for key in ("a", "b", "c")]
    with LedgerRecorder(REQUEST, lease, Cancellation(), linger=0) as recorder:
        recorder.planned(Batch(units, Counters(listed=3, planned=3), "c"))
        refused = ObjectState.FAILED, ObjectState.FAILED, ObjectState.QUARANTINED
        errors = AccessDenied("no"), AccessDenied("no"), ChecksumRefused("no")
        recorder.settled(
            [
                Outcome(unit.items[0].key, state, error=error.code)
                for unit, state, error in zip(units, refused, errors, strict=True)
            ]
        )
    ledger.finish(operation, lease.fence, OperationState.PARTIAL)
    told = status_of(ledger, operation)
    assert told.errors == {AccessDenied.code: 2, ChecksumRefused.code: 1}
