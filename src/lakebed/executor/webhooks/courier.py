"""Sends what is to be told of operations, from start to stop of a replica."""

import asyncio
import json
import logging
import random
import time
from datetime import UTC, datetime

from lakebed.errors import LakebedError, LedgerError
from lakebed.executor.status import status_of
from lakebed.executor.webhooks import signing
from lakebed.executor.webhooks.address import Resolve, resolved
from lakebed.executor.webhooks.deliveries import Deliveries, Delivery, Due, Kind, State
from lakebed.executor.webhooks.post import UNDELIVERED, post
from lakebed.operations.ledger import Ledger
from lakebed.operations.queue import Queue
from lakebed.settings import Settings
from lakebed.settings.webhooks import WebhookSettings

POLL = 1.0
"""Seconds between two looks at what has ended, here or elsewhere."""
EVERY = 30
"""Seconds between two words on the progress of an operation."""
FIRST, LONGEST = 5.0, 3600.0
"""Seconds: the bound of the first pause doubles up to the longest; each pause is random below."""
GRACE = 30.0
"""Seconds beyond its deadline after which a delivery that is not settled is taken up again."""
GONE = 410
"""How a receiver says that it wants to hear no more."""
_log = logging.getLogger(__name__)


class Courier:
    """Any replica may send any delivery; each is claimed by one."""

    def __init__(
        self,
        settings: WebhookSettings,
        ledger: Ledger,
        queue: Queue,
        key: bytes,
        resolve: Resolve = resolved,
    ) -> None:
        self.settings = settings
        self.deliveries = Deliveries(queue.engine, queue.now)
        self._ledger, self._queue = ledger, queue
        self._key, self._resolve = key, resolve
        self._slot = 0
        self._task: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def secret_of(self, caller: str) -> bytes:
        return signing.secret_of(self._key, caller)

    def apply(self, settings: Settings) -> None:
        """What is sent from now on is sent as these say."""
        self.settings = settings.webhooks

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """What is under way is left to another replica, or to the next start."""
        tasks = [*self._sending, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.look)
                await self._send()
            except LedgerError as error:
                _log.warning("webhooks: %s", error)
            except Exception:
                _log.exception("webhooks")  # the next look may find others
            await asyncio.sleep(POLL)

    def look(self) -> None:
        """Add a delivery for each end, and now and then one for what runs. Raises LedgerError."""
        for due in self.deliveries.ended():
            self.add(due, Kind.COMPLETED)
        slot = int(self.deliveries.now() // EVERY)
        if slot == self._slot:
            return
        self._slot = slot
        for due in self.deliveries.running():
            self.add(due, Kind.PROGRESS, slot)
        self.deliveries.forget()

    def add(self, due: Due, kind: Kind, slot: int = 0) -> None:
        """Have it told how the operation stands. Raises LedgerError."""
        try:
            status = status_of(self._ledger, due.operation)
        except LedgerError:
            raise
        except LakebedError as error:  # it was pruned meanwhile
            _log.warning("webhooks: %s", error)
            return
        told = {
            "type": f"operation.{kind}",
            "timestamp": datetime.fromtimestamp(self.deliveries.now(), UTC).isoformat(),
            "data": status.model_dump(mode="json"),
        }
        self.deliveries.add(due, kind, json.dumps(told), slot)

    async def _send(self) -> None:
        room = self.settings.at_once - len(self._sending)
        if room <= 0:
            return
        lease = self.settings.deadline + GRACE
        for delivery in await asyncio.to_thread(self.deliveries.claim, room, lease):
            task = asyncio.create_task(self.deliver(delivery))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def deliver(self, delivery: Delivery) -> None:
        """Send it, and note how that went."""
        body = delivery.body.encode()
        headers = signing.headers(self.secret_of(delivery.caller), delivery.id, time.time(), body)
        try:
            status = await post(delivery.url, headers, body, self.settings, self._resolve)
        except UNDELIVERED as error:
            await self._note(delivery, None, str(error) or type(error).__name__)
        else:
            await self._note(delivery, status, f"the receiver answered {status}")

    async def _note(self, delivery: Delivery, status: int | None, message: str) -> None:
        try:
            await asyncio.to_thread(self._settle, delivery, status, message)
        except LedgerError as error:  # it is sent again, under the same id
            _log.warning("webhooks: %s", error)

    def _settle(self, delivery: Delivery, status: int | None, message: str) -> None:
        if status is not None and 200 <= status < 300:
            self.deliveries.settle(delivery, State.SENT)
            return
        age = self.deliveries.now() - delivery.created
        late = age >= self.settings.patience or delivery.kind is Kind.PROGRESS
        if late or status == GONE:
            _log.warning("webhooks: %s is given up: %s", delivery.id, message)
            self.deliveries.settle(delivery, State.GIVEN_UP, message)
            return
        if delivery.attempts <= 1:
            _log.warning("webhooks: %s is tried again: %s", delivery.id, message)
        self.deliveries.again(delivery, pause(delivery.attempts), message)


def pause(attempts: int) -> float:
    """Full jitter: receivers that come back are not met by all at once."""
    return random.uniform(0, min(LONGEST, FIRST * 2.0 ** min(attempts, 20)))
