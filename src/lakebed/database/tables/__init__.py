"""The one set of tables, for SQLite and PostgreSQL alike. Moments are epoch seconds.

Keys are kept as the bytes of their UTF-8: so both databases compare them bytewise, in the order in
which S3 lists them, whatever the collation; and a NUL, which S3 allows in a key, is no text that
PostgreSQL would take. `modified` of an object is whole microseconds since the epoch, exactly.
"""

from lakebed.database.tables.ledger import (
    capabilities,
    copies,
    objects,
    operations,
    parts,
    quarantines,
    uploads,
)
from lakebed.database.tables.metadata import metadata
from lakebed.database.tables.service import (
    api_keys,
    audit,
    configurations,
    deliveries,
    events,
    idempotency,
    progress,
    queue,
    rates,
    replicas,
    tickets,
)

__all__ = [
    "api_keys",
    "audit",
    "capabilities",
    "configurations",
    "copies",
    "deliveries",
    "events",
    "idempotency",
    "metadata",
    "objects",
    "operations",
    "parts",
    "progress",
    "quarantines",
    "queue",
    "rates",
    "replicas",
    "tickets",
    "uploads",
]
