"""What is new in operations that somebody follows, and whether there will be more."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from lakebed.database.tables import events, operations, queue
from lakebed.database.transaction import reading
from lakebed.model.operation import OperationState
from lakebed.operations.bulletin import Event
from lakebed.operations.lease import is_held
from lakebed.operations.operation import find

PAGE = 50
"""Events that are read at once at the most."""
PAGE_BYTES = 64 * 1024
"""Of their data, after which no more are read: one event may have more alone."""


@dataclass(frozen=True, slots=True)
class News:
    events: Sequence[Event]
    is_over: bool = False
    """Nothing runs it, nothing will by itself, and all of its events have been read."""


def news_of(connection: Connection, operation_id: str, after: int, now: float) -> News:
    """What came after event number `after`. An operation that is not there is over."""
    found = events_of(connection, operation_id, after)
    return News(found, not found and _is_over(connection, operation_id, now))


def events_of(connection: Connection, operation_id: str, after: int) -> Sequence[Event]:
    """The next events of an operation in their order, a page of them."""
    here = (events.c.operation == operation_id) & (events.c.number > after)
    columns = (events.c.number, events.c.at, events.c.kind, events.c.data)
    query = select(*columns).where(here).order_by(events.c.number).limit(PAGE)
    found: list[Event] = []
    held = 0
    with connection.execute(query) as rows:
        for row in rows:
            found.append(Event(*row))
            held += len(row.data)
            if held >= PAGE_BYTES:
                break
    return found


def page_of(engine: Engine, operation_id: str, after: int) -> Sequence[Event]:
    """The same, in a transaction of its own. Raises LedgerError."""
    with reading(engine) as connection:
        return events_of(connection, operation_id, after)


def newest_of(connection: Connection, operation_id: str) -> int:
    """The number of the newest event; 0 where there is none."""
    query = select(func.max(events.c.number)).where(events.c.operation == operation_id)
    return int(connection.scalar(query) or 0)


def _is_over(connection: Connection, operation_id: str, now: float) -> bool:
    here = (operations.c.id == operation_id) & ~operations.c.pruned
    joined = operations.outerjoin(queue, queue.c.operation == operations.c.id)
    query = select(operations.c.state, queue.c.wanted).select_from(joined).where(here)
    row = connection.execute(query).first()
    if row is None:
        return True
    if row.wanted or row.state == OperationState.QUEUED:
        return False
    if row.state == OperationState.RUNNING:  # no replica has it: somebody's command does, or did
        return not is_held(find(connection, operation_id), now)
    return True
