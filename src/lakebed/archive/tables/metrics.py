"""Open interest and ratios every five minutes: time as text, blanks, and not in time order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random

from lakebed.archive.keys import ArchiveKey
from lakebed.archive.tables.table import Fields, amount, decimal

_ROWS = 288
_STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Metrics:
    row_bytes: int = 128

    def columns(self, market: str) -> str:
        return (
            "create_time,symbol,sum_open_interest,sum_open_interest_value,"
            "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
            "count_long_short_ratio,sum_taker_long_short_vol_ratio"
        )

    def template(self, draw: Random, market: str) -> str:
        interest = amount(10**12, 10**13, draw)
        ratios = [decimal(amount(10**7, 4 * 10**8, draw)) for _ in range(4)]
        if draw.random() < 0.02:
            ratios[0] = '""'
        return f"%s,%s,{decimal(interest)},{decimal(interest * 40_000)},{','.join(ratios)}\n"

    def count(self, key: ArchiveKey, size: int) -> int:
        return _ROWS

    def fields(self, key: ArchiveKey, count: int, draw: Random) -> Iterator[Fields]:
        start = datetime.combine(key.start, time(), UTC)
        shift = int(draw.random() * count)
        for number in range(count):
            moment = start + _STEP * ((number + shift) % count)
            yield f"{moment:%Y-%m-%d %H:%M:%S}", key.symbol
