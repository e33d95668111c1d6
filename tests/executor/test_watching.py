"""Watching operations at a whole replica, over its own sockets."""

import asyncio
from collections.abc import Iterator
from signal import SIGTERM
from urllib.parse import urlsplit

import pytest
from bench.service import serving
from bench.service.streams import Watcher, opened

from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import Lakebed
from tests.executor.replica import Replica, replica

STREAMS = 100


@pytest.fixture
def wide(lakebed: Lakebed) -> Iterator[Replica]:
    """One where a caller may have many streams open."""
    with replica(lakebed.but(LAKEBED_EXECUTOR__STREAMS=str(2 * STREAMS))) as running:
        yield running


def test_a_hundred_get_every_event_beside_one_that_reads_nothing(
    wide: Replica, source: Bucket, destination: Bucket
) -> None:
    executor = wide
    source.fill(pairs(100))
    url = urlsplit(executor.url)
    at = serving.Replica(str(url.hostname), int(url.port or 0), executor.process.pid)

    async def watch() -> list[Watcher]:
        operation = executor.sync(f"here:{source.name}/", f"there:{destination.name}/")
        path = f"/api/v1/operations/{operation}/events"
        deaf = await opened(at, path, reads=False)
        watchers = [await opened(at, path) for _ in range(STREAMS)]
        async with asyncio.timeout(60):
            newest = await asyncio.gather(*(watcher.summary for watcher in watchers))
        assert len(set(newest)) == 1
        assert not deaf.arrived
        deaf.transport.resume_reading()
        async with asyncio.timeout(60):
            assert await deaf.summary == newest[0]
        for watcher in (deaf, *watchers):
            watcher.transport.abort()
        await asyncio.sleep(0)  # they are closed in the loop's next turn
        return [deaf, *watchers]

    for watcher in asyncio.run(watch()):
        assert watcher.is_orderly
        assert len(watcher.arrived) == watcher.summary.result()


def test_a_replica_that_is_to_stop_ends_its_streams_in_order(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    later = {"scheduled_for": "2100-01-01T00:00:00Z"}
    operation = executor.sync(f"here:{source.name}/", f"there:{destination.name}/", **later)
    seen = executor.events(operation)
    assert next(seen)[1] == "queued"
    executor.process.signal(SIGTERM)
    assert list(seen) == []
    assert executor.process.end().code == 0


def test_what_is_no_number_of_an_event_is_as_good_as_none(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    operation = executor.sync(f"here:{source.name}/", f"there:{destination.name}/")
    executor.ended(operation)
    path = f"/api/v1/operations/{operation}/events"
    for given in (b"9" * 19, "\u00b2".encode("latin-1"), b"-1", b"x"):
        answer = executor.client.get(path, headers={b"Last-Event-ID": given})
        assert answer.status_code == 200
        assert answer.text.startswith("id: 1\nevent: queued\n")


def test_a_status_is_that_of_now_once_the_stream_has_told_the_end(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(20))
    operation = executor.sync(f"here:{source.name}/", f"there:{destination.name}/")
    for _ in executor.events(operation):
        executor.get(f"/api/v1/operations/{operation}")
    told = executor.get(f"/api/v1/operations/{operation.lower()}")
    assert told == executor.get(f"/api/v1/operations/{operation[:15]}")
    assert (told["state"], told["files_done"]) == ("completed", 40)
    assert executor.client.get("/api/v1/operations/0000000000000000").status_code == 404
