"""How fast an operation moved, over its time: bins of one width, counted in the database.

An object is counted in the bin in which it was done. Its bytes are spread evenly over the time
that it took, for a large one moves through many bins and would else be a peak in the last.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Integer, case, cast, func, select

from lakebed.database.tables import objects
from lakebed.model.report import Bin

BINS = 100
"""At most: what a plot of usual width can show."""
NARROWEST = 0.25
"""Seconds of a bin: what is done is written in groups, so the ledger tells no finer."""


class Group(NamedTuple):
    """Objects that began in one bin and were done in another. Sums; seconds since the start."""

    first: int
    last: int
    objects: int
    bytes: float
    rates: float
    """Bytes per second."""
    rates_begun: float
    """Each rate times the second in which its object began."""


def throughput(
    connection: Connection, arrived: ColumnElement[bool], started: float
) -> tuple[Bin, ...]:
    """The bins from the start to the last of the objects that `arrived`."""
    last = connection.scalar(select(func.max(objects.c.finished)).where(arrived))
    if last is None:
        return ()
    span = max(last - started, NARROWEST)
    count = min(BINS, int(span / NARROWEST))
    return spread(_groups(connection, arrived, started, count, span / count), count, span / count)


def spread(groups: Iterable[Group], count: int, width: float) -> tuple[Bin, ...]:
    held, moved = [0] * count, [0.0] * count
    for group in groups:
        held[group.last] += group.objects
        left = group.bytes
        for number in range(group.first, group.last):
            passed = group.rates * width
            if number == group.first:
                passed = group.rates * width * (number + 1) - group.rates_begun
            moved[number] += passed
            left -= passed
        moved[group.last] += left
    # Rounded as sums, so that the whole bytes of all bins are those of all objects.
    totals = accumulate(accumulate(moved, initial=0.0), max)
    sizes = [after - before for before, after in pairwise(map(round, totals))]
    return tuple(
        Bin(width * number, width * (number + 1), held[number], sizes[number])
        for number in range(count)
    )


def _groups(
    connection: Connection, arrived: ColumnElement[bool], started: float, count: int, width: float
) -> Iterable[Group]:
    table = objects.c
    done = table.finished - started
    begun = done - table.seconds
    rate = table.size / func.nullif(table.seconds, 0.0)
    first = _number(connection, begun / width, count).label("first_bin")
    last = _number(connection, done / width, count).label("last_bin")
    sums = (func.sum(table.size), func.sum(rate), func.sum(rate * begun))
    query = select(first, last, func.count(), *sums).where(arrived)
    for row in connection.execute(query.group_by("first_bin", "last_bin")):
        number, until, held, *rest = row
        size, rates, rates_begun = (float(value or 0) for value in rest)
        yield Group(number, until, held, size, rates, rates_begun)


def _number(
    connection: Connection, place: ColumnElement[float | Decimal], count: int
) -> ColumnElement[int]:
    """The last moment ends the last bin; a clock that was set back is before the first.

    What is left is not negative, so that SQLite's cast cuts it; PostgreSQL's would round."""
    whole = place if connection.dialect.name == "sqlite" else func.floor(place)
    return case((place < 0, 0), (place >= count, count - 1), else_=cast(whole, Integer))
