"""Trades of one taker at one price, added up."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as endless
from itertools import islice
from random import Random

from lakebed.archive.keys import ArchiveKey
from lakebed.archive.tables.table import Fields, amount, decimal, ticks


@dataclass(frozen=True, slots=True)
class AggTrades:
    row_bytes: int = 83

    def columns(self, market: str) -> str:
        return (
            "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
        )

    def template(self, draw: Random, market: str) -> str:
        price, quantity = amount(10**12, 10**13, draw), amount(10**4, 10**9, draw)
        maker = draw.random() < 0.5
        flags = f"{maker},True" if market == "spot" else str(maker).lower()
        return f"%d,{decimal(price)},{decimal(quantity)},%d,%d,%d,{flags}\n"

    def count(self, key: ArchiveKey, size: int) -> int:
        return max(1, size // self.row_bytes)

    def fields(self, key: ArchiveKey, count: int, draw: Random) -> Iterator[Fields]:
        first, end = ticks(key)
        number, trade = draw.getrandbits(30), 10**9 + draw.getrandbits(30)
        rows = zip(
            endless(number),
            endless(trade, 2),
            endless(trade + 1, 2),
            endless(first, (end - first) // count),
            strict=False,
        )
        return islice(rows, count)
