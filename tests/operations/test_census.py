"""How many operations there are of each state."""

from lakebed.model.operation import OperationState
from lakebed.operations.census import census
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from tests.operations.conftest import REQUEST, Clock


def test_one_whose_process_is_gone_counts_as_interrupted(ledger: Ledger, clock: Clock) -> None:
    for _ in range(2):
        ledger.create(REQUEST)
    Lease.acquire(ledger.engine, ledger.create(REQUEST), clock)
    counted = census(ledger.engine, clock.now)
    assert set(counted) == set(OperationState)
    assert {state: count for state, count in counted.items() if count} == {
        OperationState.QUEUED: 2,
        OperationState.RUNNING: 1,
    }
    clock.now += 3600
    assert census(ledger.engine, clock.now)[OperationState.INTERRUPTED] == 1
