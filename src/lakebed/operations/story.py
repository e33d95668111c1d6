"""The report of an operation, from its rows: a few aggregates, whatever the number of objects."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Row, func, select

from lakebed.database.tables import objects
from lakebed.model.operation import Action, ObjectState
from lakebed.model.quarantine import Quarantined
from lakebed.model.report import Bin, Cause, Example, Report, Slow
from lakebed.operations.histogram import bin_number, bins
from lakebed.operations.operation import Operation
from lakebed.operations.quarantine import entries
from lakebed.operations.summary import ARRIVED, summarize
from lakebed.operations.throughput import throughput

SLOWEST = 20
EXAMPLES = 3
QUARANTINES = 200
"""Halves of pairs: at least as many pairs are named as half of it."""
SIZES = (0.0, *(float(2**power) for power in range(48)))
"""Edges in bytes, up to 128 TiB: above what any store takes as one object."""
DURATIONS = (0.0, *(2**power / 1000 for power in range(33)))
"""Edges in seconds, from a millisecond up to 50 days."""

_REFUSED = (ObjectState.FAILED, ObjectState.QUARANTINED)


def tell(connection: Connection, operation: Operation, now: float) -> Report:
    here = objects.c.operation == operation.id
    acted = objects.c.action.in_((Action.COPY, Action.VERIFY))
    arrived = here & objects.c.state.in_(ARRIVED) & acted
    sizes, durations = _sizes_and_durations(connection, arrived)
    return Report(
        summarize(connection, operation, now),
        operation.request,
        told=now,
        created=operation.created,
        started=operation.started,
        finished=operation.finished,
        resumed=operation.earlier_seconds > 0,
        throughput=throughput(connection, arrived, operation.started or 0.0),
        sizes=sizes,
        durations=durations,
        slowest=_slowest(connection, arrived),
        attempts=_attempts(connection, here),
        causes=_causes(connection, here),
        quarantines=_quarantines(connection, operation),
    )


def _sizes_and_durations(
    connection: Connection, arrived: ColumnElement[bool]
) -> tuple[tuple[Bin, ...], tuple[Bin, ...]]:
    """Both from one pass over the rows."""
    size = bin_number(objects.c.size, SIZES[1:]).label("size_bin")
    took = bin_number(objects.c.seconds, DURATIONS[1:]).label("took_bin")
    sizes: dict[int, tuple[int, int]] = {}
    durations: dict[int, tuple[int, int]] = {}
    for row in connection.execute(
        select(size, took, *_COUNTED).where(arrived).group_by("size_bin", "took_bin")
    ):
        _add(sizes, row.size_bin, row)
        _add(durations, row.took_bin, row)
    return bins(sizes, SIZES), bins(durations, DURATIONS)


_COUNTED = (func.count().label("objects"), func.sum(objects.c.size).label("bytes"))


def _add(counted: dict[int, tuple[int, int]], number: int, row: Row[*tuple[object, ...]]) -> None:
    held, size = counted.get(number, (0, 0))
    counted[number] = (held + row.objects, size + int(row.bytes or 0))


def _slowest(connection: Connection, arrived: ColumnElement[bool]) -> tuple[Slow, ...]:
    table = objects.c
    columns = (table.key, table.size, table.seconds, table.attempts, table.lane)
    query = select(*columns).where(arrived).order_by(table.seconds.desc(), table.key)
    return tuple(
        Slow(key.decode(), size, seconds, attempts, lane)
        for key, size, seconds, attempts, lane in connection.execute(query.limit(SLOWEST))
    )


def _attempts(connection: Connection, here: ColumnElement[bool]) -> dict[int, int]:
    attempts = objects.c.attempts
    settled = here & (objects.c.state != ObjectState.PENDING) & attempts.is_not(None)
    query = select(attempts, func.count()).where(settled).group_by(attempts).order_by(attempts)
    return dict(connection.execute(query).all())


def _causes(connection: Connection, here: ColumnElement[bool]) -> tuple[Cause, ...]:
    table = objects.c
    refused = here & table.state.in_(_REFUSED)
    cause = (table.error, table.state)
    place = func.row_number().over(partition_by=cause, order_by=table.key).label("place")
    ranked = select(*cause, table.key, table.message, place).where(refused).subquery()
    examples: dict[tuple[str | None, str], list[Example]] = defaultdict(list)
    first = select(ranked).where(ranked.c.place <= EXAMPLES).order_by(ranked.c.key)
    for row in connection.execute(first):
        examples[row.error, row.state].append(Example(row.key.decode(), row.message or ""))
    found = [
        Cause(error or "", ObjectState(state), count, tuple(examples[error, state]))
        for error, state, count in _counted(connection, here)
    ]
    return tuple(sorted(found, key=lambda one: (-one.objects, one.error)))


def errors(connection: Connection, operation_id: str) -> dict[str, int]:
    """How many objects failed or are in quarantine, by the code of their error."""
    found = Counter[str]()
    for error, _, count in _counted(connection, objects.c.operation == operation_id):
        if error:
            found[error] += count
    return dict(found)


def _counted(
    connection: Connection, here: ColumnElement[bool]
) -> Sequence[Row[*tuple[str | None, str, int]]]:
    """What was refused, by error and state."""
    table = objects.c
    cause = (table.error, table.state)
    query = select(*cause, func.count()).where(here & table.state.in_(_REFUSED))
    return connection.execute(query.group_by(*cause)).all()


def _quarantines(connection: Connection, operation: Operation) -> tuple[Quarantined, ...]:
    """Looked up by their keys: one that was held back was met first by an earlier operation."""
    table, source = objects.c, operation.request.source
    held = (table.operation == operation.id) & (table.state == ObjectState.QUARANTINED)
    keys = connection.scalars(select(table.key).where(held).order_by(table.key).limit(QUARANTINES))
    return tuple(entries(connection, source, [key.decode() for key in keys]))
