"""The two listings of an operation, read at once and merged into couples, from a cursor on."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import islice

from lakebed.errors import ObjectMissing, UsageError
from lakebed.model.location import MAX_KEY_BYTES
from lakebed.model.objects import Object
from lakebed.model.pair import sidecar_of
from lakebed.store.ahead import Ahead
from lakebed.store.capabilities import Capability
from lakebed.store.contract import PAGE_LIMIT
from lakebed.store.listing import sorted_objects
from lakebed.store.ranges import ranged_pages
from lakebed.transfer.merge import Couple, Entry, pairs
from lakebed.transfer.reading import Reading
from lakebed.transfer.sides import Side, Sides
from lakebed.transfer.stretch import Stretch

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@contextmanager
def couples(
    sides: Sides, after: str = "", *, skim: bool = False
) -> Iterator[Iterator[Couple | Stretch]]:
    """What both ends hold after the relative key `after`, archives with their sidecars; of both
    a few pages are read ahead while the scope lasts. See `merge.pairs`."""
    source, destination = sides.source, sides.destination
    if not source.location.is_folder:
        yield _exactly_one(sides, after)
        return
    with ExitStack() as stack:
        left, right = (
            Reading(
                stack.enter_context(Ahead(listed(side, after), sides.cancellation)),
                len(side.location.path),
            )
            for side in (source, destination)
        )
        yield pairs(left, right, source.sidecars, after=after, skim=skim)


def listed(side: Side, after: str = "") -> Iterator[Sequence[Object]]:
    """The objects of a folder in key order, also where the store lists them in another one."""
    location = side.location
    start = location.path + after if after else ""
    if Capability.ORDERED in side.capabilities:
        return ranged_pages(side.store, location.bucket, location.path, after=start)
    found = sorted_objects(side.store, location.bucket, location.path, after=start)
    return iter(lambda: tuple(islice(found, PAGE_LIMIT)), ())


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


def _exactly_one(sides: Sides, after: str) -> Iterator[Couple]:
    """One key, which may have another name at the destination; its sidecar is read, not copied."""
    source, destination = sides.source, sides.destination
    path = source.location.path
    name = source.location.relative(path)
    if after >= name:
        return
    found = _one(source, path)
    if found is None:
        raise UsageError(
            "there is no such object",
            subject=str(source.location),
            advice="a folder's location ends in /",
        )
    held = _one(destination, destination.location.key(name))
    digest = _one(source, sidecar_of(path)) if source.sidecars else None
    yield Couple(Entry(name, found, held), None, name, digest)


def _one(side: Side, key: str) -> Object | None:
    """As the store lists it. Where others begin with the same text, its own name comes first."""
    page = side.store.list_page(side.bucket, key, limit=1)
    return next((found for found in page.objects if found.key == key), None)
