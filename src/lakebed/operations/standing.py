"""How operations stand, as they are asked for most: one row of three tables, by one statement."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Engine, RowMapping, bindparam, select

from lakebed.database.prepared import PreparedQuery
from lakebed.database.tables import operations, progress, queue
from lakebed.database.transaction import reading
from lakebed.errors import UnknownOperation
from lakebed.operations.bulletin import Progress
from lakebed.operations.ledger import Ledger
from lakebed.operations.operation import LENGTH, Operation
from lakebed.operations.submission import Submission

_TOLD = "told"
_SUBMITTED = tuple(Submission.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Standing:
    operation: Operation
    submission: Submission | None
    """Who asked for it; None where no service was."""
    progress: Progress | None
    """The last word of its process, where that said one."""


def standing(ledger: Ledger, operation_id: str) -> Standing:
    """Raises UnknownOperation, LedgerError."""
    if len(operation_id) != LENGTH:
        operation_id = ledger.get(operation_id).id
    with reading(ledger.engine) as connection:
        row = _query(ledger.engine).first(connection, {"asked": operation_id.upper()})
    if row is None:
        raise UnknownOperation("no such operation", subject=operation_id)
    return Standing(
        ledger.seen(Operation.from_row(row)),
        _submission(row),
        Progress.read(row[_TOLD]) if row[_TOLD] else None,
    )


def _submission(row: RowMapping) -> Submission | None:
    if row["caller"] is None:
        return None
    return Submission(**{name: row[name] for name in _SUBMITTED})


@cache
def _query(engine: Engine) -> PreparedQuery:
    joined = operations.outerjoin(queue, queue.c.operation == operations.c.id)
    joined = joined.outerjoin(progress, progress.c.operation == operations.c.id)
    columns = (*operations.c, *(queue.c[name] for name in _SUBMITTED), progress.c.told)
    here = (operations.c.id == bindparam("asked")) & ~operations.c.pruned
    return PreparedQuery(engine, select(*columns).select_from(joined).where(here))
