"""Who holds a connection to the database waits for no other: many at once would for ever."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine

from lakebed.database.transaction import reading
from lakebed.model.operation import OperationState
from lakebed.operations.bulletin import Bulletin
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.news import news_of
from lakebed.operations.queue import Queue
from lakebed.operations.retention import prune
from lakebed.operations.standing import standing
from lakebed.operations.submission import Submission
from tests.operations.conftest import REQUEST

SOON = 5.0
"""Seconds after which a connection that nobody gives back is not waited for any more."""
Asking = Callable[[Ledger, Lease], object]


@pytest.fixture
def single(pg: Engine) -> Iterator[Engine]:
    """All have one connection, at a database whose clock must be asked over one."""
    engine = create_engine(pg.url, pool_size=1, max_overflow=0, pool_timeout=SOON)
    yield engine
    engine.dispose()


def running(engine: Engine) -> Lease:
    Queue(engine).enqueue([(REQUEST, Submission("somebody"))])
    claim = Queue(engine).claim()
    assert claim is not None
    return claim.lease


def _news(ledger: Ledger, lease: Lease) -> object:
    now = ledger.now()
    with reading(ledger.engine) as connection:
        return news_of(connection, lease.operation_id, 10, now)


ASKED: dict[str, Asking] = {
    "get": lambda ledger, lease: ledger.get(lease.operation_id),
    "list": lambda ledger, lease: ledger.list(OperationState.RUNNING),
    "summary": lambda ledger, lease: ledger.summary(lease.operation_id),
    "report": lambda ledger, lease: ledger.report(lease.operation_id),
    "standing": lambda ledger, lease: standing(ledger, lease.operation_id),
    "renew": lambda ledger, lease: lease.renew(),
    "held": lambda ledger, lease: Queue(ledger.engine).is_ours(lease),
    "hand over": lambda ledger, lease: Queue(ledger.engine).hand_back(lease),
    "crash": lambda ledger, lease: Queue(ledger.engine).crashed(lease, "broke"),
    "news": _news,
    "cancel": lambda ledger, lease: ledger.request_cancel(lease.operation_id),
    "prune": lambda ledger, lease: prune(ledger, 0.0),
    "bulletin": lambda ledger, lease: Bulletin(lease, ledger.summary(lease.operation_id)).started(
        lease.operation_id
    ),
    "finish": lambda ledger, lease: ledger.finish(
        lease.operation_id, lease.fence, OperationState.COMPLETED
    ),
}


@pytest.mark.parametrize("asked", ASKED)
def test_one_connection_is_enough_for_whatever_is_asked_of_one_that_runs(
    single: Engine, asked: str
) -> None:
    ASKED[asked](Ledger(single), running(single))


def test_more_threads_than_there_are_connections_ask_at_once(pg: Engine) -> None:
    engine = create_engine(pg.url, pool_timeout=SOON)
    ledger, lease = Ledger(engine), running(engine)
    threads = 32
    start = threading.Barrier(threads)

    def ask(number: int) -> None:
        start.wait(SOON)
        for _ in range(10):
            list(ASKED.values())[number % 6](ledger, lease)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(ask, range(threads)))
    assert lease.renew() is False
    engine.dispose()
