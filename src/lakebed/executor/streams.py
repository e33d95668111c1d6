"""Server-sent events of an operation: what its process wrote down, then the summary."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial

from lakebed.executor.service import Service
from lakebed.operations.bulletin import Event, events_after
from lakebed.operations.states import FINISHED

POLL = 0.25
"""Seconds between two looks at what is new."""
PING = 15.0
"""Seconds of silence after which a comment is sent, so that nobody between takes it for dead."""


async def frames(at: Service, operation_id: str, after: int) -> AsyncIterator[bytes]:
    """The events after number `after`, as they come, until the operation ends."""
    silent = 0.0
    while True:
        ended = await at.do(lambda: _is_over(at, operation_id))
        found = await at.do(partial(events_after, at.platform.ledger.engine, operation_id, after))
        for event in found:
            yield frame(event)
            after, silent = event.number, 0.0
        if ended and not found:
            summary = await at.do(lambda: at.platform.ledger.summary(operation_id))
            data = json.dumps({"event": "summary", **asdict(summary)})
            yield frame(Event(after + 1, 0.0, "summary", data))
            return
        if silent >= PING:
            yield b": still here\n\n"
            silent = 0.0
        await asyncio.sleep(POLL)
        silent += POLL


def frame(event: Event) -> bytes:
    return f"id: {event.number}\nevent: {event.kind}\ndata: {event.data}\n\n".encode()


def _is_over(at: Service, operation_id: str) -> bool:
    operation = at.platform.ledger.get(operation_id)
    return operation.state in FINISHED and not at.queue.is_wanted(operation_id)
