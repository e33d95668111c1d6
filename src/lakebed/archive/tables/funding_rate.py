"""What holders of futures pay each other: every eight hours, a few milliseconds late."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from lakebed.archive.keys import ArchiveKey
from lakebed.archive.tables.table import Fields, amount, decimal, ticks

_HOURS = 8
_STEP = _HOURS * 3600 * 1000
_LATEST = 13
"""Milliseconds after the hour, as far as real files go."""


@dataclass(frozen=True, slots=True)
class FundingRate:
    row_bytes: int = 28

    def columns(self, market: str) -> str:
        return "calc_time,funding_interval_hours,last_funding_rate"

    def template(self, draw: Random, market: str) -> str:
        sign = "-" if draw.random() < 0.3 else ""
        return f"%d,{_HOURS},{sign}{decimal(amount(1, 30_000, draw))}\n"

    def count(self, key: ArchiveKey, size: int) -> int:
        first, end = ticks(key)
        return (end - first) // _STEP

    def fields(self, key: ArchiveKey, count: int, draw: Random) -> Iterator[Fields]:
        first, end = ticks(key)
        return ((hour + int(draw.random() * (_LATEST + 1)),) for hour in range(first, end, _STEP))
