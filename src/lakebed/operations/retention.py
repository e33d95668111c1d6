"""Forgetting operations that ended long ago; what they copied or refused stays remembered."""

from sqlalchemy import delete, select, update

from lakebed.database.tables import (
    deliveries,
    events,
    objects,
    operations,
    progress,
    queue,
    uploads,
)
from lakebed.database.transaction import reading, writing
from lakebed.model.operation import OperationState
from lakebed.operations.ledger import Ledger
from lakebed.operations.states import FINISHED

PRUNABLE = FINISHED - {OperationState.INTERRUPTED}
"""An interrupted operation was promised to be resumable: it goes once somebody cancels it."""
TOLD = (deliveries, events, progress, queue)
"""What else there is of an operation that a service was asked for."""
STEP = 5000
"""Rows deleted in one transaction: running operations wait for no longer than that takes."""


def prune(ledger: Ledger, older_than_seconds: float, keep_last: int = 0) -> int:
    """Delete operations that ended more than `older_than_seconds` ago, except the `keep_last`
    newest of all; how many. One that ended with failures is deleted too; a running, waiting or
    interrupted one never, nor one that has left an upload unfinished."""
    table = operations.c
    newest = select(table.id).order_by(table.created.desc(), table.id.desc()).limit(keep_last)
    old = (
        table.state.in_(PRUNABLE)
        & (table.finished < ledger.now() - older_than_seconds)
        & table.id.not_in(newest.scalar_subquery())
        # Nobody else knows where its uploads are: `lakebed uploads abort` first.
        & table.id.not_in(select(uploads.c.operation))
    )
    with writing(ledger.engine) as connection:
        connection.execute(update(operations).where(old).values(pruned=True))
    with reading(ledger.engine) as connection:
        pruned = list(connection.scalars(select(table.id).where(table.pruned)))
    for operation_id in pruned:
        _delete(ledger, operation_id)
    return len(pruned)


def _delete(ledger: Ledger, operation_id: str) -> None:
    here = objects.c.operation == operation_id
    some = select(objects.c.key).where(here).limit(STEP).scalar_subquery()
    while True:
        with writing(ledger.engine) as connection:
            rows = connection.execute(delete(objects).where(here, objects.c.key.in_(some)))
            if rows.rowcount < STEP:
                for table in TOLD:
                    connection.execute(delete(table).where(table.c.operation == operation_id))
                connection.execute(delete(operations).where(operations.c.id == operation_id))
                return
