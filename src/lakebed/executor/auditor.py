"""What keeps the audit log of a replica: enters facts, counts floods, exports heads."""

import asyncio
import json
import logging
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from starlette.requests import HTTPConnection

from lakebed.audit.entry import Fact
from lakebed.audit.heads import Head, export
from lakebed.audit.log import Log
from lakebed.errors import LakebedError

EVERY = 60.0
"""Seconds between two heads, and of the window in which refusals are counted."""
EACH = 100
"""Entries of this replica after which a head is exported sooner."""
MOST_ORIGINS = 1000
"""Origins that are told apart in a window; all others count as one."""
OTHERS = "others"
_SITE = 64
"""Bits of an IPv6 address that name who has it: the rest is chosen freely."""
_log = logging.getLogger(__name__)


def address_of(connection: HTTPConnection) -> str:
    """From where a request came; of IPv6 the network."""
    host = connection.client.host if connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return str(ip_network((address, _SITE), strict=False))
    return str(address)


class Refusals:
    """How many refusals each origin had in this window; beyond the bound they are only counted."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._beyond: dict[str, Counter[int]] = {}

    def admits(self, origin: str, status: int, most: int) -> bool:
        if origin not in self._seen and len(self._seen) >= MOST_ORIGINS:
            origin = OTHERS
        self._seen[origin] += 1
        if self._seen[origin] <= most:
            return True
        self._beyond.setdefault(origin, Counter())[status] += 1
        return False

    def close(self) -> list[Fact]:
        """What was only counted, and a new window."""
        beyond, self._beyond = self._beyond, {}
        self._seen.clear()
        return [
            Fact("lakebed", "refused more", origin, json.dumps({"statuses": counts}))
            for origin, counts in beyond.items()
        ]


class Auditor:
    """Runs from `start` until `stop` has returned."""

    def __init__(self, log: Log, heads: Path) -> None:
        self.refusals = Refusals()
        self._log, self._heads = log, heads
        self._entered = 0
        self._exported = 0
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self, *facts: Fact) -> int:
        """The number of the last. Blocks; raises LedgerError."""
        entry = self._log.append(facts)
        self._entered += len(facts)
        if self._entered >= EACH and self._loop is not None:
            self._loop.call_soon_threadsafe(self._due.set)
        return entry.number

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Enter what was counted and export the head, for the last time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await asyncio.to_thread(self.settle)

    def settle(self) -> None:
        """Close the window of refusals, export the head. Never raises: a log says what failed."""
        counted = self.refusals.close()
        try:
            if counted:
                self._log.append(counted)
            self._entered = 0
            last = self._log.last()
            if last is not None and last.number > self._exported:
                export(self._heads, Head.of(last))
                self._exported = last.number
        except LakebedError as error:
            _log.warning("audit: %s", error)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(EVERY):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            await asyncio.to_thread(self.settle)
