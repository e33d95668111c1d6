"""The word of a replica that it is there, every few seconds."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from lakebed.errors import LedgerError
from lakebed.executor.service import Service
from lakebed.operations.replicas import BEAT, beat, leave

_log = logging.getLogger(__name__)


async def heartbeat(at: Service) -> None:
    """Until cancelled; then it says that it leaves."""
    try:
        while True:
            try:
                await at.do(lambda: _beat(at))
            except LedgerError as error:
                _log.warning("%s", error)
            await asyncio.sleep(BEAT)
    finally:
        with suppress(LedgerError):
            await asyncio.to_thread(leave, at.queue.engine, at.replica)


def _beat(at: Service) -> None:
    now = replace(at.replica, seen=at.queue.now(), running=at.crew.running)
    beat(at.queue.engine, now)
