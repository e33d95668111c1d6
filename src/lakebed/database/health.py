"""Whether the database of the ledger can be worked with, and what it is."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from lakebed.database.schema import HEAD, revision
from lakebed.database.transaction import name_of, reading
from lakebed.errors import LedgerError


@dataclass(frozen=True, slots=True)
class Database:
    version: str
    uptime: float | None
    """Seconds; None for a file."""


def look(engine: Engine) -> Database:
    """Raises LedgerError where it is away, or not of this program's schema."""
    is_server = engine.dialect.name == "postgresql"
    if not is_server and not Path(str(engine.url.database)).exists():
        # Connections that are open would go on with a file that nobody finds again.
        raise LedgerError(
            "the ledger's file is gone", subject=name_of(engine.url), advice="put it back"
        )
    with reading(engine) as connection:
        found = revision(connection)
        if found != HEAD:
            raise LedgerError(
                f"the ledger is of schema {found}, not {HEAD}",
                subject=name_of(engine.url),
                advice="start a replica of this version, which brings it up to date",
            )
        row = connection.execute(_SERVER if is_server else _FILE).one()
    return Database(*row)


_SERVER = text(
    "SELECT 'PostgreSQL ' || current_setting('server_version'), "
    "extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::double precision"
)
_FILE = text("SELECT 'SQLite ' || sqlite_version(), NULL")
