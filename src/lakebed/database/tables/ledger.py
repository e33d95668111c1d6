"""The tables of the ledger: operations, what they did, and what is remembered beyond them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from lakebed.database.tables.metadata import metadata

operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request", Text, nullable=False),  # JSON: source, destination, kind, options
    Column("state", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    # A resumed operation has several runs: the time between them is not its own.
    Column("run_started", Float),
    Column("earlier_seconds", Float, nullable=False),
    Column("finished", Float),
    Column("cursor", LargeBinary, nullable=False),
    Column("listed", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("extra", BigInteger, nullable=False),
    Column("halves", BigInteger, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("planned_bytes", BigInteger, nullable=False),
    Column("error", Text),
    Column("message", Text),
    Column("note", Text),  # how it went another way than was asked for
    Column("owner", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    # Set before the first row of a pruned operation goes, so that nobody resumes what is left.
    Column("pruned", Boolean, nullable=False),
)

objects = Table(
    "objects",
    metadata,
    Column("operation", Text, ForeignKey("operations.id"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    # The listed revision of the source; NULL for a deletion.
    Column("size", BigInteger),
    Column("etag", Text),
    Column("modified", BigInteger),
    # The sidecar that publishes this object's digest, where there is one.
    Column("digest_etag", Text),
    Column("digest_size", BigInteger),
    Column("digest_modified", BigInteger),
    # What the destination held when it was listed, and what it holds now.
    Column("destination_etag", Text),
    Column("written_etag", Text),
    Column("lane", Text),
    Column("proof", Text),
    Column("sha256", Text),
    Column("error", Text),
    Column("message", Text),
    Column("attempts", Integer),
    Column("seconds", Float),
    Column("finished", Float),
    Column("reread_bytes", BigInteger),
    # Rows live in the tree of their primary key: no second index to write for each object.
    sqlite_with_rowid=False,
)

# Multipart uploads under way; a row is there before the upload is begun.
uploads = Table(
    "uploads",
    metadata,
    Column("operation", Text, ForeignKey("operations.id"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),  # the full key at the destination
    Column("upload_id", Text),  # NULL: whether it was begun is not known
    Column("source_etag", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("part_size", BigInteger, nullable=False),
    Column("algorithm", Text),
    Column("created", Float, nullable=False),
    sqlite_with_rowid=False,
)

parts = Table(
    "parts",
    metadata,
    Column("operation", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("etag", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("checksum", Text),
    sqlite_with_rowid=False,
)

copies = Table(
    "copies",
    metadata,
    Column("destination", Text, primary_key=True),  # store:bucket
    Column("key", LargeBinary, primary_key=True),  # the full key
    Column("source_etag", Text, nullable=False),
    Column("destination_etag", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("proof", Text, nullable=False),
    Column("sha256", Text),
    sqlite_with_rowid=False,
)

quarantines = Table(
    "quarantines",
    metadata,
    Column("source", Text, primary_key=True),  # store:bucket
    Column("key", LargeBinary, primary_key=True),  # the full key of the archive
    Column("source_etag", Text, nullable=False),
    Column("digest_etag", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("at", Float, nullable=False),
    sqlite_with_rowid=False,
)

capabilities = Table(
    "capabilities",
    metadata,
    Column("store", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("found", Text, nullable=False),
    Column("probed_at", Float, nullable=False),
)
