"""Streams of one replica over a ledger: what each of many readers is sent, and when it ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import insert
from starlette.types import Message

from lakebed.database.tables import events
from lakebed.database.transaction import writing
from lakebed.errors import LedgerError
from lakebed.executor import housekeeping
from lakebed.executor import streams as module
from lakebed.executor.streams import EventStream, Streams
from lakebed.model.operation import OperationState
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.news import page_of
from lakebed.operations.queue import Queue
from lakebed.operations.retention import prune
from lakebed.operations.submission import Claim, Submission
from tests.operations.conftest import (
    REQUEST,
    Clock,
    clock,
    engine,
    ledger,
    pg,
    sqlite,
    sqlite_template,
)

__all__ = ["clock", "engine", "ledger", "pg", "sqlite", "sqlite_template"]
SOON = 30.0
"""Seconds within which what is waited for must be there."""


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL", "SETTLE", "AWAY"):
        monkeypatch.setattr(module, name, 0.001)


@dataclass
class Client:
    """Whoever reads a stream. `leaves` is set to have it go away."""

    got: list[tuple[int, str]] = field(default_factory=list)
    comments: int = 0
    is_complete: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    _rest: str = ""

    async def read(self, stream: EventStream) -> None:
        await stream({"type": "http"}, self._receive, self._send)

    async def until(self, number: int) -> None:
        """Wait for the event of that number."""
        while not self.got or self.got[-1][0] < number:
            self.news.clear()
            await self.news.wait()

    async def hears(self, comments: int) -> None:
        while self.comments < comments:
            self.news.clear()
            await self.news.wait()

    async def _receive(self) -> Message:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        self._rest += message.get("body", b"").decode()
        self.is_complete = message["type"].endswith("body") and not message.get("more_body")
        while "\n\n" in self._rest:
            block, self._rest = self._rest.split("\n\n", 1)
            self._take(dict(line.split(": ", 1) for line in block.split("\n")))
        self.news.set()

    def _take(self, fields: dict[str, str]) -> None:
        if "" in fields:
            self.comments += 1
            return
        json.loads(fields["data"])
        self.got.append((int(fields["id"]), fields["event"]))


@dataclass
class Hours:
    """A clock by which some looks take long."""

    passed: float = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.passed


def reader() -> Client:
    made = Client()
    made.reads.set()
    return made


@asynccontextmanager
async def running(ledger: Ledger) -> AsyncIterator[Streams]:
    found = Streams(lambda: ledger)
    run = asyncio.create_task(found.run())
    try:
        async with asyncio.timeout(SOON):
            yield found
    finally:
        found.close()
        await run


def begun(ledger: Ledger) -> Claim:
    """An operation that a replica runs; its first event is there."""
    queue = Queue(ledger.engine, ledger.now)
    queue.enqueue([(REQUEST, Submission("somebody"))])
    claim = queue.claim()
    assert claim is not None
    return claim


def tell(ledger: Ledger, operation_id: str, numbers: Sequence[int], data: str = "{}") -> None:
    row = {"operation": operation_id, "at": 0.0, "kind": "objects", "data": data}
    with writing(ledger.engine) as connection:
        connection.execute(insert(events), [{**row, "number": number} for number in numbers])


def end(ledger: Ledger, claim: Claim) -> None:
    ledger.finish(claim.lease.operation_id, claim.lease.fence, OperationState.COMPLETED)


@pytest.mark.parametrize("held", [1, 3000, 10**6])
def test_each_reader_gets_every_event_once_from_where_it_was(
    ledger: Ledger, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little the replica holds for all of them."""
    monkeypatch.setattr(module, "HELD", held)
    monkeypatch.setattr(module, "LEAST", 1)
    claim = begun(ledger)
    operation_id = claim.lease.operation_id
    tell(ledger, operation_id, range(2, 200), json.dumps("x" * 100))

    async def watch() -> dict[int, Client]:
        clients = {after: reader() for after in (0, 1, 120, 199, 230)}
        async with running(ledger) as streams, asyncio.TaskGroup() as tasks:
            for after, client in clients.items():
                tasks.create_task(client.read(streams.response(operation_id, after)))
            for first in range(200, 300, 20):
                tell(ledger, operation_id, range(first, first + 20), json.dumps("x" * 1000))
                await clients[0].until(first + 19)
            end(ledger, claim)
        assert streams.open == 0
        return clients

    for after, client in asyncio.run(watch()).items():
        numbers = [number for number, _ in client.got]
        assert numbers == [*range(after + 1, 300), 299]
        assert [kind for _, kind in client.got].count("summary") == 1
        assert client.got[-1][1] == "summary"
        assert client.is_complete


def test_one_that_reads_nothing_holds_nobody_up_and_finds_all_later(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD", 5000)
    monkeypatch.setattr(module, "LEAST", 1)
    claim = begun(ledger)
    operation_id = claim.lease.operation_id

    async def watch() -> Client:
        slow, others = Client(), [reader() for _ in range(50)]
        async with running(ledger) as streams, asyncio.TaskGroup() as tasks:
            for client in (slow, *others):
                tasks.create_task(client.read(streams.response(operation_id, 0)))
            for number in range(2, 60):
                tell(ledger, operation_id, [number], json.dumps("x" * 1000))
                await asyncio.gather(*(client.until(number) for client in others))
            end(ledger, claim)
            await asyncio.gather(*(client.until(59) for client in others))
            assert slow.got == []
            slow.reads.set()
        return slow

    assert [number for number, _ in asyncio.run(watch()).got] == [*range(1, 60), 59]


def test_a_replica_that_stops_ends_its_streams_and_another_goes_on(ledger: Ledger) -> None:
    claim = begun(ledger)
    operation_id = claim.lease.operation_id

    async def watch() -> tuple[Client, Client]:
        first, second = reader(), reader()
        async with running(ledger) as streams, asyncio.TaskGroup() as tasks:
            tasks.create_task(first.read(streams.response(operation_id, 0)))
            await first.until(1)
            streams.close()
        tell(ledger, operation_id, [2, 3])
        end(ledger, claim)
        async with running(ledger) as elsewhere:
            await second.read(elsewhere.response(operation_id, first.got[-1][0]))
        return first, second

    first, second = asyncio.run(watch())
    assert (first.got, first.is_complete) == ([(1, "queued")], True)
    assert second.got == [(2, "objects"), (3, "objects"), (3, "summary")]


def test_who_leaves_is_forgotten(ledger: Ledger) -> None:
    claim = begun(ledger)

    async def watch() -> None:
        client = reader()
        async with running(ledger) as streams:
            reading = asyncio.create_task(
                client.read(streams.response(claim.lease.operation_id, 0))
            )
            await client.until(1)
            assert streams.open == 1
            client.leaves.set()
            await reading
            assert streams.open == 0

    asyncio.run(watch())


def test_silence_is_filled_with_comments(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING", 0.0)
    claim = begun(ledger)

    async def watch() -> Client:
        client = reader()
        async with running(ledger) as streams:
            reading = asyncio.create_task(
                client.read(streams.response(claim.lease.operation_id, 0))
            )
            await client.hears(3)
            client.leaves.set()
            await reading
        return client

    assert asyncio.run(watch()).got == [(1, "queued")]


def test_one_that_is_resumed_goes_on_after_its_summary(ledger: Ledger) -> None:
    claim = begun(ledger)
    operation_id = claim.lease.operation_id
    ledger.finish(operation_id, claim.lease.fence, OperationState.PARTIAL)
    queue = Queue(ledger.engine, ledger.now)

    async def watch() -> list[tuple[int, str]]:
        first, second = reader(), reader()
        async with running(ledger) as streams:
            await first.read(streams.response(operation_id, 0))
            queue.want(operation_id, Submission("somebody"))
            again = queue.claim()
            assert again is not None
            tell(ledger, operation_id, [2])
            end(ledger, again)
            await second.read(streams.response(operation_id, first.got[-1][0]))
        return [*first.got, *second.got]

    told = [(1, "queued"), (1, "summary"), (2, "objects"), (2, "summary")]
    assert asyncio.run(watch()) == told


def test_what_the_command_line_runs_is_over_once_its_process_is_gone(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING", 0.0)
    operation_id = ledger.create(REQUEST)
    Lease.acquire(ledger.engine, operation_id, clock)

    async def watch() -> Client:
        client = reader()
        async with running(ledger) as streams:
            reading = asyncio.create_task(client.read(streams.response(operation_id, 0)))
            await client.hears(3)
            assert client.got == []
            clock.now += 3600
            await reading
        return client

    assert asyncio.run(watch()).got == [(0, "summary")]


def test_one_that_was_pruned_ends_without_a_summary(ledger: Ledger, clock: Clock) -> None:
    claim = begun(ledger)
    end(ledger, claim)
    clock.now += 10
    assert prune(ledger, 0) == 1

    async def watch() -> Client:
        client = reader()
        async with running(ledger) as streams:
            await client.read(streams.response(claim.lease.operation_id, 0))
        return client

    client = asyncio.run(watch())
    assert (client.got, client.is_complete) == ([], True)


def test_a_database_that_is_away_for_a_while_ends_no_stream(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECENT", 1)
    claim = begun(ledger)
    tell(ledger, claim.lease.operation_id, range(2, 10))
    end(ledger, claim)
    refusals = iter([True, False, True, False, True])

    def away_at_times() -> Ledger:
        if next(refusals, False):
            raise LedgerError("the ledger is away")
        return ledger

    async def watch() -> Client:
        client, streams = reader(), Streams(away_at_times)
        run = asyncio.create_task(streams.run())
        async with asyncio.timeout(SOON):
            await client.read(streams.response(claim.lease.operation_id, 0))
        streams.close()
        await run
        return client

    assert [number for number, _ in asyncio.run(watch()).got] == [*range(1, 10), 9]


def test_a_defect_at_one_look_does_not_keep_all_streams_waiting(ledger: Ledger) -> None:
    claim = begun(ledger)
    end(ledger, claim)
    defects = iter([ZeroDivisionError("a defect")])

    def broken_at_first() -> Ledger:
        for defect in defects:
            raise defect
        return ledger

    async def watch() -> Client:
        client, streams = reader(), Streams(broken_at_first)
        run = asyncio.create_task(streams.run())
        async with asyncio.timeout(SOON):
            await client.read(streams.response(claim.lease.operation_id, 0))
        streams.close()
        await run
        return client

    assert asyncio.run(watch()).got == [(1, "queued"), (1, "summary")]


def test_one_that_is_over_is_not_looked_at_for_those_who_read_slowly(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING", 0.0)
    summarised: list[str] = []
    summary = module._summary

    def counted(ledger: Ledger, operation_id: str) -> str:
        summarised.append(operation_id)
        return summary(ledger, operation_id)

    monkeypatch.setattr(module, "_summary", counted)
    over, goes_on = begun(ledger), begun(ledger)
    operation_id = over.lease.operation_id
    ended: list[str] = []

    async def watch() -> Client:
        slow, quick, other = reader(), reader(), reader()
        streams = Streams(lambda: ledger, ended.append)
        run = asyncio.create_task(streams.run())
        async with asyncio.timeout(SOON), asyncio.TaskGroup() as tasks:
            for client in (slow, quick):
                tasks.create_task(client.read(streams.response(operation_id, 0)))
            await asyncio.gather(slow.until(1), quick.until(1))
            slow.reads.clear()
            end(ledger, over)
            while not quick.is_complete:
                quick.news.clear()
                await quick.news.wait()
            tasks.create_task(other.read(streams.response(goes_on.lease.operation_id, 0)))
            await other.hears(20)  # after each of so many looks
            slow.reads.set()
            other.leaves.set()
        streams.close()
        await run
        return slow

    assert asyncio.run(watch()).got == [(1, "queued"), (1, "summary")]
    assert (summarised, ended) == ([operation_id], [operation_id])


def test_a_replica_stops_soon_also_after_a_look_that_took_long(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours()
    monkeypatch.setattr(module, "time", hours)
    claim = begun(ledger)

    def slow() -> Ledger:
        hours.passed += 1.0
        return ledger

    async def watch() -> None:
        client, streams = reader(), Streams(slow)
        run = asyncio.create_task(streams.run())
        reading = asyncio.create_task(client.read(streams.response(claim.lease.operation_id, 0)))
        async with asyncio.timeout(SOON):
            await client.until(1)
        streams.close()
        async with asyncio.timeout(1.0):
            await run
        await reading

    asyncio.run(watch())


def test_who_may_read_no_more_is_sent_nothing_more(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOK", "PING"):
        monkeypatch.setattr(module, name, 0.0)
    claim = begun(ledger)
    operation_id = claim.lease.operation_id
    is_known = True

    async def may() -> bool:
        return is_known

    async def watch() -> tuple[Client, Client]:
        nonlocal is_known
        client, other = reader(), reader()
        async with running(ledger) as streams, asyncio.TaskGroup() as tasks:
            tasks.create_task(client.read(streams.response(operation_id, 0, may)))
            tasks.create_task(other.read(streams.response(operation_id, 0)))
            await asyncio.gather(client.until(1), client.hears(3), other.until(1))
            is_known = False
            while not client.is_complete:
                client.news.clear()
                await client.news.wait()
            tell(ledger, operation_id, [2])
            await other.until(2)
            other.leaves.set()
        return client, other

    client, other = asyncio.run(watch())
    assert client.got == [(1, "queued")]
    assert other.got == [(1, "queued"), (2, "objects")]


def test_a_replica_clears_old_events_away_and_outlives_a_database_that_is_not_there(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "EVERY", 0.0)
    claim = begun(ledger)
    tell(ledger, claim.lease.operation_id, [2, 3, 4])
    clock.now += 2 * 86_400
    refusals = iter([True])

    def away_at_first() -> Ledger:
        if next(refusals, False):
            raise LedgerError("the ledger is away")
        return ledger

    async def clear() -> list[int]:
        keeping = asyncio.create_task(housekeeping.keep_house(away_at_first))
        async with asyncio.timeout(SOON):
            while len(page_of(ledger.engine, claim.lease.operation_id, 0)) > 2:
                await asyncio.sleep(0)
        keeping.cancel()
        return [event.number for event in page_of(ledger.engine, claim.lease.operation_id, 0)]

    assert asyncio.run(clear()) == [1, 4]
