import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from lakebed.database.transaction import writing
from lakebed.errors import (
    Cancelled,
    LakebedError,
    LeaseLost,
    OperationError,
    RunningElsewhere,
    UnknownOperation,
)
from lakebed.model.operation import OperationState
from lakebed.operations.lease import DURATION, Lease
from lakebed.operations.ledger import Ledger
from lakebed.store.cancellation import Cancellation
from tests.operations.conftest import REQUEST, Clock

NEVER = 3600.0
"""Seconds of an interval that no test waits for."""
AT_ONCE = 0.0


class Stopped(Cancellation):
    """One that a test can wait for, with the reason."""

    def __init__(self) -> None:
        super().__init__()
        self.told = threading.Event()

    def stop(self, reason: LakebedError) -> None:
        super().stop(reason)
        self.told.set()

    def wait_for_reason(self) -> LakebedError:
        assert self.told.wait(30)
        return self.reason


@pytest.fixture
def operation_id(ledger: Ledger) -> str:
    return ledger.create(REQUEST)


def test_who_takes_the_lease_runs_the_operation(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    lease = Lease.acquire(ledger.engine, operation_id, clock)
    operation = ledger.get(operation_id)
    assert operation.state is OperationState.RUNNING
    assert operation.fence == lease.fence == 1
    assert operation.lease_until == clock.now + DURATION
    assert operation.started == clock.now


def test_a_lease_that_is_held_is_refused_with_who_and_until_when(
    engine: Engine, operation_id: str, clock: Clock
) -> None:
    Lease.acquire(engine, operation_id, clock)
    with pytest.raises(RunningElsewhere, match=r"process \d+ on .+ until 22:13:32 UTC"):
        Lease.acquire(engine, operation_id, clock)


def test_a_stale_lease_is_taken_over_under_the_next_fence(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    old = Lease.acquire(ledger.engine, operation_id, clock)
    clock.now += DURATION
    new = Lease.acquire(ledger.engine, operation_id, clock)
    assert new.fence == old.fence + 1
    assert ledger.get(operation_id).state is OperationState.RUNNING
    with pytest.raises(LeaseLost):
        old.renew()
    assert not new.renew()


def test_the_lease_of_a_killed_process_is_taken_over_at_once(
    ledger: Ledger, operation_id: str
) -> None:
    script = """
import os, signal, sys
from lakebed.database.engine import open_engine
from lakebed.operations.lease import Lease
Lease.acquire(open_engine(sys.argv[1]), sys.argv[2])
os.kill(os.getpid(), signal.SIGKILL)
"""
    url = ledger.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", script, url, operation_id]
    assert subprocess.run(command, check=False).returncode == -9
    assert ledger.get(operation_id).fence == 1
    assert Lease.acquire(ledger.engine, operation_id).fence == 2


def test_only_one_of_many_gets_the_lease(engine: Engine, operation_id: str, clock: Clock) -> None:
    start = threading.Barrier(4)

    def acquire() -> int:
        start.wait()
        try:
            return Lease.acquire(engine, operation_id, clock).fence
        except RunningElsewhere:
            return 0

    with ThreadPoolExecutor(4) as threads:
        attempts = [threads.submit(acquire) for _ in range(4)]
    assert sorted(a.result() for a in attempts) == [0, 0, 0, 1]


def test_an_operation_that_ended_for_good_has_no_lease(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    ledger.request_cancel(operation_id)
    with pytest.raises(OperationError, match="cancelled and cannot become running"):
        Lease.acquire(ledger.engine, operation_id, clock)


def test_an_unknown_operation_has_no_lease(engine: Engine) -> None:
    with pytest.raises(UnknownOperation):
        Lease.acquire(engine, "0")


def test_a_resume_forgets_how_the_last_run_ended(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    lease = Lease.acquire(ledger.engine, operation_id, clock)
    ledger.finish(operation_id, lease.fence, OperationState.INTERRUPTED, LeaseLost("x"))
    assert ledger.get(operation_id).error == "lease-lost"
    Lease.acquire(ledger.engine, operation_id, clock)
    operation = ledger.get(operation_id)
    assert (operation.error, operation.message, operation.finished) == (None, None, None)


def test_the_heartbeat_renews_at_once_and_ends_with_its_scope(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    lease = Lease.acquire(ledger.engine, operation_id, clock)
    clock.now += 20
    stopped = Stopped()
    before = threading.active_count()
    with lease.held(stopped, NEVER):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    assert ledger.get(operation_id).lease_until == clock.now + DURATION
    assert not stopped.stopped


def test_a_cancelled_operation_stops_its_run(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    lease, stopped = Lease.acquire(ledger.engine, operation_id, clock), Stopped()
    with lease.held(stopped, AT_ONCE):
        ledger.request_cancel(operation_id)
        assert isinstance(stopped.wait_for_reason(), Cancelled)


def test_a_run_that_lost_its_lease_is_stopped(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    lease, stopped = Lease.acquire(ledger.engine, operation_id, clock), Stopped()
    with lease.held(stopped, AT_ONCE):
        with writing(ledger.engine) as connection:
            connection.execute(text("UPDATE operations SET fence = fence + 1"))
        assert isinstance(stopped.wait_for_reason(), LeaseLost)


def test_a_run_goes_on_while_the_ledger_is_away_until_the_lease_ends(
    ledger: Ledger, operation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = Lease.acquire(ledger.engine, operation_id)
    with writing(ledger.engine) as connection:
        connection.execute(text("ALTER TABLE operations RENAME TO away"))
    # When it begins; then before each renewal, and once it has failed.
    passed = iter([0.0, 1.0, 2.0, DURATION - 1, DURATION, DURATION + 1, DURATION + 2])
    monkeypatch.setattr("lakebed.operations.lease.monotonic", lambda: next(passed))
    stopped = Stopped()
    with lease.held(stopped, AT_ONCE):
        assert isinstance(stopped.wait_for_reason(), LeaseLost)
    assert list(passed) == []


def test_a_heartbeat_that_breaks_stops_the_run(
    ledger: Ledger, operation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(lease: Lease) -> bool:
        raise ZeroDivisionError("broken")

    lease, stopped = Lease.acquire(ledger.engine, operation_id), Stopped()
    monkeypatch.setattr(Lease, "renew", broken)
    with lease.held(stopped, AT_ONCE):
        reason = stopped.wait_for_reason()
    assert "ZeroDivisionError" in str(reason)
    assert reason.code == "defect"


def test_an_error_of_ours_that_the_heartbeat_meets_stops_the_run_as_it_is(
    ledger: Ledger, operation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(lease: Lease) -> bool:
        raise UnknownOperation("no such operation")

    lease, stopped = Lease.acquire(ledger.engine, operation_id), Stopped()
    monkeypatch.setattr(Lease, "renew", refused)
    with lease.held(stopped, AT_ONCE):
        assert isinstance(stopped.wait_for_reason(), UnknownOperation)


def test_a_write_asks_for_the_lease_only_after_a_time_in_which_nobody_renewed_it(
    ledger: Ledger, operation_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    monkeypatch.setattr("lakebed.operations.lease.monotonic", lambda: passed[0])
    lease = Lease.acquire(ledger.engine, operation_id, clock)
    lease.renew()
    take_over(ledger)
    passed[0] = DURATION
    lease.expect()
    passed[0] += 0.1
    with pytest.raises(LeaseLost):
        lease.expect()


def test_a_deletion_asks_for_the_lease_each_time(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    lease = Lease.acquire(ledger.engine, operation_id, clock)
    lease.confirm()
    take_over(ledger)
    with pytest.raises(LeaseLost):
        lease.confirm()


def test_what_has_ended_deletes_nothing_more(
    ledger: Ledger, operation_id: str, clock: Clock
) -> None:
    lease = Lease.acquire(ledger.engine, operation_id, clock)
    lease.confirm()
    ledger.finish(operation_id, lease.fence, OperationState.COMPLETED)
    with pytest.raises(LeaseLost):
        lease.confirm()


def take_over(ledger: Ledger) -> None:
    with writing(ledger.engine) as connection:
        connection.execute(text("UPDATE operations SET fence = fence + 1"))
