"""Operations and objects a page at a time, from where the page before ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from lakebed.database.tables import objects, operations, queue
from lakebed.database.transaction import reading
from lakebed.model.operation import Kind, ObjectState, OperationState
from lakebed.operations.ledger import Ledger
from lakebed.operations.operation import Operation
from lakebed.operations.states import FINISHED

MOST = 4000
"""Rows read for one page; it ends where they did, with a `next`, however few were meant."""
CHUNK = 200
"""Rows read at once, of which some may not be meant."""
Value = str | int | float | None
_WRITTEN_AS = {OperationState.INTERRUPTED: (OperationState.RUNNING,)}
"""A row of a killed operation says `running` still."""


@dataclass(frozen=True, slots=True)
class Page:
    operations: Sequence[Operation]
    next: str | None
    """The id after which the next page begins; None at the end."""


def operations_page(
    ledger: Ledger,
    is_meant: Callable[[Operation], bool],
    *,
    state: OperationState | None = None,
    kind: Kind | None = None,
    batch: str | None = None,
    caller: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page:
    """The newest first: ids sort by time."""
    query = select(operations).where(~operations.c.pruned).order_by(operations.c.id.desc())
    if state is not None:
        query = query.where(operations.c.state.in_({state, *_WRITTEN_AS.get(state, ())}))
    if batch is not None or caller is not None:
        query = query.join(queue, queue.c.operation == operations.c.id)
        query = query.where(queue.c.batch == batch) if batch is not None else query
        query = query.where(queue.c.caller == caller) if caller is not None else query
    found: list[Operation] = []
    for _ in range(MOST // CHUNK):
        beyond = query if after is None else query.where(operations.c.id < after)
        with reading(ledger.engine) as connection:
            rows = connection.execute(beyond.limit(CHUNK)).mappings().all()
        for row in rows:
            one = ledger.seen(Operation.from_row(row))
            after = one.id
            if state not in (None, one.state) or kind not in (None, one.request.kind):
                continue
            if is_meant(one):
                found.append(one)
                if len(found) == limit:
                    return Page(found, one.id)
        if len(rows) < CHUNK:
            return Page(found, None)
    return Page(found, after)


def ended(ledger: Ledger, is_meant: Callable[[Operation], bool], limit: int) -> list[Operation]:
    """Those at which nobody works any more, the newest end first; of the last MOST at the most."""
    table = operations.c
    # What was killed has no end of its own in its row: its lease tells of it.
    end = func.coalesce(table.finished, table.lease_until).desc()
    query = select(operations).where(~table.pruned, table.state != OperationState.QUEUED)
    query = query.order_by(end, table.id.desc()).limit(MOST)
    found: list[Operation] = []
    now = ledger.now()
    with (
        reading(ledger.engine) as connection,
        connection.execute(query.execution_options(yield_per=CHUNK)) as rows,
    ):
        for row in rows.mappings():
            one = ledger.seen(Operation.from_row(row), now)
            if one.state in FINISHED and is_meant(one):
                found.append(one)
                if len(found) == limit:
                    break
    return found


def objects_page(
    engine: Engine, operation_id: str, state: ObjectState | None, limit: int, after: str | None
) -> Sequence[dict[str, Value]]:
    """Rows in key order, as values by their names."""
    table = objects.c
    names = ("action", "state", "size", "lane", "proof", "sha256", "error", "message")
    columns = [table[name] for name in (*names, "attempts", "seconds")]
    query = select(table.key, *columns).where(table.operation == operation_id)
    query = query.where(table.state == state) if state is not None else query
    query = query.where(table.key > after.encode()) if after is not None else query
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(table.key).limit(limit)).mappings()
        return [{**row, "key": row["key"].decode()} for row in rows]
