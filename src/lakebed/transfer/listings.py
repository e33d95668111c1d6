"""The two listings of an operation, read at once and merged into couples, from a cursor on."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice

from lakebed.errors import UsageError
from lakebed.model.objects import Object
from lakebed.model.pair import sidecar_of
from lakebed.store.ahead import Ahead
from lakebed.store.capabilities import Capability
from lakebed.store.contract import PAGE_LIMIT
from lakebed.store.listing import sorted_objects
from lakebed.store.ranges import ranged_pages
from lakebed.transfer.inventory import inventoried
from lakebed.transfer.lookups import looked_up
from lakebed.transfer.merge import Couple, Entry, pairs
from lakebed.transfer.now import listed_alone
from lakebed.transfer.reading import Reading
from lakebed.transfer.sides import Side, Sides
from lakebed.transfer.stretch import Stretch
from lakebed.transfer.wanted import wanted


@contextmanager
def couples(
    sides: Sides, after: str = "", *, skim: bool = False
) -> Iterator[Iterator[Couple | Stretch]]:
    """What both ends hold after the relative key `after`, archives with their sidecars; of both
    a few pages are read ahead while the scope lasts. See `merge.pairs`. Where keys are named, no
    others are looked for; where there is an inventory, the source is not listed."""
    source, destination, inventory = sides.source, sides.destination, sides.options.inventory
    if not source.location.is_folder:
        yield _exactly_one(sides, after)
        return
    with ExitStack() as stack:
        keys = stack.enter_context(wanted(sides.options.filters, source.sidecars))

        def read(side: Side) -> Reading:
            found: Iterator[Sequence[Object]]
            if keys is not None:
                found = looked_up(side, keys, after)
            elif inventory is not None and side is source:
                found = inventoried(inventory, side.location, after, sides.cancellation)
            else:
                found = listed(side, after)
            return Reading(
                stack.enter_context(Ahead(found, sides.cancellation)), len(side.location.path)
            )

        left, right = read(source), read(destination)
        yield pairs(left, right, source.sidecars, after=after, skim=skim)


def listed(side: Side, after: str = "") -> Iterator[Sequence[Object]]:
    """The objects of a folder in key order, also where the store lists them in another one."""
    location = side.location
    start = location.path + after if after else ""
    if Capability.ORDERED in side.capabilities:
        return ranged_pages(side.store, location.bucket, location.path, after=start)
    found = sorted_objects(side.store, location.bucket, location.path, after=start)
    return iter(lambda: tuple(islice(found, PAGE_LIMIT)), ())


def _exactly_one(sides: Sides, after: str) -> Iterator[Couple]:
    """One key, which may have another name at the destination; its sidecar is read, not copied."""
    source, destination = sides.source, sides.destination
    path = source.location.path
    name = source.location.relative(path)
    if after >= name:
        return
    found = listed_alone(source, path)
    if found is None:
        raise UsageError(
            "there is no such object",
            subject=str(source.location),
            advice="a folder's location ends in /",
        )
    held = listed_alone(destination, destination.location.key(name))
    digest = listed_alone(source, sidecar_of(path)) if source.sidecars else None
    yield Couple(Entry(name, found, held), None, name, digest)
