"""Single trades: as many as the market was busy."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as endless
from itertools import islice
from random import Random

from lakebed.archive.keys import ArchiveKey
from lakebed.archive.tables.table import Fields, amount, decimal, ticks


@dataclass(frozen=True, slots=True)
class Trades:
    row_bytes: int = 76

    def columns(self, market: str) -> str:
        other = "base_qty" if market == "futures/cm" else "quote_qty"
        return f"id,price,qty,{other},time,is_buyer_maker"

    def template(self, draw: Random, market: str) -> str:
        price, quantity = amount(10**12, 10**13, draw), amount(10**4, 10**9, draw)
        numbers = ",".join(map(decimal, (price, quantity, price * quantity // 10**8)))
        maker = draw.random() < 0.5
        flags = f"{maker},True" if market == "spot" else str(maker).lower()
        return f"%d,{numbers},%d,{flags}\n"

    def count(self, key: ArchiveKey, size: int) -> int:
        return max(1, size // self.row_bytes)

    def fields(self, key: ArchiveKey, count: int, draw: Random) -> Iterator[Fields]:
        first, end = ticks(key)
        numbers = endless(10**9 + draw.getrandbits(30))
        return islice(zip(numbers, endless(first, (end - first) // count), strict=False), count)
