"""Candles: one row for each interval of the period, none missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as endless
from random import Random

from lakebed.archive.keys import ArchiveKey
from lakebed.archive.tables.table import Fields, amount, decimal, ticks, ticks_per_second

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class Klines:
    row_bytes: int = 140

    def columns(self, market: str) -> str:
        return (
            "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
            "taker_buy_volume,taker_buy_quote_volume,ignore"
        )

    def template(self, draw: Random, market: str) -> str:
        opened = amount(10**12, 10**13, draw)
        closed = opened + amount(-(10**9), 10**9, draw)
        high = max(opened, closed) + amount(0, 10**9, draw)
        low = min(opened, closed) - amount(0, 10**9, draw)
        volume = amount(10**6, 10**11, draw)
        taken = amount(0, volume, draw)
        prices = ",".join(map(decimal, (opened, high, low, closed)))
        quote, taken_quote = (decimal(part * opened // 10**8) for part in (volume, taken))
        trades = amount(1, 5000, draw)
        return (
            f"%d,{prices},{decimal(volume)},%d,{quote},{trades},{decimal(taken)},{taken_quote},0\n"
        )

    def count(self, key: ArchiveKey, size: int) -> int:
        first, end = ticks(key)
        return -(-(end - first) // self._step(key))

    def fields(self, key: ArchiveKey, count: int, draw: Random) -> Iterator[Fields]:
        first, end = ticks(key)
        step = self._step(key)
        return zip(range(first, end, step), endless(first + step - 1, step), strict=False)

    def _step(self, key: ArchiveKey) -> int:
        first, end = ticks(key)
        if key.interval == "1mo":
            return end - first
        return int(key.interval[:-1]) * _UNITS[key.interval[-1]] * ticks_per_second(key)
