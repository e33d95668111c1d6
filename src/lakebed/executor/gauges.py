"""The levels that all replicas share, read from the database when somebody asks for metrics."""

import math

from lakebed.errors import LedgerError
from lakebed.executor.service import Service
from lakebed.model.operation import OperationState
from lakebed.observe import catalogue
from lakebed.operations.census import census
from lakebed.operations.replicas import alive

_AWAY = (dict.fromkeys(OperationState, math.nan), math.nan, math.nan)


async def refresh(at: Service) -> None:
    """Set them as they are now. Of a database that is away they are no numbers."""

    def read() -> tuple[dict[OperationState, float], float, float]:
        engine, now = at.queue.engine, at.queue.now()
        states = {state: float(count) for state, count in census(engine, now).items()}
        return states, at.queue.depth(), len(alive(engine, now))

    try:
        (states, waiting, replicas), up = await at.do(read), 1
    except LedgerError:
        (states, waiting, replicas), up = _AWAY, 0
    at.measures.set(catalogue.DATABASE, up)
    at.measures.set(catalogue.QUEUE_WAITING, waiting)
    at.measures.set(catalogue.REPLICAS, replicas)
    for state, count in states.items():
        at.measures.set(catalogue.LEDGER_OPERATIONS, count, state)
