"""Opening the database of the ledger: SQLite in a file, or PostgreSQL for teams."""

import sqlite3
import threading
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from lakebed.database.schema import ensure_schema
from lakebed.database.transaction import READ_ONLY, WRITE_LOCK, name_of
from lakebed.errors import LedgerError

BUSY_TIMEOUT_MS = 30_000
"""How long SQLite waits for another process to end its transaction."""
CONNECT_TIMEOUT = 10
"""Seconds after which a PostgreSQL server that does not answer counts as unreachable."""
SILENCE_MS = 10_000
"""How long a server may leave what was sent unacknowledged, in milliseconds: whoever is cut off
from it hears of it at about the end of its lease, and not never."""
IDLE_MS = 10_000
"""How long a process may leave a transaction open and say nothing, in milliseconds: one that was
stopped in the middle of it would hold its locks, and so its operation, for ever."""

_EXPECTED = "write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


def sqlite_url(path: Path) -> str:
    """The URL of a ledger in this file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def open_engine(url: str) -> Engine:
    """Open the database at `url` and bring its schema up to date; `dispose()` closes it.

    Raises LedgerError where it cannot be opened, where its schema is newer than this program,
    and where the PostgreSQL driver is not installed. No message holds the URL's password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, and so may what the parser says of it.
        raise LedgerError("the ledger's URL is no URL", advice=_EXPECTED) from None
    if parsed.drivername == "sqlite":
        engine = _open_sqlite(parsed)
    elif parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        engine = _open_postgresql(parsed)
    else:
        raise LedgerError(
            "the ledger lives in SQLite or PostgreSQL", subject=parsed.drivername, advice=_EXPECTED
        )
    try:
        ensure_schema(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _open_sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise LedgerError("a ledger in memory forgets", advice=_EXPECTED)
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"the ledger's folder cannot be made: {error.strerror}",
            subject=str(folder),
            advice="check its permissions, or choose another folder",
        ) from error
    engine = create_engine(
        url,
        hide_parameters=True,
        paramstyle="named",  # as PostgreSQL's driver has it: rows are mappings for both
        # One writer at a time is SQLite's law. Threads of this process queue at a lock, which
        # wakes the next at once; only other processes are waited for by polling.
        execution_options={WRITE_LOCK: threading.Lock()},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # we say BEGIN ourselves, and which kind
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    # With WAL a kill loses nothing and a power cut at most the last moments, which are repeated.
    connection.execute("PRAGMA synchronous = NORMAL")
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail where another wrote in between.
    read_only = connection.get_execution_options().get(READ_ONLY)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _open_postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={
                "application_name": "lakebed",
                "connect_timeout": CONNECT_TIMEOUT,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": SILENCE_MS,
            },
        )
    except ImportError as error:
        raise LedgerError(
            "the driver for PostgreSQL is not installed",
            subject=name_of(url),
            advice="pip install 'lakebed[postgresql]'",
        ) from error
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Said in SQL: an option of the connection would be lost where the URL has options too.
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = {IDLE_MS}")
    cursor.close()
    connection.commit()
