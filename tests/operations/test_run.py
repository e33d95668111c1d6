import logging
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lakebed import errors
from lakebed.errors import Exit
from lakebed.model.location import Location
from lakebed.model.operation import Decision, Filters, Kind, OnChange, OperationState, Options
from lakebed.operations.lease import Lease, is_held
from lakebed.operations.ledger import Ledger
from lakebed.operations.memory import LedgerMemory
from lakebed.operations.queue import Queue
from lakebed.operations.recorder import LedgerRecorder
from lakebed.operations.states import exit_code
from lakebed.operations.submission import Submission
from lakebed.store.capabilities import Capability
from lakebed.store.pace.level import START
from lakebed.transfer import sync
from lakebed.transfer.manifest import inventory_file
from tests.operations.platform import Seen, World, request
from tests.transfer.inventories import write_inventory


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_pair_arrives_proved_and_the_ledger_says_so(world: World) -> None:
    world.put_pair("a.zip", b"archive")
    seen = Seen()
    with world.platform() as platform:
        summary = platform.sync(request(), seen)
        assert platform.ledger.get(summary.operation_id).state is OperationState.COMPLETED
    assert (summary.copied, summary.proofs["publisher-sha256"]) == (2, 1)
    assert world.keys() == ["in/a.zip", "in/a.zip.CHECKSUM"]
    assert seen.ids == [summary.operation_id]
    assert [kind for kind, _ in seen.events] == ["copied", "copied"]
    assert seen.snapshots[-1].done == 2


def test_the_progress_is_told_while_a_run_goes_on(world: World) -> None:
    world.put("a", b"x")
    told = threading.Event()
    seen = Seen()
    world.on("put", "in/a", lambda: told.wait(30))

    class Waiting(Seen):
        def progress(self, live: object) -> None:
            told.set()

    with world.platform() as platform:
        platform.sync(request(), Waiting())
    assert told.is_set()
    assert not seen.snapshots


def test_a_second_run_has_nothing_to_do(world: World) -> None:
    world.put_pair("a.zip", b"archive")
    with world.platform() as platform:
        platform.sync(request())
        again = platform.sync(request())
    assert (again.copied, again.skipped) == (0, 2)


def test_what_was_interrupted_goes_on_where_it_stopped(world: World) -> None:
    for number in range(8):
        world.put(f"k{number}", b"x")
    first = world.platform()
    stop = errors.Interrupted("interrupted by SIGTERM")
    world.on("put", "in/k", lambda: world.cancellation.stop(stop), nth=3)
    with first as platform:
        ended = platform.sync(request())
    assert ended.state is OperationState.INTERRUPTED
    assert exit_code(ended) is Exit.SIGTERM
    world.hooks.clear()
    with world.platform() as platform:
        done = platform.resume(ended.operation_id)
    assert (done.state, done.copied) == (OperationState.COMPLETED, 8)
    assert len(world.keys()) == 8


def test_a_store_that_is_away_fails_the_operation_which_can_be_resumed(world: World) -> None:
    world.put("a", b"x")
    away = errors.StoreUnreachable("connection refused", subject="dst")
    world.on("put", "in/a", lambda: world.fail("list_page", "dst", away))
    world.fail("put", "in/a", away)
    with world.platform() as platform:
        failed = platform.sync(request())
        assert (failed.state, failed.error) == (OperationState.FAILED, "store-unreachable")
        assert exit_code(failed) is Exit.STORE
        assert platform.resume(failed.operation_id).state is OperationState.COMPLETED


def test_one_refused_object_makes_it_partial_and_is_tried_again_by_a_resume(world: World) -> None:
    world.put("a", b"x")
    world.put("b", b"y")
    world.fail("get", "src:b/a", errors.AccessDenied("no"))
    with world.platform() as platform:
        partial = platform.sync(request())
        assert (partial.state, partial.failed, partial.copied) == (OperationState.PARTIAL, 1, 1)
        assert platform.resume(partial.operation_id).state is OperationState.COMPLETED


def test_a_refused_digest_quarantines_the_pair(world: World) -> None:
    world.put_pair("a.zip", b"archive", published=b"another")
    with world.platform() as platform:
        held = platform.sync(request())
    assert (held.state, held.quarantined) == (OperationState.QUARANTINED, 2)
    assert world.keys() == []


def test_a_defect_is_raised_and_the_ledger_remembers_it(world: World) -> None:
    world.put("a", b"x")
    world.fail("put", "in/a", RuntimeError("a bug"))
    with world.platform() as platform:
        with pytest.raises(RuntimeError, match="a bug"):
            platform.sync(request())
        [operation] = platform.ledger.list()
    assert (operation.state, operation.error) == (OperationState.FAILED, "defect")


def test_who_loses_the_lease_writes_nothing_more(world: World) -> None:
    world.put("a", b"x")
    with world.platform() as platform:
        world.on("put", "in/a", lambda: world.cancellation.stop(errors.LeaseLost("taken over")))
        with pytest.raises(errors.LeaseLost):
            platform.sync(request())
        [operation] = platform.ledger.list()
    assert operation.state is OperationState.RUNNING


def test_a_duration_that_is_over_interrupts(world: World) -> None:
    world.put("a", b"x")
    over = threading.Event()
    world.on("list_page", "src:b", lambda: world.cancellation.wait(0.2))
    with world.platform() as platform:
        ended = platform.sync(request(options=Options(max_duration=0.01)))
    assert (ended.state, ended.error) == (OperationState.INTERRUPTED, "duration-reached")
    assert exit_code(ended) is Exit.FAILED_OBJECTS
    assert not over.is_set()


def test_a_duration_that_is_not_over_changes_nothing(world: World) -> None:
    world.put("a", b"x")
    with world.platform() as platform:
        done = platform.sync(request(options=Options(max_duration=600)))
    assert done.state is OperationState.COMPLETED


def test_a_cancelled_operation_is_not_resumed(world: World) -> None:
    with world.platform() as platform:
        operation_id = platform.ledger.create(request())
        assert platform.cancel(operation_id).state is OperationState.CANCELLED
        assert platform.cancel(operation_id).state is OperationState.CANCELLED
        with pytest.raises(errors.Cancelled):
            platform.resume(operation_id)


def test_a_resume_that_waits_for_a_replica_is_taken_back_by_a_cancel(world: World) -> None:
    world.put("a", b"x")
    world.fail("get", "src:b/a", errors.AccessDenied("no"))
    with world.platform() as platform:
        partial = platform.sync(request())
        waiting = Queue(platform.ledger.engine)
        waiting.want(partial.operation_id, Submission("somebody"))
        assert platform.cancel(partial.operation_id).state is OperationState.PARTIAL
        assert not waiting.is_wanted(partial.operation_id)
        with pytest.raises(errors.UsageError, match="it is partial: nothing is left to cancel"):
            platform.cancel(partial.operation_id)
        assert platform.resume(partial.operation_id).state is OperationState.COMPLETED


def test_a_completed_operation_is_neither_repeated_nor_cancelled(world: World) -> None:
    with world.platform() as platform:
        done = platform.sync(request())
        assert platform.resume(done.operation_id) == done
        with pytest.raises(errors.UsageError, match="completed"):
            platform.cancel(done.operation_id)


def test_verify_proves_and_writes_nothing(world: World) -> None:
    world.put_pair("a.zip", b"archive")
    with world.platform() as platform:
        platform.sync(request())
        world.calls.clear()
        proved = platform.sync(request(Kind.VERIFY))
    assert proved.state is OperationState.COMPLETED
    assert proved.proofs == {"publisher-sha256": 1, "etag-md5": 1}
    assert {verb for verb, _ in world.calls} <= {"list_page", "head", "get"}


def test_a_plan_says_what_a_sync_would_do_and_writes_nothing(world: World) -> None:
    world.put("a", b"x")
    with world.platform() as platform:
        planned = list(platform.plan(request()))
    assert [(one.decision.value, one.key) for one in planned] == [("copy", "a")]
    assert {verb for verb, _ in world.calls} == {"list_page"}


def test_a_location_is_listed_as_a_folder_or_as_one_key(world: World) -> None:
    for key in ("a", "ab", "x/y"):
        world.put(key, b"x")
    with world.platform() as platform:
        assert [o.key for o in platform.list(Location("src", "b"))] == ["a", "ab", "x/y"]
        assert [o.key for o in platform.list(Location("src", "b", "a"))] == ["a"]


def test_a_bucket_is_probed_once_a_day(world: World) -> None:
    place = Location("dst", "b")
    with world.platform() as platform:
        found = platform.capabilities(place)
        world.calls.clear()
        assert platform.capabilities(place) == found
        assert world.calls == []
        assert platform.capabilities(place, refresh=True) == found
        assert world.calls != []
        assert list(platform.probed()) == [(place, found)]
    assert Capability.SHA256 in found


def test_what_another_version_found_is_found_anew(world: World) -> None:
    with world.platform() as platform:
        where = "dst http://dst.test"
        platform.ledger.put_capabilities(where, "b", '{"names": ["flying"], "note": ""}')
        assert list(platform.probed()) == []
        assert Capability.WRITE in platform.capabilities(Location("dst", "b"))


def test_where_nothing_may_be_written_the_least_is_assumed_and_said(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.fail("put", "lakebed-probe", errors.AccessDenied("no"))
    with caplog.at_level(logging.WARNING), world.platform() as platform:
        assert platform.capabilities(Location("dst", "b", "x/key")).names == frozenset()
        assert list(platform.probed()) == []
    assert "the least is assumed" in caplog.text


def test_an_inventory_of_another_bucket_begins_nothing(world: World, tmp_path: Path) -> None:
    manifest = write_inventory(tmp_path / "inventory", "another", [])
    wrong = Options(inventory=inventory_file(manifest))
    with world.platform() as platform:
        with pytest.raises(errors.UsageError, match="it is of the bucket 'another'"):
            platform.sync(request(options=wrong))
        with pytest.raises(errors.UsageError, match="it is of the bucket 'another'"):
            next(platform.plan(request(options=wrong)))
        assert platform.ledger.list() == []


def test_a_wrong_pattern_or_place_begins_nothing(world: World) -> None:
    wrong = Options(filters=Filters(patterns=((True, "["),)))
    inside = replace(request(), destination=Location("src", "b", "in/"))
    with world.platform() as platform:
        for asked in (request(options=wrong), inside):
            with pytest.raises(errors.UsageError):
                platform.sync(asked)
        assert platform.ledger.list() == []


def test_the_default_store_is_remembered_by_its_name(world: World) -> None:
    default = world.settings.stores["src"].model_copy(update={"default": True})
    stores = world.settings.stores | {"src": default}
    world.settings = world.settings.model_copy(update={"stores": stores})
    world.put("a", b"x")
    asked = replace(request(), source=Location.parse("s3://b/"))
    with world.platform() as platform:
        done = platform.sync(asked)
        assert platform.ledger.get(done.operation_id).request.source.store == "src"


def test_what_an_earlier_run_left_counts_as_planned_in_the_progress(world: World) -> None:
    for number in range(4):
        world.put(f"k{number}", b"x")
    world.fail("put", "in/k0", errors.StoreUnreachable("away"))
    world.fail("list_page", "dst", errors.StoreUnreachable("away"))
    with world.platform() as platform:
        ended = platform.sync(request(options=Options(concurrency=1)))
        world.hooks.clear()
        seen = Seen()
        done = platform.resume(ended.operation_id, seen)
    last = seen.snapshots[-1]
    assert done.state is OperationState.COMPLETED
    assert last.done <= last.planned


def test_what_is_deleted_counts_once_in_the_progress(world: World) -> None:
    world.put("k", b"x")
    for number in range(3):
        world.put(f"in/extra{number}", b"x", "dst")
    seen = Seen()
    with world.platform() as platform:
        done = platform.sync(request(options=Options(concurrency=1, delete=True)), seen)
    last = seen.snapshots[-1]
    assert (done.copied, done.deleted) == (1, 3)
    assert (last.planned, last.done + last.deleted) == (4, 4)


def test_the_ledger_keeps_no_password_that_an_error_quotes(world: World) -> None:
    world.put("a", b"x")
    said = errors.StoreFault("the proxy http://user:secret@proxy:3128 answered 502")
    for nth in range(1, 9):
        world.fail("put", "in/a", said, nth=nth)
    seen = Seen()
    with world.platform() as platform:
        ended = platform.sync(request(), seen)
        told = list(platform.ledger.failures(ended.operation_id))
    assert ended.failed == 1
    assert "secret" not in str(told) + str(seen.events)


def test_a_defect_is_told_without_the_values_that_it_met(world: World) -> None:
    met = UnicodeEncodeError("utf-8", "se\udcffcret", 2, 3, "surrogates not allowed")
    world.fail("list_page", "src", met)
    with world.platform() as platform:
        with pytest.raises(UnicodeEncodeError):
            platform.sync(request())
        [operation] = platform.ledger.list()
    assert "UnicodeEncodeError" in str(operation.message)
    assert "cret" not in str(operation.message)


def test_a_copy_that_a_verify_refutes_is_not_taken_for_proved_any_more(world: World) -> None:
    world.put_pair("a.zip", b"archive")
    with world.platform() as platform:
        platform.sync(request())
        memory = LedgerMemory(platform.ledger.engine, request())
        assert memory.copies(["a.zip"])
        world.put("in/a.zip", b"spoiled", store="dst")
        assert platform.sync(request(Kind.VERIFY)).failed == 1
        assert not memory.copies(["a.zip"])


def test_the_quarantine_knows_the_sidecar_that_was_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "run", partial(sync.run, settle=0.0))
    world.put_pair("a.zip", b"first", published=b"another")

    def publish_anew() -> None:
        world.put_pair("a.zip", b"second", published=b"yet another")

    world.on("get", "src:b/a.zip", publish_anew, nth=2)
    with world.platform() as platform:
        assert platform.sync(request()).quarantined == 2
        [entry] = platform.quarantined()
    head = world.stores["src"].head("b", "a.zip.CHECKSUM")
    assert entry.digest_etag == head.etag


def test_a_plan_knows_the_quarantine(world: World) -> None:
    world.put_pair("a.zip", b"archive", published=b"another")
    with world.platform() as platform:
        platform.sync(request())
        planned = list(platform.plan(request()))
    assert [(one.decision.value, one.reason) for one in planned] == [
        ("skip", "in quarantine: neither half has changed since its digest refused it")
    ] * 2


def test_a_plan_promises_nothing_that_a_run_would_refuse(world: World) -> None:
    world.put("a", b"new")
    world.put("in/a", b"old one", store="dst")
    options = Options(on_change=OnChange.FAIL)
    with world.platform() as platform:
        planned = list(platform.plan(request(options=options)))
    assert [(one.decision, one.key) for one in planned] == [(Decision.FAIL, "a")]
    assert "another revision" in planned[0].reason


def test_a_plan_says_which_extra_objects_would_be_deleted(world: World) -> None:
    world.put_pair("a.zip", b"archive")
    world.put("b.zip", b"its sidecar is not at the source")
    for key in ("in/b.zip.CHECKSUM", "in/c.zip", "in/c.zip.CHECKSUM"):
        world.put(key, b"x", store="dst")
    with world.platform() as platform:
        planned = list(platform.plan(request(options=Options(delete=True))))
    assert {one.key: one.decision for one in planned if one.decision is not Decision.COPY} == {
        "b.zip.CHECKSUM": Decision.EXTRA,
        "c.zip": Decision.DELETE,
        "c.zip.CHECKSUM": Decision.DELETE,
    }


def test_a_resume_overwrites_nothing_that_on_change_fail_refused(world: World) -> None:
    world.put("a", b"new")
    world.put("in/a", b"old", store="dst")
    with world.platform() as platform:
        options = Options(concurrency=2, on_change=OnChange.FAIL)
        refused = platform.sync(request(options=options))
        again = platform.resume(refused.operation_id)
    assert (refused.state, again.state) == (OperationState.PARTIAL, OperationState.PARTIAL)
    assert again.failed == 1
    assert world.stores["dst"].head("b", "in/a").size == len(b"old")


def test_a_resume_deletes_no_half_of_a_pair_that_was_published_again(world: World) -> None:
    world.put("z", b"x")
    for key in ("in/a.zip", "in/a.zip.CHECKSUM"):
        world.put(key, b"extra", store="dst")
    away = errors.StoreUnreachable("connection refused", subject="dst")
    world.on("delete", "in/a.zip", lambda: world.fail("list_page", "dst", away))
    world.fail("delete", "in/a.zip", away)
    with world.platform() as platform:
        ended = platform.sync(request(options=Options(concurrency=1, delete=True)))
        assert (ended.state, ended.pending) == (OperationState.FAILED, 2)
        world.put("a.zip", b"extra")
        again = platform.resume(ended.operation_id)
    assert (again.state, again.failed) == (OperationState.PARTIAL, 2)
    assert world.keys() == ["in/a.zip", "in/a.zip.CHECKSUM", "in/z"]


def test_the_progress_tells_how_many_objects_may_be_in_flight(world: World) -> None:
    world.put("a", b"x")
    seen = Seen()
    with world.platform() as platform:
        platform.sync(request(options=Options()), seen)
        platform.sync(request(options=Options(concurrency=3)), seen)
    assert {one.concurrency for one in seen.snapshots if one.concurrency} == {2 * START, 3}


def test_operations_of_one_process_share_the_pace_of_an_endpoint_and_the_line(
    world: World,
) -> None:
    world.settings = world.settings.model_copy(update={"bandwidth": 1024**2})
    with world.platform() as platform:
        for concurrency in (3, 500):
            platform.sync(request(options=Options(concurrency=concurrency)))
    first, other, again, _ = world.limits
    assert first.pace is again.pace is not other.pace
    assert first.line is other.line is again.line is not None
    assert (first.most, again.most) == (3, 500)
    assert first.pace.reads.level.most == 500


@pytest.mark.parametrize(
    ("where", "write"),
    [(LedgerRecorder, "planned"), (LedgerRecorder, "_write"), (Ledger, "finish")],
)
def test_a_ledger_that_is_away_for_a_moment_ends_no_operation(
    world: World, where: type, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a", b"x")
    world.put("b", b"y")

    def fails(*_: object, **__: object) -> None:
        raise errors.LedgerError("the server closed the connection")

    with world.platform() as platform:
        operation_id = platform.ledger.create(request(options=Options(concurrency=1)))
        lease = Lease.acquire(platform.ledger.engine, operation_id)
        with monkeypatch.context() as away:
            away.setattr(where, write, fails)
            with pytest.raises(errors.LedgerError, match="closed the connection"):
                platform.run(lease, again=False)
        left = platform.ledger.get(operation_id)
        assert (left.state, left.error) == (OperationState.RUNNING, None)
        assert is_held(left, platform.ledger.now()), "nobody has said that it ended"
        done = platform.run(lease, again=True)
    assert (done.state, done.failed) == (OperationState.COMPLETED, 0)
    assert world.keys() == ["in/a", "in/b"]
