"""Operations, their objects, and what is remembered beyond them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _operations()
    _objects()
    _memory()


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("started", sa.Float),
        sa.Column("run_started", sa.Float),
        sa.Column("earlier_seconds", sa.Float, nullable=False),
        sa.Column("finished", sa.Float),
        sa.Column("cursor", sa.LargeBinary, nullable=False),
        sa.Column("listed", sa.BigInteger, nullable=False),
        sa.Column("skipped", sa.BigInteger, nullable=False),
        sa.Column("extra", sa.BigInteger, nullable=False),
        sa.Column("halves", sa.BigInteger, nullable=False),
        sa.Column("planned", sa.BigInteger, nullable=False),
        sa.Column("planned_bytes", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("pruned", sa.Boolean, nullable=False),
    )


def _objects() -> None:
    op.create_table(
        "objects",
        sa.Column("operation", sa.Text, sa.ForeignKey("operations.id"), primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("etag", sa.Text),
        sa.Column("modified", sa.BigInteger),
        sa.Column("digest_etag", sa.Text),
        sa.Column("digest_size", sa.BigInteger),
        sa.Column("digest_modified", sa.BigInteger),
        sa.Column("destination_etag", sa.Text),
        sa.Column("written_etag", sa.Text),
        sa.Column("lane", sa.Text),
        sa.Column("proof", sa.Text),
        sa.Column("sha256", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("attempts", sa.Integer),
        sa.Column("seconds", sa.Float),
        sa.Column("finished", sa.Float),
        sqlite_with_rowid=False,
    )


def _memory() -> None:
    op.create_table(
        "copies",
        sa.Column("destination", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("source_etag", sa.Text, nullable=False),
        sa.Column("destination_etag", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantines",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("source_etag", sa.Text, nullable=False),
        sa.Column("digest_etag", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "capabilities",
        sa.Column("store", sa.Text, primary_key=True),
        sa.Column("bucket", sa.Text, primary_key=True),
        sa.Column("found", sa.Text, nullable=False),
        sa.Column("probed_at", sa.Float, nullable=False),
    )
