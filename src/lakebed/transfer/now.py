"""What one end holds of one key by now."""

from datetime import UTC, datetime

from lakebed.errors import ObjectMissing
from lakebed.model.location import MAX_KEY_BYTES
from lakebed.model.objects import Object
from lakebed.transfer.sides import Side

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def held_now(side: Side, relative: str) -> Object | None:
    """What one end holds of a relative key by now; a listing may be hours old."""
    key = side.location.key(relative)
    if not 0 < len(key.encode()) <= MAX_KEY_BYTES:
        return None  # asked for an empty key, a store would answer for its bucket
    try:
        head = side.store.head(side.bucket, key)
    except ObjectMissing:
        return None
    return Object(key, head.size, head.etag, head.modified or _LONG_AGO)


def listed_alone(side: Side, key: str) -> Object | None:
    """As the store lists it. Where others begin with the same text, its own name comes first."""
    page = side.store.list_page(side.bucket, key, limit=1)
    return next((found for found in page.objects if found.key == key), None)
