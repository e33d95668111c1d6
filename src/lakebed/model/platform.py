"""What a platform on one machine consists of."""

from enum import StrEnum


class Profile(StrEnum):
    SMALL = "small"
    """The store, and the executor on SQLite."""
    FULL = "full"
    """With PostgreSQL."""
