"""One clock for all processes that share a database."""

import time
from collections.abc import Callable

from sqlalchemy import Engine, text

from lakebed.database.transaction import reading

Clock = Callable[[], float]
"""Now, in epoch seconds."""

_ASK = text("SELECT extract(epoch FROM clock_timestamp())::double precision")


def clock_of(engine: Engine) -> Clock:
    """PostgreSQL's own clock, which those of its machines may disagree with; SQLite is on this
    machine, and so is its clock. Raises LedgerError when it is asked and the database is away."""
    if engine.dialect.name != "postgresql":
        return time.time

    def ask() -> float:
        with reading(engine) as connection:
            return float(connection.scalar(_ASK) or 0.0)

    return ask
