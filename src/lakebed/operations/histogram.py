"""Counting rows in bins, in the database: what comes back has the size of the bins."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, ColumnElement, Integer, case, literal

from lakebed.model.report import Bin

Counted = Mapping[int, tuple[int, int]]
"""Objects and bytes by the number of their bin."""


def bin_number(
    value: Column[int] | Column[float], bounds: Sequence[float], first: int = 0
) -> ColumnElement[int]:
    """How many of the ascending `bounds` are not above `value`: a binary search in SQL, since
    neither database has a logarithm that the other has too."""
    if not bounds:
        return literal(first, Integer)
    middle = len(bounds) // 2
    below = bin_number(value, bounds[:middle], first)
    above = bin_number(value, bounds[middle + 1 :], first + middle + 1)
    return case((value < bounds[middle], below), else_=above)


def bins(counted: Counted, edges: Sequence[float]) -> tuple[Bin, ...]:
    """Bin n lies between edges n and n + 1; from the first that holds something to the last."""
    if not counted:
        return ()
    return tuple(
        Bin(edges[number], edges[number + 1], *counted.get(number, (0, 0)))
        for number in range(min(counted), max(counted) + 1)
    )
