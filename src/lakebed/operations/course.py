"""The course of an operation: how fast it was, and how much was in flight, over its time."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine, func, select

from lakebed.database.tables import events
from lakebed.database.transaction import reading

POINTS = 120
"""At most: what a plot of usual width can show."""


class Point(NamedTuple):
    """What was said of the progress in one word. Bytes a second; seconds that its runs took."""

    number: int
    """Of the event."""
    seconds: float
    throughput: float
    in_flight: int


def course(engine: Engine, operation_id: str, most: int = POINTS) -> Sequence[Point]:
    """The last word on the progress in each of `most` equal spans of events; none where no
    process told of it."""
    table = events.c
    of_it = (table.operation == operation_id) & (table.kind == "progress")
    last_number = select(func.max(table.number)).where(of_it).scalar_subquery()
    span = table.number * most // (last_number + 1)
    chosen = select(func.max(table.number)).where(of_it).group_by(span)
    query = select(table.number, table.data).where(
        table.operation == operation_id, table.number.in_(chosen)
    )
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(table.number)).all()
    return [_point(row.number, json.loads(row.data)) for row in rows]


def _point(number: int, told: dict[str, float]) -> Point:
    return Point(number, told["seconds"], told["throughput"], int(told["in_flight"]))
