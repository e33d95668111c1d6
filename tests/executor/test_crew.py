"""What becomes of operations when their processes, or the replicas, stop, stall or die."""

import signal
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, select

from lakebed.database.engine import sqlite_url
from lakebed.database.tables import objects, operations, queue
from lakebed.database.transaction import reading
from lakebed.executor.crew import KILL_AFTER
from lakebed.store.contract import Store
from tests.chaos.rounds import CANARY
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import PATIENCE, Lakebed
from tests.executor.dam import Dam, dam
from tests.executor.processes import are_gone, below, kill, workers
from tests.executor.replica import Json, Replica, replica
from tests.fixtures_stores import Served

NOTICED = 15.0
"""Seconds within which a replica that died is."""
CONTENT = pairs(30)
ONE_BY_ONE: Json = {"max_concurrent": 1}


@pytest.fixture
def held(served: Served) -> Iterator[Dam]:
    with dam(served) as built:
        yield built


@pytest.fixture
def slow(team: Lakebed, held: Dam, source: Bucket) -> Lakebed:
    """What is read from `here` waits at the dam; what runs is handed over at once."""
    source.fill(CONTENT)
    return team.store("here", endpoint=held.endpoint).but(LAKEBED_EXECUTOR__DRAIN="0.1")


@pytest.fixture
def other(store: Store) -> Bucket:
    return Bucket.create(store)


def asked(replica: Replica, source: Bucket, destination: Bucket) -> str:
    return replica.sync(f"here:{source.name}/", f"there:{destination.name}/")


def starts(replica: Replica, operation: str, count: int) -> None:
    """Wait until it has been started so often."""
    for _, kind, _ in replica.events(operation):
        count -= kind == "started"
        if not count:
            return
    raise AssertionError("it ended before")


def check(replica: Replica, operation: str, destination: Bucket) -> None:
    """It completes, each object once and as it was."""
    told = replica.ended(operation)
    assert (told["state"], told["files_done"]) == ("completed", len(CONTENT)), told
    assert moved(destination) == CONTENT


def moved(destination: Bucket) -> dict[str, bytes]:
    """What it holds but for the canaries of those that were killed while they probed."""
    return {k: v for k, v in destination.content().items() if not k.startswith(CANARY)}


def taken_over(lakebed: Lakebed, operation: str, since: float) -> float:
    """How long after that moment somebody took its lease."""
    with reading(ledger(lakebed)) as connection:
        taken = select(operations.c.run_started).where(operations.c.id == operation)
        return float(connection.scalar(taken) or 0.0) - since


def test_an_operation_whose_process_is_killed_is_tried_again_and_its_neighbour_goes_on(
    slow: Lakebed, held: Dam, source: Bucket, destination: Bucket, other: Bucket
) -> None:
    with replica(slow) as one:
        first = asked(one, source, destination)
        starts(one, first, 1)
        [killed] = workers(one, 1)
        second = asked(one, source, other)
        starts(one, second, 1)
        kill([killed])
        starts(one, first, 2)
        held.open()
        check(one, first, destination)
        check(one, second, other)
        assert [kind for _, kind, _ in one.events(second)].count("started") == 1
        one.process.signal(signal.SIGTERM)
        assert "was ended by SIGKILL" in one.process.end().err


def test_an_operation_that_crashes_each_time_fails_and_says_how(
    lakebed: Lakebed, held: Dam, source: Bucket, destination: Bucket
) -> None:
    source.fill(CONTENT)
    with replica(lakebed.store("here", endpoint=held.endpoint)) as one:
        operation = asked(one, source, destination)
        for crash in range(1, 4):
            starts(one, operation, crash)
            kill(workers(one, 1))
            assert are_gone(workers(one, 0))
        told = one.ended(operation)
        assert (told["state"], told["error"]) == ("failed", "process-died")
        assert "was ended by SIGKILL, 3 times" in str(told["message"])
        held.open()
        one.post(f"/api/v1/operations/{operation}/resume")
        check(one, operation, destination)


def test_what_a_killed_replica_ran_completes_elsewhere_and_it_leaves_no_process(
    slow: Lakebed, held: Dam, source: Bucket, destination: Bucket
) -> None:
    with replica(slow) as first:
        operation = asked(first, source, destination)
        with replica(slow) as second:
            held.reached()
            left = below(first.process.pid)
            killed = time.time()
            first.process.signal(signal.SIGKILL)
            starts(second, operation, 2)
            assert taken_over(slow, operation, killed) < NOTICED
            assert are_gone(left, KILL_AFTER)
            held.open()
            check(second, operation, destination)


def test_a_machine_that_dies_is_noticed_within_fifteen_seconds(
    slow: Lakebed, held: Dam, source: Bucket, destination: Bucket
) -> None:
    with replica(slow) as first:
        operation = asked(first, source, destination)
        with replica(slow) as second:
            held.reached()
            killed = time.time()
            kill([first.process.pid, *below(first.process.pid)])
            starts(second, operation, 2)
            assert taken_over(slow, operation, killed) < NOTICED
            held.open()
            check(second, operation, destination)


def test_a_process_that_stalls_past_its_lease_writes_nothing_more(
    slow: Lakebed, held: Dam, source: Bucket, destination: Bucket
) -> None:
    with replica(slow) as first:
        operation = asked(first, source, destination)
        held.reached()
        stalled = workers(first, 1)
        kill(stalled, signal.SIGSTOP)
        with replica(slow) as second:
            starts(second, operation, 2)
            held.open()  # for the stalled one too, once it goes on
            check(second, operation, destination)
            before = rows(slow)
            kill(stalled, signal.SIGCONT)
            assert are_gone(stalled)
            assert rows(slow) == before
            assert moved(destination) == CONTENT


def rows(lakebed: Lakebed) -> list[object]:
    """All that the ledger holds of operations and objects."""
    with reading(ledger(lakebed)) as connection:
        return [
            connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in (operations, objects, queue)
        ]


def ledger(lakebed: Lakebed) -> Engine:
    file = sqlite_url(lakebed.folder / "state/lakebed/ledger.sqlite")
    url = make_url(lakebed.variables.get("LAKEBED_LEDGER", file))
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, poolclass=NullPool)


def test_a_rolling_restart_loses_nothing(
    team: Lakebed, source: Bucket, destination: Bucket
) -> None:
    content = pairs(20)
    source.fill(content)
    team = team.but(LAKEBED_EXECUTOR__DRAIN="0.2", LAKEBED_EXECUTOR__RUNNING="2")
    with replica(team) as old, replica(team) as other:
        asked_for = [
            old.sync(
                f"here:{source.name}/",
                f"there:{destination.name}/{number}/",
                configuration=ONE_BY_ONE,
            )
            for number in range(6)
        ]
        old.process.signal(signal.SIGTERM)
        assert old.process.end().code == 0
        with replica(team) as new:
            other.process.signal(signal.SIGTERM)
            assert other.process.end().code == 0
            for operation in asked_for:
                assert new.ended(operation)["state"] == "completed"
    expected = {f"{number}/{key}": data for number in range(6) for key, data in content.items()}
    assert destination.content() == expected


def test_a_stop_of_all_processes_at_once_hands_over_and_is_no_crash(
    slow: Lakebed, held: Dam, source: Bucket, destination: Bucket
) -> None:
    with replica(slow) as first:
        operation = asked(first, source, destination)
        held.reached()
        with replica(slow) as second:
            kill([*below(first.process.pid), first.process.pid], signal.SIGTERM)
            ended = first.process.end()
            assert (ended.code, "its process" in ended.err) == (0, False)
            held.open()
            check(second, operation, destination)


def test_a_replica_that_stops_kills_what_hangs(
    lakebed: Lakebed, held: Dam, source: Bucket, destination: Bucket
) -> None:
    source.fill(CONTENT)
    slow = lakebed.store("here", endpoint=held.endpoint).but(LAKEBED_EXECUTOR__DRAIN="0.1")
    with replica(slow) as first:
        operation = asked(first, source, destination)
        held.reached()
        hangs = workers(first, 1)
        kill(hangs, signal.SIGSTOP)
        first.process.signal(signal.SIGTERM)
        ended = first.process.end()
        assert (ended.code, are_gone(hangs, 0.0)) == (0, True)
        assert ended.seconds < PATIENCE / 2
    held.open()
    with replica(lakebed) as second:
        check(second, operation, destination)


def test_no_more_operations_run_at_once_than_the_bound(
    lakebed: Lakebed, held: Dam, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(2))
    bounded = lakebed.store("here", endpoint=held.endpoint).but(LAKEBED_EXECUTOR__RUNNING="2")
    with replica(bounded) as one:
        asked_for = [
            one.sync(f"here:{source.name}/", f"there:{destination.name}/{number}/")
            for number in range(5)
        ]
        workers(one, 2)
        held.open()
        told = [one.ended(operation) for operation in asked_for]
    assert {one["state"] for one in told} == {"completed"}
    moments = sorted(
        [(str(one["started"]), 1) for one in told] + [(str(one["finished"]), -1) for one in told]
    )
    running = [sum(step for _, step in moments[: end + 1]) for end in range(len(moments))]
    assert max(running) == 2
