"""Forgetting operations that ended long ago; what they copied or refused stays remembered."""

from sqlalchemy import ColumnElement, Table, delete, func, select, update

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
PASSING = ("objects", "progress")
"""Kinds of events of which there may be very many."""
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
        # Somebody has just asked for it again.
        & table.id.not_in(select(queue.c.operation).where(queue.c.wanted))
    )
    with writing(ledger.engine) as connection:
        connection.execute(update(operations).where(old).values(pruned=True))
    with reading(ledger.engine) as connection:
        pruned = list(connection.scalars(select(table.id).where(table.pruned)))
    for operation_id in pruned:
        _delete(ledger, operation_id)
    return len(pruned)


def forget_events(ledger: Ledger, older_than_seconds: float) -> int:
    """Delete old events that only a stream of that time had use for; how many.

    What an operation tells of outcomes and progress is in its rows too. Its newest event stays:
    numbers go on from there.
    """
    table, later = events.c, events.alias()
    newest = (
        select(func.max(later.c.number)).where(later.c.operation == table.operation)
    ).scalar_subquery()
    old = (
        table.kind.in_(PASSING)
        & (table.at < ledger.now() - older_than_seconds)
        & (table.number < newest)
    )
    query = select(table.operation, func.max(table.number)).where(old).group_by(table.operation)
    with reading(ledger.engine) as connection:
        found = connection.execute(query).all()
    return sum(
        _step_by_step(
            ledger,
            events,
            events.c.number,
            (table.operation == operation_id) & (table.number <= last) & table.kind.in_(PASSING),
        )
        for operation_id, last in found
    )


def _delete(ledger: Ledger, operation_id: str) -> None:
    _step_by_step(ledger, objects, objects.c.key, objects.c.operation == operation_id)
    _step_by_step(ledger, events, events.c.number, events.c.operation == operation_id)
    with writing(ledger.engine) as connection:
        for table in (queue, progress, deliveries):
            connection.execute(delete(table).where(table.c.operation == operation_id))
        connection.execute(delete(operations).where(operations.c.id == operation_id))


def _step_by_step(
    ledger: Ledger, table: Table, key: ColumnElement[object], of_one: ColumnElement[bool]
) -> int:
    """Delete rows of one operation, STEP in a transaction; how many."""
    some = select(key).where(of_one).limit(STEP).scalar_subquery()
    deleted = 0
    while True:
        with writing(ledger.engine) as connection:
            step = connection.execute(delete(table).where(of_one, key.in_(some))).rowcount
        deleted += step
        if step < STEP:
            return deleted
