"""How much a caller may ask: one bucket of tokens a caller, which all replicas draw from.

A replica takes tokens from the database in blocks, and answers from its block. What replicas hold
is written beside the bucket, which holds so much less meanwhile: so the bucket and all blocks
together never have more than the burst, and never grow faster than the rate.
"""

import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select, update

from lakebed.database.clock import Clock
from lakebed.database.dialect import insert_into
from lakebed.database.tables import rates
from lakebed.database.transaction import writing
from lakebed.errors import TooManyRequests

BLOCK = 20
"""Tokens that a replica takes at once, where there are many."""
SHARE = 4
"""It takes one of so many that are left, at the most: others may need the rest."""
HELD = 20.0
"""Seconds after which what is left of a block is void."""
SKEW = 60.0
"""Seconds by which two clocks of replicas may differ; more is a clock that was set."""
MOST_CALLERS = 4096
"""Callers whose blocks a replica remembers; the block of another is void."""
SHORTEST = 0.001
"""Seconds that a refusal holds for, at the least."""
STRIPES = 16
"""Callers for whom blocks are fetched at the same time."""
FORGOTTEN = 86_400.0
"""Seconds after which nothing is known of a caller who asked nothing."""

Leases = dict[str, tuple[int, float]]
"""Tokens and the end of each block, by replica."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Tokens a second, and how many there can be at once."""

    rate: float
    burst: int

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket fills."""
        return math.ceil(self.burst / self.rate)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How a caller stands, as far as this replica knows."""

    limit: Limit
    left: int

    def headers(self) -> dict[str, str]:
        """Those of the IETF's draft on rate limits."""
        full = math.ceil((self.limit.burst - self.left) / self.limit.rate)
        return {
            "RateLimit-Policy": f'"caller";q={self.limit.burst};w={self.limit.window}',
            "RateLimit": f'"caller";r={self.left};t={full}',
        }


@dataclass(slots=True)
class _Block:
    tokens: int
    in_bucket: int
    until: float
    """By the clock of this process that nobody sets."""
    refuses: bool = False
    """There was nothing, and will not be before `until`."""
    spent: float = math.inf
    """When its last token went, by the same clock."""


class Rates:
    """`replica` is a name that no other process has. Its methods may be called from any thread."""

    def __init__(
        self,
        engine: Engine,
        replica: str,
        clock: Clock = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._replica = replica
        self._now = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._leasing = tuple(threading.Lock() for _ in range(STRIPES))
        self._blocks: OrderedDict[str, _Block] = OrderedDict()

    def spend(self, caller: str, limit: Limit) -> Allowance | None:
        """Take a token of the block that is here; None where the database has to be asked.

        Raises TooManyRequests.
        """
        with self._lock:
            block = self._blocks.get(caller)
            left = block.until - self._steady() if block else 0.0
            if block is None or left <= 0:
                return None
            if block.refuses:
                raise TooManyRequests(
                    "too many requests", retry_after=left, advice="ask less often"
                )
            if block.tokens < 1:
                return None
            self._blocks.move_to_end(caller)
            block.tokens -= 1
            if not block.tokens:
                block.spent = self._steady()
            return Allowance(limit, block.tokens + block.in_bucket)

    def take(self, caller: str, limit: Limit) -> Allowance:
        """Take a token, and a block of them from the database where none is here.

        Raises TooManyRequests, LedgerError.
        """
        found = self.spend(caller, limit)
        if found is None:
            with self._leasing[hash(caller) % STRIPES]:
                while (found := self.spend(caller, limit)) is None:
                    self._put(caller, self._lease(caller, limit))
        return found

    def _put(self, caller: str, block: _Block) -> None:
        with self._lock:
            self._blocks[caller] = block
            self._blocks.move_to_end(caller)
            while len(self._blocks) > MOST_CALLERS:
                self._blocks.popitem(last=False)

    def _spent(self, caller: str, steady: float, now: float) -> float:
        """When what this replica held of the bucket was spent, in epoch seconds; `now` where it was
        not, or is not known."""
        with self._lock:
            block = self._blocks.get(caller)
            return now - (steady - block.spent) if block and block.spent <= steady else now

    def _lease(self, caller: str, limit: Limit) -> _Block:
        """What this replica held of the bucket is spent or void."""
        before, now = self._steady(), self._now()
        spent = self._spent(caller, before, now)
        with writing(self._engine) as connection:
            tokens, at, known = self._bucket(connection, caller, limit, now)
            leases = {
                replica: (held, until)
                for replica, (held, until) in known.items()
                if replica != self._replica and now < until <= now + HELD + SKEW
            }
            ends = [
                min(until, spent if replica == self._replica else now)
                for replica, (_, until) in known.items()
            ]
            moments = at, max(ends, default=at), now
            held, kept = (sum(one for one, _ in each.values()) for each in (known, leases))
            tokens = _refilled(tokens, limit, moments, held, kept)
            taken = min(BLOCK, max(math.floor(tokens / SHARE), 1)) if tokens >= 1 else 0
            if taken:
                leases[self._replica] = (taken, now + HELD)
            connection.execute(
                update(rates)
                .where(rates.c.caller == caller)
                .values(
                    tokens=tokens - taken,
                    at=at if now < at <= now + SKEW else now,
                    leases=json.dumps(leases),
                )
            )
        if taken:
            return _Block(taken, max(0, math.floor(tokens - taken)), before + HELD)
        return _Block(0, 0, before + max((1 - tokens) / limit.rate, SHORTEST), refuses=True)

    def _bucket(
        self, connection: Connection, caller: str, limit: Limit, now: float
    ) -> tuple[float, float, Leases]:
        """The caller's row, which nobody else changes until this transaction ends."""
        row = {"caller": caller, "tokens": float(limit.burst), "at": now, "leases": "{}"}
        new = insert_into(self._engine, rates).values(row).on_conflict_do_nothing()
        if connection.execute(new).rowcount:
            connection.execute(delete(rates).where(rates.c.at < now - FORGOTTEN))
        found = connection.execute(
            select(rates).where(rates.c.caller == caller).with_for_update()
        ).mappings()
        kept = found.one()
        return kept["tokens"], kept["at"], json.loads(kept["leases"])


def _refilled(
    tokens: float, limit: Limit, moments: tuple[float, float, float], held: int, kept: int
) -> float:
    """What is in a bucket, by the moments at which it was counted, at which the last of the blocks
    that were `held` was over, and now, while `kept` of them are not.

    While a block is out the bucket has room for so much less: what is spent of it late, the bucket
    must not have grown by meanwhile.
    """
    at, over, now = moments
    over = max(at, min(over, now))
    tokens = max(tokens, min(tokens + limit.rate * (over - at), float(limit.burst - held)))
    return min(tokens + limit.rate * max(0.0, now - over), float(limit.burst - kept))
