"""Uploads under way in the ledger: durable, fenced, and found again where nobody runs them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from lakebed import errors
from lakebed.database.transaction import reading
from lakebed.errors import Interrupted, LeaseLost, RunningElsewhere
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Part
from lakebed.model.operation import Lane, OperationState
from lakebed.operations.abandoned import CLOCK_SKEW, Abandoned
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.retention import prune
from lakebed.operations.run import Platform
from lakebed.operations.uploads import LedgerUploads
from lakebed.transfer.lanes import resumable
from lakebed.transfer.uploads import Begun
from tests.operations.conftest import REQUEST, Clock
from tests.operations.platform import World, request

CRC = Checksum(Algorithm.CRC64NVME, 2**64 - 1)
UPLOAD = Begun("raw/spot/a\0b", "e1", 30, 10, Algorithm.CRC64NVME)


@pytest.fixture
def lease(ledger: Ledger, clock: Clock) -> Lease:
    return Lease.acquire(ledger.engine, ledger.create(REQUEST), clock)


@pytest.fixture
def uploads(lease: Lease) -> LedgerUploads:
    return LedgerUploads(lease)


def test_an_upload_is_found_as_it_was_told(uploads: LedgerUploads) -> None:
    assert uploads.find(UPLOAD.key) is None
    uploads.intend(UPLOAD)
    assert uploads.find(UPLOAD.key) == UPLOAD
    uploads.begin(UPLOAD.key, "id")
    two, one = Part(2, "b", 10, CRC), Part(1, "a", 10, CRC)
    for part in (two, Part(1, "other", 10, CRC), one):
        uploads.add(UPLOAD.key, part)
    assert uploads.find(UPLOAD.key) == replace(UPLOAD, upload_id="id", parts=(one, two))
    uploads.forget(UPLOAD.key)
    assert uploads.find(UPLOAD.key) is None


def test_an_upload_that_is_begun_anew_has_no_parts_and_its_first_moment(
    ledger: Ledger, uploads: LedgerUploads, clock: Clock
) -> None:
    uploads.intend(UPLOAD)
    uploads.begin(UPLOAD.key, "id")
    uploads.add(UPLOAD.key, Part(1, "a", 10))
    began = clock.now
    clock.now += 5
    anew = replace(UPLOAD, source_etag="e2", part_size=15, algorithm=None)
    uploads.intend(anew)
    assert uploads.find(UPLOAD.key) == anew
    with reading(ledger.engine) as connection:
        assert connection.scalar(text("SELECT created FROM uploads")) == began


def test_an_upload_without_checksums_has_parts_without(uploads: LedgerUploads) -> None:
    uploads.intend(replace(UPLOAD, algorithm=None))
    uploads.add(UPLOAD.key, Part(1, "a", 10))
    found = uploads.find(UPLOAD.key)
    assert found is not None
    assert found.parts == (Part(1, "a", 10),)


def test_who_lost_the_lease_writes_nothing(
    ledger: Ledger, lease: Lease, uploads: LedgerUploads, clock: Clock
) -> None:
    uploads.intend(UPLOAD)
    clock.now += 1000
    Lease.acquire(ledger.engine, lease.operation_id, clock)
    acts: list[Callable[[], None]] = [
        lambda: uploads.intend(UPLOAD),
        lambda: uploads.begin(UPLOAD.key, "id"),
        lambda: uploads.add(UPLOAD.key, Part(1, "a", 10)),
        lambda: uploads.forget(UPLOAD.key),
    ]
    for act in acts:
        with pytest.raises(LeaseLost):
            act()
    assert uploads.find(UPLOAD.key) == UPLOAD


def test_an_operation_with_an_unfinished_upload_is_not_pruned(
    ledger: Ledger, lease: Lease, uploads: LedgerUploads, clock: Clock
) -> None:
    uploads.intend(UPLOAD)
    ledger.finish(lease.operation_id, lease.fence, OperationState.PARTIAL)
    clock.now += 10
    assert prune(ledger, 0) == 0
    uploads = LedgerUploads(Lease.acquire(ledger.engine, lease.operation_id, clock))
    uploads.forget(UPLOAD.key)
    ledger.finish(lease.operation_id, lease.fence + 1, OperationState.PARTIAL)
    clock.now += 10
    assert prune(ledger, 0) == 1


# --- abandoned uploads ---------------------------------------------------------------------------

MIB = 2**20
DATA = bytes(range(256)) * (48 * MIB // 256)


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(resumable, "LEAST", 16 * MIB)
    stores = World(tmp_path, monkeypatch)
    stores.put_pair("large.zip", DATA)
    return stores


@pytest.fixture
def platform(stores: World) -> Iterator[Platform]:
    with stores.platform() as opened:
        yield opened


@pytest.fixture
def interrupted(stores: World, platform: Platform) -> str:
    """An operation that was interrupted at its fourth part."""
    stop = Interrupted("stopped by the test")
    stores.on("upload_part", "large.zip", lambda: stores.cancellation.stop(stop), nth=4)
    summary = platform.sync(request())
    assert summary.state is OperationState.INTERRUPTED
    stores.hooks.clear()
    return summary.operation_id


def again(stores: World) -> Platform:
    return stores.platform()


def test_an_interrupted_operation_goes_on_inside_the_object(
    stores: World, interrupted: str
) -> None:
    [upload] = stores.stores["dst"].list_uploads("b", "in/large.zip")
    parts = stores.stores["dst"].list_parts("b", "in/large.zip", upload.upload_id)
    assert parts
    stores.calls.clear()
    with again(stores) as platform:
        summary = platform.resume(interrupted)
        assert summary.state is OperationState.COMPLETED
        assert summary.lanes[Lane.RESUMABLE] == 1
        assert summary.reread_bytes == sum(part.size for part in parts)
        assert list(platform.uploads.find()) == []
    sent = [verb for verb, subject in stores.calls if verb == "upload_part"]
    assert len(sent) == 6 - len(parts)


def found(platform: Platform, operation: str | None = None) -> list[Abandoned]:
    return list(platform.uploads.find(operation))


def test_an_abandoned_upload_is_found_and_aborted(stores: World, interrupted: str) -> None:
    with again(stores) as platform:
        [left] = found(platform, interrupted[:12])
        assert (left.operation_id, left.state) == (interrupted, OperationState.INTERRUPTED)
        assert (str(left.location), left.size) == ("dst:b/in/large.zip", len(DATA))
        assert 0 < left.sent < len(DATA)
        assert [upload.key for upload in left.uploads] == ["in/large.zip"]
        platform.uploads.abort(left)
        assert found(platform) == []
        assert stores.stores["dst"].unfinished_uploads("b") == []
        # What was aborted is begun anew.
        assert platform.resume(interrupted).state is OperationState.COMPLETED


def test_a_store_that_is_away_hides_nothing_of_the_others(stores: World, interrupted: str) -> None:
    stores.fail("list_uploads", "dst", errors.StoreUnreachable("away"))
    with stores.platform() as platform:
        assert list(platform.uploads.find()) == []
        assert len(list(platform.uploads.find())) == 1


def test_uploads_went_with_their_bucket_and_are_forgotten(stores: World, interrupted: str) -> None:
    stores.fail("list_uploads", "dst", errors.BucketMissing("gone"))
    with stores.platform() as platform:
        [left] = platform.uploads.find()
        assert left.uploads == ()
        platform.uploads.abort(left)
        assert list(platform.uploads.find()) == []


def test_an_upload_of_somebody_else_is_neither_listed_nor_aborted(
    stores: World, interrupted: str
) -> None:
    dst = stores.stores["dst"]
    [ours] = dst.list_uploads("b", "in/large.zip")
    # Begun at another time than the operation was running, and for another key.
    dst._now = lambda: ours.initiated + timedelta(seconds=CLOCK_SKEW + 100)
    theirs = dst.create_upload("b", "in/large.zip")
    dst.create_upload("b", "in/other.zip")
    with again(stores) as platform:
        [left] = found(platform)
        assert left.uploads == (ours,)
        platform.uploads.abort(left)
    assert [upload.upload_id for upload in dst.list_uploads("b", "in/large.zip")] == [theirs]
    assert dst.unfinished_uploads("b") == ["in/large.zip", "in/other.zip"]


def test_what_a_killed_run_left_is_aborted_although_its_row_says_that_it_runs(
    stores: World, interrupted: str
) -> None:
    with again(stores) as platform:
        long_ago = time.time() - 1000
        Lease.acquire(platform.ledger.engine, interrupted, clock=lambda: long_ago)
        [left] = found(platform)
        platform.uploads.abort(left)
        assert found(platform) == []
    assert stores.stores["dst"].unfinished_uploads("b") == []


def test_what_was_begun_meanwhile_is_not_forgotten(stores: World, interrupted: str) -> None:
    with again(stores) as platform:
        [left] = found(platform)
        engine = platform.ledger.engine
        between = Lease.acquire(engine, interrupted)
        LedgerUploads(between).intend(replace(UPLOAD, key="in/large.zip"))
        LedgerUploads(between).begin("in/large.zip", "a later one")
        platform.ledger.finish(interrupted, between.fence, OperationState.INTERRUPTED)
        platform.uploads.abort(left)
        kept = LedgerUploads(between).find("in/large.zip")
    assert kept is not None
    assert kept.upload_id == "a later one"


def test_an_upload_whose_beginning_was_never_acknowledged_is_found_by_its_key(
    stores: World, platform: Platform
) -> None:
    dst = stores.stores["dst"]

    def lose() -> None:
        dst.create_upload("b", "in/large.zip")
        stores.cancellation.stop(Interrupted("killed"))

    stores.on("create_upload", "in/large.zip", lose)
    assert platform.sync(request()).state is OperationState.INTERRUPTED
    stores.hooks.clear()
    with again(stores) as platform:
        [left] = found(platform)
        assert left.sent == 0
        platform.uploads.abort(left)
        assert found(platform) == []
    assert dst.unfinished_uploads("b") == []


def test_what_a_running_operation_holds_is_left_alone(
    stores: World, platform: Platform, interrupted: str
) -> None:
    with again(stores) as platform:
        [left] = found(platform)
        Lease.acquire(platform.ledger.engine, interrupted)
        assert found(platform) == []
        with pytest.raises(RunningElsewhere):
            platform.uploads.abort(left)
    assert stores.stores["dst"].unfinished_uploads("b") == ["in/large.zip"]


def test_a_key_that_another_operation_is_uploading_is_not_guessed_at(
    stores: World, interrupted: str
) -> None:
    dst = stores.stores["dst"]
    [ours] = dst.list_uploads("b", "in/large.zip")
    with again(stores) as platform:
        engine = platform.ledger.engine
        running = Lease.acquire(
            engine, platform.ledger.create(platform.ledger.get(interrupted).request)
        )
        LedgerUploads(running).intend(replace(UPLOAD, key="in/large.zip"))
        dst.create_upload("b", "in/large.zip")  # and before its id is in the ledger
        [left] = found(platform)
        assert left.uploads == (ours,)
