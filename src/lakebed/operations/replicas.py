"""The replicas that share the queue: each says every few seconds that it is there."""

from dataclasses import asdict, dataclass
from secrets import token_hex

from sqlalchemy import Engine, delete, select

from lakebed import __version__
from lakebed.database.dialect import replace_into
from lakebed.database.tables import replicas
from lakebed.database.transaction import reading, writing

BEAT = 5.0
"""Seconds between two words."""
ALIVE = 15.0
"""Seconds of silence after which a replica counts as gone."""
FORGOTTEN = 86_400.0
"""Seconds for which one that is gone is kept."""


@dataclass(frozen=True, slots=True)
class Replica:
    """Moments in epoch seconds; `running` are its operations."""

    id: str
    address: str
    version: str
    started: float
    seen: float = 0.0
    running: int = 0


def new_replica(address: str, now: float) -> Replica:
    return Replica(token_hex(4), address, __version__, now)


def beat(engine: Engine, replica: Replica) -> None:
    """It is there, as it is now. Raises LedgerError."""
    with writing(engine) as connection:
        connection.execute(replace_into(engine, replicas), asdict(replica))
        connection.execute(delete(replicas).where(replicas.c.seen < replica.seen - FORGOTTEN))


def leave(engine: Engine, replica: Replica) -> None:
    """It ends. Raises LedgerError."""
    with writing(engine) as connection:
        connection.execute(delete(replicas).where(replicas.c.id == replica.id))


def alive(engine: Engine, now: float) -> list[Replica]:
    """Those that were heard of lately, the oldest first. Raises LedgerError."""
    columns = [replicas.c[name] for name in Replica.__dataclass_fields__]
    query = (
        select(*columns)
        .where(replicas.c.seen >= now - ALIVE)
        .order_by(replicas.c.started, replicas.c.id)
    )
    with reading(engine) as connection:
        return [Replica(*row) for row in connection.execute(query)]
