"""A transaction on the ledger's database, to read or to write, with errors of our own."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lakebed.errors import LedgerError

WRITE_LOCK = "lakebed_write_lock"
"""The execution option of an engine that holds the lock of its writers, where it needs one."""
READ_ONLY = "lakebed_read_only"
"""The execution option of a connection that will not write."""


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Commits when the scope ends, rolls back when it raises. Raises LedgerError."""
    lock: AbstractContextManager[object] = engine.get_execution_options().get(
        WRITE_LOCK, nullcontext()
    )
    with _own_errors("written", engine), lock, engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Holds up no writer. Raises LedgerError."""
    with _own_errors("read", engine), engine.connect() as connection:
        yield connection.execution_options(**{READ_ONLY: True})


def begin_snapshot(connection: Connection) -> None:
    """Every query of this transaction sees the ledger as at one moment; call it before the first.

    SQLite does so by itself.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


@contextmanager
def _own_errors(done: str, engine: Engine) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        # Only the driver's own words: SQLAlchemy's would add the statement.
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise LedgerError(
            f"the ledger cannot be {done}: {reason}",
            subject=name_of(engine.url),
            advice="check that the file or server is there, has room, and lets you write",
        ) from error


def name_of(url: URL) -> str:
    """The database as an error may name it: a password may also be among the options."""
    return url.set(query={}).render_as_string(hide_password=True)
