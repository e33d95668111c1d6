"""What a replica clears away now and then; that several do it at once does no harm."""

import asyncio
import logging
from collections.abc import Callable

from lakebed.errors import LedgerError
from lakebed.operations.ledger import Ledger
from lakebed.operations.retention import forget_events

EVERY = 3600.0
"""Seconds from one time to the next."""
KEPT = 86_400.0
"""Seconds for which streams can go on after a break: then outcomes and progress are forgotten."""
_log = logging.getLogger(__name__)


async def keep_house(ledger: Callable[[], Ledger]) -> None:
    """Until it is cancelled."""
    while True:
        try:
            await asyncio.to_thread(lambda: forget_events(ledger(), KEPT))
        except LedgerError as error:
            _log.warning("old events stay for now: %s", error)
        await asyncio.sleep(EVERY)
