"""What a type's file holds: a header where there is one, and rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from random import Random
from typing import Protocol

from lakebed.archive.keys import ArchiveKey

Fields = tuple[int | str, ...]

MICROSECOND_ERA = date(2025, 1, 1)
"""Spot files that start on this day or later count microseconds, all others milliseconds."""


class Table(Protocol):
    """Rows of one type: a stock of templates is drawn once, then filled in for each file."""

    @property
    def row_bytes(self) -> int:
        """About the length of a row."""
        ...

    def columns(self, market: str) -> str:
        """The header's text."""
        ...

    def template(self, draw: Random, market: str) -> str:
        """A row with its final newline, and a `%` placeholder for each of `fields`."""
        ...

    def count(self, key: ArchiveKey, size: int) -> int:
        """How many rows the file has; `size` in bytes, where activity decides."""
        ...

    def fields(self, key: ArchiveKey, count: int, draw: Random) -> Iterator[Fields]:
        """What differs from file to file: times and numbers, for each row."""
        ...


def ticks_per_second(key: ArchiveKey) -> int:
    """In which unit the file counts time."""
    micro = key.market == "spot" and key.start >= MICROSECOND_ERA
    return 1_000_000 if micro else 1_000


def ticks(key: ArchiveKey) -> tuple[int, int]:
    """The file's first moment, and the first one after it, in its own unit."""
    unit = ticks_per_second(key)
    return _epoch(key.start) * unit, _epoch(key.end) * unit


def _epoch(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def amount(low: int, high: int, draw: Random) -> int:
    """A number of 1e-8 units, from `low` up to `high`. Integers: no machine rounds another way."""
    return low + int(draw.random() * (high - low))


def decimal(units: int) -> str:
    """1e-8 units as the publisher writes them: always eight decimals."""
    return f"{units // 10**8}.{units % 10**8:08d}"
