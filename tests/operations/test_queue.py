"""The queue, on SQLite and on PostgreSQL: who comes next, once only, and what a crash costs."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain
from typing import TypeVar

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, TextClause, delete, func, select, text, update

from lakebed.database.tables import idempotency, operations, queue
from lakebed.database.transaction import reading, writing
from lakebed.errors import (
    Interrupted,
    KeyReused,
    LeaseLost,
    LedgerError,
    OperationError,
    TooManyRequests,
    UnknownOperation,
)
from lakebed.model.operation import OperationState
from lakebed.operations import queue as module
from lakebed.operations.lease import DURATION, FARTHEST, Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.operation import Operation
from lakebed.operations.queue import LONGEST_PAUSE, MOST_CRASHES, PAUSE, REMEMBERED, STEADY, Queue
from lakebed.operations.submission import Claim, Enqueued, Idempotency, Submission
from tests.operations.conftest import REQUEST, Clock

T = TypeVar("T")
ANN, BEN = Submission("ann"), Submission("ben")
ONCE = Idempotency("once", b"{}")


@pytest.fixture
def waiting(engine: Engine, clock: Clock) -> Queue:
    return Queue(engine, clock)


def ask(waiting: Queue, *asked: Submission, key: Idempotency | None = None) -> Enqueued:
    return waiting.enqueue([(REQUEST, one) for one in asked], key)


def asked(waiting: Queue, submission: Submission = ANN) -> str:
    [one] = ask(waiting, submission).ids
    return one


def claimed(waiting: Queue) -> Claim:
    found = waiting.claim()
    assert found is not None
    return found


def drained(waiting: Queue) -> list[str]:
    """All that can be claimed now, in its order."""
    found = []
    while (claim := waiting.claim()) is not None:
        found.append(claim.lease.operation_id)
    return found


def row(waiting: Queue, operation_id: str) -> Operation:
    return Ledger(waiting.engine, waiting.now).get(operation_id)


def at_once(*actions: Callable[[], T]) -> list[T]:
    start = threading.Barrier(len(actions))

    def act(action: Callable[[], T]) -> T:
        start.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return [one.result() for one in [threads.submit(act, action) for action in actions]]


def test_what_is_claimed_runs_under_a_lease_with_what_was_asked_for(
    waiting: Queue, clock: Clock
) -> None:
    told = Submission("ann", '{"a": 1}', 3, 0.0, "batch", "trace", "{}")
    operation_id = asked(waiting, told)
    claim = claimed(waiting)
    assert (claim.request, claim.submission, claim.again) == (REQUEST, told, False)
    operation = row(waiting, operation_id)
    assert (operation.state, operation.fence) == (OperationState.RUNNING, claim.lease.fence)
    assert operation.lease_until == clock.now + DURATION
    assert waiting.claim() is None
    assert waiting.submission(operation_id) == told


def test_an_empty_queue_gives_nothing(waiting: Queue) -> None:
    assert waiting.claim() is None
    assert waiting.depth() == 0


def test_the_highest_priority_comes_first_then_the_oldest(waiting: Queue, clock: Clock) -> None:
    asked_for = []
    for priority in (0, 5, -3, 5, 0):
        asked_for.append((-priority, clock.now, asked(waiting, replace(ANN, priority=priority))))
        clock.now += 1
    assert drained(waiting) == [one for *_, one in sorted(asked_for)]


def test_of_one_priority_who_has_the_fewest_running_comes_first(
    waiting: Queue, clock: Clock
) -> None:
    anns = []
    for _ in range(3):
        anns.append(asked(waiting, ANN))
        clock.now += 1
    bens = []
    for _ in range(2):
        bens.append(asked(waiting, BEN))
        clock.now += 1
    assert drained(waiting) == [anns[0], bens[0], anns[1], bens[1], anns[2]]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2, 2)), max_size=12),
    st.integers(1, 4),
)
def test_nobody_waits_for_one_of_a_lower_priority_or_of_a_busier_caller(
    sqlite: Engine, wishes: list[tuple[str, int]], at_most: int
) -> None:
    """The law of the order, whatever is asked for and however many run at once."""
    clock = Clock()
    waiting = Queue(sqlite, clock)
    left: dict[str, tuple[str, int, float]] = {}
    for caller, priority in wishes:
        clock.now += 1
        left[asked(waiting, Submission(caller, priority=priority))] = (caller, priority, clock.now)
    running: list[tuple[str, Lease]] = []
    while left:
        claim = claimed(waiting)
        here = [caller for caller, _ in running]
        rank = {
            one: (-priority, here.count(caller), since)
            for one, (caller, priority, since) in left.items()
        }
        assert claim.lease.operation_id == min(rank, key=lambda one: rank[one])
        caller, *_ = left.pop(claim.lease.operation_id)
        running.append((caller, claim.lease))
        if len(running) == at_most:
            _, lease = running.pop(0)
            end(waiting, lease)
    for _, lease in running:
        end(waiting, lease)


def end(waiting: Queue, lease: Lease) -> None:
    ledger = Ledger(waiting.engine, waiting.now)
    ledger.finish(lease.operation_id, lease.fence, OperationState.COMPLETED)


def test_what_is_scheduled_waits_for_its_moment(waiting: Queue, clock: Clock) -> None:
    later = asked(waiting, replace(ANN, not_before=clock.now + 5, priority=9))
    now = asked(waiting)
    assert drained(waiting) == [now]
    assert waiting.depth() == 1
    clock.now += 5
    assert drained(waiting) == [later]
    assert waiting.depth() == 0


def test_two_that_claim_at_once_never_get_the_same_operation(engine: Engine) -> None:
    queues = [Queue(engine) for _ in range(4)]
    wanted = ask(queues[0], *[ANN, BEN] * 20).ids
    found = at_once(*(lambda one=one: drained(one) for one in queues))
    assert sorted(chain.from_iterable(found)) == sorted(wanted)


def test_an_operation_that_somebody_looks_into_is_passed_over(pg: Engine) -> None:
    waiting = Queue(pg)
    first, second = asked(waiting), asked(waiting)
    with writing(pg) as other:
        other.execute(select(operations).where(operations.c.id == first).with_for_update())
        assert claimed(waiting).lease.operation_id == second
        assert waiting.claim() is None
    assert claimed(waiting).lease.operation_id == first


def test_a_process_that_stopped_while_it_wrote_keeps_its_operation_from_nobody(
    pg: Engine, clock: Clock
) -> None:
    waiting = Queue(pg, clock)
    operation_id = asked(waiting)
    claimed(waiting)
    url = pg.url.set(drivername="postgresql").render_as_string(hide_password=False)
    locked = text("SELECT count(*) FROM operations WHERE xmax::text <> '0'")
    with (
        closing(psycopg.connect(url)) as stopped,
        suppress(psycopg.OperationalError),
        stopped.pipeline(),
    ):
        stopped.execute("UPDATE operations SET fence = fence")
        stopped.pgconn.send_flush_request()
        stopped.pgconn.flush()
        while not _scalar(pg, locked):  # until its statement is done
            pass
        assert waiting.claim() is None
        clock.now += DURATION
        claims = iter(waiting.claim, "never")
        claim = next(one for one in claims if one is not None)
        assert claim.lease.operation_id == operation_id


def _scalar(engine: Engine, query: TextClause) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(query) or 0)


def test_a_key_that_comes_again_finds_the_first_operations(waiting: Queue) -> None:
    first = ask(waiting, ANN, ANN, key=ONCE)
    assert ask(waiting, ANN, ANN, key=ONCE) == Enqueued(first.ids, repeated=True)
    assert waiting.depth() == 2


def test_a_key_that_comes_at_once_to_many_replicas_makes_one_operation(engine: Engine) -> None:
    queues = [Queue(engine) for _ in range(4)]
    found = at_once(*(lambda one=one: ask(one, ANN, key=ONCE) for one in queues))
    assert len({one.ids for one in found}) == 1
    assert sorted(one.repeated for one in found) == [False, True, True, True]
    assert queues[0].depth() == 1


def test_a_key_with_another_body_is_refused_and_leaves_nothing(waiting: Queue) -> None:
    ask(waiting, ANN, key=ONCE)
    with pytest.raises(KeyReused):
        ask(waiting, ANN, key=Idempotency("once", b"{ }"))
    assert waiting.depth() == 1


def test_a_key_belongs_to_its_caller(waiting: Queue) -> None:
    assert ask(waiting, ANN, key=ONCE).ids != ask(waiting, BEN, key=ONCE).ids


def test_a_key_is_forgotten_after_a_day(waiting: Queue, clock: Clock) -> None:
    first = ask(waiting, ANN, key=ONCE)
    clock.now += REMEMBERED
    assert ask(waiting, ANN, key=ONCE).ids == first.ids
    clock.now += 1
    assert ask(waiting, ANN, key=Idempotency("once", b"other")).ids != first.ids
    with reading(waiting.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(idempotency)) == 1


def test_what_a_dead_replica_left_comes_first_and_goes_on_under_the_next_fence(
    waiting: Queue, clock: Clock
) -> None:
    left = asked(waiting)
    before = claimed(waiting)
    asked(waiting, BEN)
    clock.now += DURATION - 0.1
    assert claimed(waiting).lease.operation_id != left
    clock.now += 0.1
    after = claimed(waiting)
    assert (after.lease.operation_id, after.again) == (left, True)
    assert after.lease.fence == before.lease.fence + 1
    with pytest.raises(LeaseLost):
        before.lease.renew()


def test_a_lease_from_before_the_clock_was_set_back_is_none(waiting: Queue, clock: Clock) -> None:
    left = asked(waiting)
    claimed(waiting)
    clock.now -= FARTHEST - DURATION
    assert waiting.claim() is None
    clock.now -= 1
    assert drained(waiting) == [left]


def test_a_pause_from_before_the_clock_was_set_back_is_over(waiting: Queue, clock: Clock) -> None:
    left = asked(waiting)
    waiting.hand_back(claimed(waiting).lease)
    clock.now -= LONGEST_PAUSE - PAUSE
    assert waiting.claim() is None
    clock.now -= 1
    assert drained(waiting) == [left]


def test_what_never_ran_is_scheduled_for_any_time(waiting: Queue, clock: Clock) -> None:
    asked(waiting, replace(ANN, not_before=clock.now + 10 * LONGEST_PAUSE))
    assert waiting.claim() is None
    clock.now -= 86_400
    assert waiting.claim() is None


def test_no_pause_after_a_crash_is_taken_for_one_of_another_clock() -> None:
    assert 2.0**MOST_CRASHES <= LONGEST_PAUSE
    assert PAUSE <= LONGEST_PAUSE


def test_a_replica_does_not_claim_what_it_has_a_process_of(waiting: Queue, clock: Clock) -> None:
    mine = asked(waiting)
    claimed(waiting)
    clock.now += DURATION
    assert waiting.claim(but={mine}) is None
    assert drained(waiting) == [mine]


def test_the_clock_is_that_of_the_database(pg: Engine) -> None:
    asked(Queue(pg))
    claim = claimed(Queue(pg))
    with reading(pg) as connection:
        now = connection.scalar(select(func.extract("epoch", func.clock_timestamp())))
    until = row(Queue(pg), claim.lease.operation_id).lease_until
    assert float(now or 0) <= until <= float(now or 0) + DURATION


def test_a_crash_is_tried_again_after_a_pause_that_grows_and_then_fails(
    waiting: Queue, clock: Clock
) -> None:
    operation_id = asked(waiting)
    for crash in range(1, MOST_CRASHES):
        waiting.crashed(claimed(waiting).lease, "was ended by SIGKILL")
        assert row(waiting, operation_id).state is OperationState.INTERRUPTED
        clock.now += 2.0**crash - 0.1
        assert waiting.claim() is None
        clock.now += 0.1
    waiting.crashed(claimed(waiting).lease, "was ended by SIGKILL")
    operation = row(waiting, operation_id)
    assert (operation.state, operation.error) == (OperationState.FAILED, "process-died")
    assert operation.message is not None
    assert f"was ended by SIGKILL, {MOST_CRASHES} times" in operation.message
    clock.now += 3600
    assert waiting.claim() is None
    assert not waiting.is_wanted(operation_id)


def test_crashes_that_a_long_run_lies_between_are_not_one_after_another(
    waiting: Queue, clock: Clock
) -> None:
    operation_id = asked(waiting)
    for _ in range(2 * MOST_CRASHES):
        lease = claimed(waiting).lease
        clock.now += STEADY + 1
        waiting.crashed(lease, "was ended by SIGKILL")
        clock.now += 2.0
    assert row(waiting, operation_id).state is OperationState.INTERRUPTED


def test_who_wants_it_again_forgives_its_crashes(waiting: Queue, clock: Clock) -> None:
    operation_id = asked(waiting)
    for _ in range(MOST_CRASHES):
        waiting.crashed(claimed(waiting).lease, "broke")
        clock.now += 60
    waiting.want(operation_id, ANN)
    claim = claimed(waiting)
    assert claim.again
    waiting.crashed(claim.lease, "broke")
    assert row(waiting, operation_id).state is OperationState.INTERRUPTED


def test_a_process_that_only_seemed_to_be_gone_can_write_nothing(waiting: Queue) -> None:
    asked(waiting)
    lease = claimed(waiting).lease
    waiting.crashed(lease, "broke")
    with pytest.raises(LeaseLost), writing(waiting.engine) as connection:
        lease.check(connection)


def test_a_crash_after_the_end_changes_nothing(waiting: Queue) -> None:
    operation_id = asked(waiting)
    lease = claimed(waiting).lease
    end(waiting, lease)
    waiting.crashed(lease, "broke")
    waiting.hand_back(lease)
    assert row(waiting, operation_id).state is OperationState.COMPLETED
    assert not waiting.is_wanted(operation_id)


def test_what_is_handed_back_goes_on_elsewhere_after_a_moment(waiting: Queue, clock: Clock) -> None:
    operation_id = asked(waiting)
    lease = claimed(waiting).lease
    assert waiting.is_ours(lease)
    waiting.hand_back(lease)
    assert not waiting.is_ours(lease)
    assert row(waiting, operation_id).state is OperationState.INTERRUPTED
    assert waiting.claim() is None
    clock.now += PAUSE
    assert drained(waiting) == [operation_id]


def test_what_another_replica_has_taken_over_is_not_handed_back(
    waiting: Queue, clock: Clock
) -> None:
    operation_id = asked(waiting)
    stalled = claimed(waiting).lease
    clock.now += DURATION
    assert not waiting.is_ours(stalled)
    ours = claimed(waiting).lease
    waiting.hand_back(stalled)
    waiting.crashed(stalled, "broke")
    assert row(waiting, operation_id).state is OperationState.RUNNING
    assert waiting.is_ours(ours)


def test_a_run_that_is_stopped_stays_wanted_and_one_that_ends_does_not(waiting: Queue) -> None:
    ledger = Ledger(waiting.engine, waiting.now)
    first, second = asked(waiting), asked(waiting)
    for lease in [claimed(waiting).lease for _ in range(2)]:
        error = Interrupted("stopped") if lease.operation_id == first else None
        state = OperationState.INTERRUPTED if error else OperationState.PARTIAL
        ledger.finish(lease.operation_id, lease.fence, state, error)
    assert waiting.is_wanted(first)
    assert not waiting.is_wanted(second)
    assert drained(waiting) == [first]


def test_a_resume_goes_on_with_the_rights_of_who_wants_it(waiting: Queue, clock: Clock) -> None:
    operation_id = asked(waiting, replace(ANN, priority=4))
    lease = claimed(waiting).lease
    Ledger(waiting.engine, clock).finish(operation_id, lease.fence, OperationState.PARTIAL)
    waiting.want(operation_id, Submission("ben", '{"ben": 1}'))
    claim = claimed(waiting)
    assert claim.again
    kept = ("ann", 4, '{"ben": 1}')
    told = claim.submission
    assert (told.caller, told.priority, told.authority) == kept


def test_what_was_begun_without_the_service_can_be_wanted_of_it(
    waiting: Queue, clock: Clock
) -> None:
    ledger = Ledger(waiting.engine, clock)
    operation_id = ledger.create(REQUEST)
    Lease.acquire(waiting.engine, operation_id, clock)
    with pytest.raises(OperationError, match="running"):
        waiting.want(operation_id, ANN)
    clock.now += DURATION
    waiting.want(operation_id, ANN)
    claim = claimed(waiting)
    assert (claim.lease.operation_id, claim.submission.caller) == (operation_id, "ann")


@pytest.mark.parametrize("state", [OperationState.COMPLETED, OperationState.CANCELLED])
def test_what_has_ended_for_good_is_not_to_be_wanted(
    waiting: Queue, clock: Clock, state: OperationState
) -> None:
    operation_id = asked(waiting)
    Ledger(waiting.engine, clock).finish(operation_id, claimed(waiting).lease.fence, state)
    with pytest.raises(OperationError, match=f"{state} and cannot become running"):
        waiting.want(operation_id, ANN)


def test_nobody_wants_what_is_not_there(waiting: Queue) -> None:
    with pytest.raises(UnknownOperation):
        waiting.want("0000000000000000", ANN)


def test_what_is_cancelled_while_it_waits_is_never_run(waiting: Queue, clock: Clock) -> None:
    operation_id = asked(waiting)
    Ledger(waiting.engine, clock).request_cancel(operation_id)
    assert waiting.claim() is None
    assert waiting.depth() == 0


@pytest.mark.parametrize("state", [OperationState.PARTIAL, OperationState.QUARANTINED])
def test_a_resume_that_nobody_began_yet_can_be_taken_back(
    waiting: Queue, clock: Clock, state: OperationState
) -> None:
    ledger = Ledger(waiting.engine, clock)
    operation_id = asked(waiting)
    ledger.finish(operation_id, claimed(waiting).lease.fence, state)
    with pytest.raises(OperationError):
        ledger.request_cancel(operation_id)
    waiting.want(operation_id, ANN)
    assert ledger.request_cancel(operation_id) is state
    assert row(waiting, operation_id).state is state
    assert (waiting.claim(), waiting.is_wanted(operation_id)) == (None, False)
    waiting.want(operation_id, ANN)
    assert drained(waiting) == [operation_id]


def test_what_was_cancelled_at_its_end_goes_on_when_it_is_wanted_again(
    waiting: Queue, clock: Clock
) -> None:
    ledger = Ledger(waiting.engine, clock)
    operation_id = asked(waiting)
    lease = claimed(waiting).lease
    assert ledger.request_cancel(operation_id) is OperationState.RUNNING
    ledger.finish(operation_id, lease.fence, OperationState.PARTIAL)
    waiting.want(operation_id, ANN)
    assert claimed(waiting).lease.renew() is False


def test_what_is_handed_over_is_still_cancelled(waiting: Queue, clock: Clock) -> None:
    ledger = Ledger(waiting.engine, clock)
    operation_id = asked(waiting)
    lease = claimed(waiting).lease
    ledger.request_cancel(operation_id)
    ledger.finish(operation_id, lease.fence, OperationState.INTERRUPTED, Interrupted("stopped"))
    assert claimed(waiting).lease.renew() is True


def test_what_was_forgotten_meanwhile_is_not_claimed(waiting: Queue) -> None:
    gone, there = asked(waiting), asked(waiting)
    with writing(waiting.engine) as connection:
        pruned = update(operations).where(operations.c.id == gone).values(pruned=True)
        connection.execute(pruned)
    assert drained(waiting) == [there]


def test_a_caller_has_only_so_many_operations_waiting(
    waiting: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WANTED", 3)
    first = ask(waiting, ANN, ANN, key=ONCE)
    with pytest.raises(TooManyRequests, match="2 operations of this caller wait already") as told:
        ask(waiting, ANN, ANN)
    assert told.value.retry_after
    assert waiting.depth() == 2, "all or none"
    asked(waiting, BEN)
    ask(waiting, ANN)
    assert ask(waiting, ANN, ANN, key=ONCE) == Enqueued(first.ids, repeated=True)
    Ledger(waiting.engine, clock).request_cancel(first.ids[0])
    assert asked(waiting)


def test_a_key_whose_operations_were_too_many_can_be_used_again(
    waiting: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(module, "MOST_WANTED", 0)
        with pytest.raises(TooManyRequests):
            ask(waiting, ANN, key=ONCE)
    assert not ask(waiting, ANN, key=ONCE).repeated


def test_a_request_that_cannot_be_read_holds_up_nobody(waiting: Queue, clock: Clock) -> None:
    newer = asked(waiting)
    clock.now += 1
    readable = asked(waiting)
    with writing(waiting.engine) as connection:
        values = {"request": '{"kind": "dance"}'}
        connection.execute(update(operations).where(operations.c.id == newer).values(values))
    with pytest.raises(LedgerError, match="cannot read"):
        waiting.claim()
    assert drained(waiting) == [readable]
    assert waiting.is_wanted(newer)


def test_a_database_that_is_away_is_a_ledger_error(waiting: Queue) -> None:
    with writing(waiting.engine) as connection:
        connection.execute(delete(queue))
        queue.drop(connection)
    with pytest.raises(LedgerError):
        waiting.claim()
