"""How operations stand, as answers that are kept for a moment: many ask about the same one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread

from lakebed.executor.status import told_of
from lakebed.model.operation import Request
from lakebed.operations.ledger import Ledger
from lakebed.operations.standing import standing

AGE = 0.1
"""Seconds for which an answer is given again: a fraction of what progress is told in."""
MOST = 1000
"""Answers that are kept."""


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a caller may see it, `request` tells; that is checked each time. `body` is JSON."""

    request: Request
    body: bytes
    until: float = field(default_factory=lambda: time.monotonic() + AGE)


class Statuses:
    """Of one replica. Those who ask while an answer is on its way wait for the same one."""

    def __init__(self, ledger: Callable[[], Ledger], limiter: CapacityLimiter) -> None:
        self._ledger, self._limiter = ledger, limiter
        self._known: dict[str, Known] = {}
        self._asked: dict[str, asyncio.Task[Known]] = {}

    async def of(self, operation_id: str) -> Known:
        """Raises UnknownOperation, LedgerError."""
        known = self._known.get(operation_id)
        if known is not None and time.monotonic() < known.until:
            return known
        asked = self._asked.get(operation_id)
        if asked is None:
            asked = self._asked[operation_id] = asyncio.create_task(self._ask(operation_id))
            asked.add_done_callback(lambda _: self._asked.pop(operation_id, None))
        # One caller that goes away must not take the answer from the others.
        return await asyncio.shield(asked)

    def forget(self, operation_id: str) -> None:
        """It has just changed."""
        self._known.pop(operation_id, None)
        self._asked.pop(operation_id, None)

    async def _ask(self, operation_id: str) -> Known:
        found = await to_thread.run_sync(self._read, operation_id, limiter=self._limiter)
        if self._asked.get(operation_id) is asyncio.current_task():
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[operation_id] = found
        return found

    def _read(self, operation_id: str) -> Known:
        ledger = self._ledger()
        found = standing(ledger, operation_id)
        return Known(found.operation.request, told_of(ledger, found).model_dump_json().encode())
