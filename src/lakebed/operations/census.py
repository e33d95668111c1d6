"""How many operations there are of each state."""

from sqlalchemy import Engine, case, func, select

from lakebed.database.tables import operations
from lakebed.database.transaction import reading
from lakebed.model.operation import OperationState
from lakebed.operations.lease import FARTHEST


def census(engine: Engine, now: float) -> dict[OperationState, int]:
    """Of every state, those of which the ledger keeps objects. Raises LedgerError."""
    table = operations.c
    held = (table.lease_until > now) & (table.lease_until <= now + FARTHEST)
    left = (table.state == OperationState.RUNNING) & ~held
    state = case((left, OperationState.INTERRUPTED.value), else_=table.state).label("state")
    query = select(state, func.count()).where(~table.pruned).group_by(state)
    found = dict.fromkeys(OperationState, 0)
    with reading(engine) as connection:
        for name, count in connection.execute(query):
            found[OperationState(name)] = count
    return found
