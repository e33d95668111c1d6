"""A pair that its publisher's own digest refuses, and the evidence that was kept."""

from dataclasses import dataclass

from lakebed.model.location import Location


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One entry, under its archive. `since` in epoch seconds, sizes in bytes."""

    location: Location
    """The archive at its source, with its full key."""
    since: float
    operation_id: str
    """The operation that met it last; it may have been pruned since."""
    source_etag: str
    """Of the archive."""
    digest_etag: str
    """Of the sidecar."""
    refused: str = ""
    """What was wrong, in words."""
    expected: str | None = None
    """The SHA-256 (hex) that the sidecar names, where it names one."""
    found: str | None = None
    """The SHA-256 (hex) that the bytes have, where they were read."""
    archive_size: int | None = None
    sidecar_size: int | None = None
