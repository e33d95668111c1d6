"""Multipart uploads under way and their parts, so that another run can go on with them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("objects", sa.Column("reread_bytes", sa.BigInteger))
    op.create_table(
        "uploads",
        sa.Column("operation", sa.Text, sa.ForeignKey("operations.id"), primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("upload_id", sa.Text),
        sa.Column("source_etag", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("part_size", sa.BigInteger, nullable=False),
        sa.Column("algorithm", sa.Text),
        sa.Column("created", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "parts",
        sa.Column("operation", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("checksum", sa.Text),
        sqlite_with_rowid=False,
    )
