"""How operations stand, as answers that are kept for a moment: many ask about the same one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from anyio import CapacityLimiter, to_thread

from lakebed.executor.status import told_of
from lakebed.model.operation import Request
from lakebed.operations.ledger import Ledger
from lakebed.operations.standing import standing

AGE = 0.1
"""Seconds for which an answer is given again."""
STALE = 0.5
"""Seconds for which it is still given while a newer one is on its way: of a running operation there
is a new word only once a second."""
MOST = 1000
"""Answers that are kept."""


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a caller may see it, `request` tells; that is checked each time. `body` is JSON."""

    request: Request
    body: bytes
    at: float = field(default_factory=time.monotonic)


class Statuses:
    """Of one replica. Those who ask while an answer is on its way share it."""

    def __init__(self, ledger: Callable[[], Ledger], limiter: CapacityLimiter) -> None:
        self._ledger, self._limiter = ledger, limiter
        self._known: dict[str, Known] = {}
        self._asked: dict[str, asyncio.Task[Known]] = {}

    async def of(self, operation_id: str) -> Known:
        """Raises UnknownOperation, LedgerError."""
        known = self._known.get(operation_id)
        age = time.monotonic() - known.at if known else STALE
        if known and age < AGE:
            return known
        asked = self._asked.get(operation_id)
        if asked is None:
            asked = self._asked[operation_id] = asyncio.create_task(self._ask(operation_id))
            asked.add_done_callback(partial(self._answered, operation_id))
        if known and age < STALE:
            return known
        # One caller that goes away must not take the answer from the others.
        return await asyncio.shield(asked)

    def forget(self, operation_id: str) -> None:
        """It has just changed."""
        self._known.pop(operation_id, None)
        self._asked.pop(operation_id, None)

    def _answered(self, operation_id: str, task: asyncio.Task[Known]) -> None:
        if self._asked.get(operation_id) is task:
            del self._asked[operation_id]
        if not task.cancelled():
            task.exception()  # whoever waits is told; where nobody does, the next one asks again

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
