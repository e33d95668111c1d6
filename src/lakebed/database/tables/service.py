"""The tables of the services around the ledger: the queue, its events, who may do what."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from lakebed.database.tables.metadata import metadata

# Operations that somebody asked a service for, and who did.
queue = Table(
    "queue",
    metadata,
    Column("operation", Text, ForeignKey("operations.id"), primary_key=True),
    Column("caller", Text, nullable=False),
    Column(
        "authority", Text, nullable=False
    ),  # JSON: what the caller may do, as it was when it asked
    Column("priority", Integer, nullable=False),  # the higher, the sooner
    Column("not_before", Float, nullable=False),
    Column("enqueued", Float, nullable=False),
    Column("wanted", Boolean, nullable=False),  # it is to be run, by whichever replica comes first
    Column(
        "crashes", Integer, nullable=False
    ),  # ends of its process that no error explains, one after another
    Column("batch", Text),
    Column("trace", Text),  # the traceparent of the request
    Column("notification", Text),  # JSON: where to tell of it
    sqlite_with_rowid=False,
)

Index("queue_wanted", queue.c.wanted)
_NOTIFIED = queue.c.notification.is_not(None)
Index("queue_notified", queue.c.operation, sqlite_where=_NOTIFIED, postgresql_where=_NOTIFIED)

# How far an operation is: the last word of the process that runs it, for all replicas.
progress = Table(
    "progress",
    metadata,
    Column("operation", Text, ForeignKey("operations.id"), primary_key=True),
    Column("at", Float, nullable=False),
    Column("told", Text, nullable=False),  # JSON
    sqlite_with_rowid=False,
)

# What happened in an operation, numbered from 1, for streams that go on after a break.
events = Table(
    "events",
    metadata,
    Column("operation", Text, ForeignKey("operations.id"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    sqlite_with_rowid=False,
)

# Answers that are given again to the same request.
idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_sha256", Text, nullable=False),
    Column("answer", Text, nullable=False),  # JSON
    Column("at", Float, nullable=False),
    sqlite_with_rowid=False,
)

# The processes that serve, and when each was last heard of.
replicas = Table(
    "replicas",
    metadata,
    Column("id", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("running", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Keys that callers show; of the secret half only its digest.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("authority", Text, nullable=False),  # JSON: roles and grants
    Column("created", Float, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires", Float),
    Column("revoked", Float),
    sqlite_with_rowid=False,
)

# What is shown once or for a while: sign-in codes, logins under way, sessions.
tickets = Table(
    "tickets",
    metadata,
    Column("id_sha256", LargeBinary, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Column("expires", Float, nullable=False),
    sqlite_with_rowid=False,
)

# How much each caller may still ask, as of a moment.
rates = Table(
    "rates",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("at", Float, nullable=False),
    Column("leases", Text, nullable=False),  # JSON: what replicas hold of it, and until when
    sqlite_with_rowid=False,
)

# Who did or was refused what; each entry is chained to the one before.
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("mac", LargeBinary, nullable=False),  # HMAC of all the above and of the mac before
    sqlite_with_rowid=False,
)

# Notifications that are still to be sent, or were given up.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("operation", Text, ForeignKey("operations.id", ondelete="CASCADE"), nullable=False),
    Column("fence", BigInteger, nullable=False),  # of the run that it tells of
    Column("caller", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Float, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text),
    sqlite_with_rowid=False,
)

Index("deliveries_operation", deliveries.c.operation)
Index("deliveries_due", deliveries.c.state, deliveries.c.next_at)

# Each configuration that was loaded, numbered from 1.
configurations = Table(
    "configurations",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("author", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", Text, nullable=False),  # JSON, canonical: each value in force by its key
    Column("files", Text, nullable=False),  # JSON: the text of each file by its name
    sqlite_with_rowid=False,
)
