"""Very large objects, in small: parts in parallel, and an upload that the next run goes on with."""

import random
from collections.abc import Callable

import pytest

from lakebed.errors import (
    AccessDenied,
    Cancelled,
    DigestRefused,
    DurationReached,
    Interrupted,
    LakebedError,
    LimitReached,
    ObjectMissing,
    RequestRefused,
    StoreUnreachable,
)
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Part
from lakebed.model.operation import Lane, Mode, ObjectState, OnChange, Options, Proof
from lakebed.store.capabilities import Capabilities, Capability
from lakebed.store.contract import Buffer
from lakebed.transfer.lanes import resumable
from lakebed.transfer.uploads import Begun
from tests.faults import Change, Drop, Fail, Fault, Flip, LoseAck, Refuse, Retag, Truncate
from tests.transfer.engine import Engine, able, sha256

PART = 1024
PARTS = 20
DATA = random.Random(1).randbytes(PARTS * PART - 100)
NAME = "a.zip"
KEY = "b/a.zip"
WITHOUT_CRCS = able(Capability.CRC64NVME, Capability.CRC32C)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "LEAST", 4 * PART)
    monkeypatch.setattr(resumable, "PART", PART)
    monkeypatch.setattr("lakebed.transfer.lanes.multipart.MIB", 1)
    monkeypatch.setattr("lakebed.transfer.lanes.whole.LIMIT", PART)


def engine(
    can: Capabilities | None = None, *, memory: int = 8 * PART, concurrency: int = 2
) -> Engine:
    """An archive of twenty parts and its sidecar."""
    made = Engine(Options(concurrency=concurrency, memory=memory))
    made.destination_can = can or made.destination_can
    made.publish_pair(NAME, DATA)
    return made


def end_after(made: Engine, parts: int, error: LakebedError) -> None:
    """End the operation by `error` ahead of a part."""

    def end() -> None:
        made.cancellation.stop(error)
        made.cancellation.check()

    made.destination.inject(Change(end), "upload_part", nth=parts + 1, times=None)


def sent(made: Engine) -> int:
    return made.destination.count("upload_part")


# --- one run -------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [2, 3, 8, 64])
def test_an_object_arrives_by_its_parts_whatever_the_budget(memory: int) -> None:
    made = engine(memory=memory * PART)
    assert made.run() is None
    moved = made.outcome(NAME)
    assert (moved.lane, moved.proof) == (Lane.RESUMABLE, Proof.PUBLISHER_SHA256)
    assert (moved.sha256, moved.reread_bytes) == (sha256(DATA), 0)
    assert made.at_destination()[NAME] == DATA
    assert (sent(made), made.recorder.uploads.held) == (PARTS, {})


def test_several_objects_share_a_budget_of_two_parts_and_all_arrive() -> None:
    made = engine(memory=2 * PART, concurrency=8)
    for number in range(6):
        made.publish_pair(f"{number}.zip", DATA[number:])
    assert made.run() is None
    assert len(made.recorder.in_state(ObjectState.DONE)) == 14


@pytest.mark.parametrize(
    ("missing", "algorithm", "proof"),
    [
        ((), Algorithm.CRC64NVME, Proof.SERVER_CHECKSUM),
        ((Capability.CRC64NVME,), Algorithm.CRC32C, Proof.SERVER_CHECKSUM),
        ((Capability.CRC64NVME, Capability.CRC32C), None, Proof.ETAG_MD5),
        (
            (Capability.CRC64NVME, Capability.CRC32C, Capability.MD5_ETAGS),
            None,
            Proof.SIZE_ONLY,
        ),
    ],
)
def test_an_object_is_proved_by_the_best_that_the_bucket_has(
    missing: tuple[Capability, ...], algorithm: Algorithm | None, proof: Proof
) -> None:
    made = Engine(Options(memory=8 * PART), destination_can=able(*missing))
    made.publish(NAME, DATA)
    assert made.run() is None
    assert made.outcome(NAME).proof is proof
    held = made.held.head("bronze", KEY).checksum
    assert held == (Checksum.of(algorithm, DATA) if algorithm else None)


def test_a_budget_without_room_for_two_parts_streams() -> None:
    made = engine(memory=2 * PART - 1)
    assert made.run() is None
    assert made.outcome(NAME).lane is Lane.STREAM


@pytest.mark.parametrize(
    ("can", "fault"),
    [(WITHOUT_CRCS, Retag()), (able(), Flip(at=7))],
    ids=["another-etag", "a-bit-turns-over"],
)
def test_a_part_that_is_not_what_was_sent_fails_and_is_tried_anew(
    can: Capabilities, fault: Fault
) -> None:
    made = engine(can)
    made.destination.inject(fault, "upload_part", nth=3)
    assert made.run() is None
    assert made.outcome(NAME).state is ObjectState.DONE
    assert made.outcome(NAME).attempts == 2
    assert made.at_destination()[NAME] == DATA


def test_bytes_that_their_publisher_refuses_are_never_committed() -> None:
    made = Engine(Options(memory=8 * PART))
    made.publish_pair(NAME, DATA, digest_of=b"others")
    assert made.run() is None
    assert made.outcome(NAME).error == DigestRefused.code
    assert made.destination.count("complete_upload") == 0
    assert made.recorder.uploads.held == {}


def test_bytes_that_changed_on_their_way_from_the_source_are_never_committed() -> None:
    made = Engine(Options(memory=8 * PART))
    made.publish(NAME, DATA)
    made.source.inject(Flip(at=3), "get", nth=4)
    assert made.run() is None
    assert made.outcome(NAME).attempts == 2
    assert made.at_destination()[NAME] == DATA


@pytest.mark.parametrize("can", [able(), WITHOUT_CRCS], ids=["crc64nvme", "etags"])
def test_a_completion_whose_answer_was_lost_counts(can: Capabilities) -> None:
    made = engine(can)
    made.destination.inject(LoseAck(), "complete_upload")
    assert made.run() is None
    assert made.outcome(NAME).state is ObjectState.DONE
    assert sent(made) == PARTS


def test_an_upload_that_vanishes_is_begun_anew_once() -> None:
    made = engine()

    def drop() -> None:
        for upload in made.held.list_uploads("bronze", KEY):
            made.held.abort_upload("bronze", KEY, upload.upload_id)

    made.destination.inject(Change(drop), "upload_part", nth=5)
    assert made.run() is None
    assert made.outcome(NAME).state is ObjectState.DONE
    assert made.destination.count("create_upload") == 2

    made = engine()
    made.destination.inject(Change(drop), "upload_part", nth=5, times=None)
    assert made.run() is None
    assert made.outcome(NAME).error == ObjectMissing.code
    assert made.destination.count("create_upload") == 2


def test_where_the_answer_to_the_first_request_was_lost_the_ledger_keeps_the_key() -> None:
    made = engine()
    made.destination.inject(LoseAck(), "create_upload")
    assert made.run() is None
    assert made.outcome(NAME).state is ObjectState.DONE
    assert made.held.unfinished_uploads("bronze") == [KEY]
    assert made.recorder.uploads.held[KEY].upload_id is None


@pytest.mark.parametrize("error", [AccessDenied("403"), RequestRefused("400")])
def test_a_store_that_lists_no_uploads_costs_nothing(error: LakebedError) -> None:
    made = engine()
    made.destination.inject(Refuse(error), "list_uploads", times=None)
    assert made.run() is None
    assert made.recorder.uploads.held == {}


# --- the next run --------------------------------------------------------------------------------

INTERRUPTIONS = [Interrupted("Ctrl-C"), DurationReached("over"), LimitReached("--fail-fast")]


@pytest.mark.parametrize("error", INTERRUPTIONS, ids=lambda error: error.code)
@pytest.mark.parametrize("can", [able(), WITHOUT_CRCS], ids=["crc64nvme", "etags"])
def test_a_run_that_was_stopped_is_gone_on_with_part_by_part(
    can: Capabilities, error: LakebedError
) -> None:
    made = engine(can)
    end_after(made, 12, error)
    assert isinstance(made.run(), type(error))
    kept = made.recorder.uploads.held[KEY].parts
    assert kept
    before = sent(made)
    made.destination.heal()
    assert made.run() is None
    assert sent(made) - before == PARTS - len(kept)
    moved = made.outcome(NAME)
    assert (moved.proof, moved.sha256) == (Proof.PUBLISHER_SHA256, sha256(DATA))
    assert moved.reread_bytes == sum(part.size for part in kept)
    assert made.at_destination()[NAME] == DATA
    assert made.recorder.uploads.held == {}


def test_without_a_digest_to_meet_kept_parts_are_not_read_again() -> None:
    made = Engine(Options(memory=8 * PART))
    upload = made.held_source.create_upload("public", "spot/a.zip")
    part = made.held_source.upload_part("public", "spot/a.zip", upload, 1, Buffer((DATA,)))
    made.held_source.complete_upload("public", "spot/a.zip", upload, [part])  # no MD5 ETag
    made.published[NAME] = {DATA}
    end_after(made, 12, Interrupted("Ctrl-C"))
    assert isinstance(made.run(), Interrupted)
    kept = len(made.recorder.uploads.held[KEY].parts)
    made.destination.heal()
    read = made.source.count("get")
    assert made.run() is None
    assert made.source.count("get") - read == PARTS - kept
    moved = made.outcome(NAME)
    assert (moved.proof, moved.sha256, moved.reread_bytes) == (Proof.SERVER_CHECKSUM, None, 0)
    assert made.at_destination()[NAME] == DATA


def test_a_store_that_is_away_keeps_the_upload_too() -> None:
    made = engine()
    made.destination.inject(Drop(), "upload_part", nth=8, times=None)
    made.destination.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(made.run(), StoreUnreachable)
    assert made.recorder.uploads.held[KEY].parts
    made.destination.heal()
    assert made.run() is None
    assert made.destination.count("create_upload") == 1


def test_an_operation_that_is_cancelled_leaves_no_upload() -> None:
    made = engine()
    end_after(made, 5, Cancelled("by somebody"))
    assert isinstance(made.run(), Cancelled)
    assert made.recorder.uploads.held == {}
    assert made.held.unfinished_uploads("bronze") == []


def stopped(parts: int = 12) -> Engine:
    made = engine()
    end_after(made, parts, Interrupted("Ctrl-C"))
    assert isinstance(made.run(), Interrupted)
    made.destination.heal()
    return made


def test_a_kept_part_of_other_bytes_than_the_source_has_is_sent_again() -> None:
    """The first reading was spoiled on its way to us, and nobody could tell then."""
    made = engine()
    made.source.inject(Flip(at=3), "get", nth=3)  # the first is of the sidecar
    end_after(made, 12, Interrupted("Ctrl-C"))
    assert isinstance(made.run(), Interrupted)
    made.destination.heal()
    kept = len(made.recorder.uploads.held[KEY].parts)
    before = sent(made)
    assert made.run() is None
    assert sent(made) - before == PARTS - kept + 1
    assert made.at_destination()[NAME] == DATA
    assert made.outcome(NAME).attempts == 1


def test_a_source_that_changed_meanwhile_begins_anew_and_leaves_nothing_of_the_old() -> None:
    made = stopped()
    made.publish_pair(NAME, DATA[::-1])
    assert made.run() is None
    assert made.at_destination()[NAME] == DATA[::-1]
    assert made.held.unfinished_uploads("bronze") == []
    assert made.outcome(NAME).reread_bytes == 0


def other_parts(made: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "PART", 2 * PART)


def no_crcs(made: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    made.destination_can = WITHOUT_CRCS


def vanished(made: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    [upload] = made.held.list_uploads("bronze", KEY)
    made.held.abort_upload("bronze", KEY, upload.upload_id)


def never_begun(made: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    vanished(made, monkeypatch)
    made.recorder.uploads.intend(made.recorder.uploads.held[KEY])


def unlisted(made: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    made.destination.inject(Refuse(AccessDenied("403")), "list_parts", times=None)


@pytest.mark.parametrize("change", [other_parts, no_crcs, vanished, never_begun, unlisted])
def test_an_upload_that_cannot_be_gone_on_with_is_begun_anew(
    change: Callable[[Engine, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stopped()
    change(made, monkeypatch)
    assert made.run() is None
    assert made.destination.count("create_upload") == 2
    assert made.at_destination()[NAME] == DATA
    assert made.held.unfinished_uploads("bronze") == []


def test_a_part_that_the_store_has_otherwise_than_the_ledger_is_sent_again() -> None:
    made = stopped()
    held = made.recorder.uploads
    begun = held.held[KEY]
    first = begun.parts[0]
    held.add(KEY, Part(first.number, "0" * 32, first.size, first.checksum))
    before = sent(made)
    assert made.run() is None
    assert sent(made) - before == PARTS - len(begun.parts) + 1
    assert made.at_destination()[NAME] == DATA


@pytest.mark.parametrize("fault", [Fail(), Drop(), Truncate(at=100)], ids=["500", "drop", "cut"])
@pytest.mark.parametrize("verb", ["get", "upload_part", "create_upload", "complete_upload"])
def test_what_passes_by_itself_is_waited_for(verb: str, fault: Fault) -> None:
    made = engine()
    made.source.inject(fault, verb, nth=4)
    made.destination.inject(fault, verb, nth=1 if verb != "upload_part" else 4)
    assert made.run() is None
    assert made.outcome(NAME).state is ObjectState.DONE
    assert made.at_destination()[NAME] == DATA


def test_an_object_that_fails_for_itself_leaves_no_upload() -> None:
    made = engine()
    made.options = Options(memory=8 * PART, on_change=OnChange.FAIL, mode=Mode.DIRECT_SYNC)
    refuse = Refuse(RequestRefused("400"))
    made.destination.inject(refuse, "upload_part", nth=5, times=None)
    assert made.run() is None
    assert made.outcome(NAME).error == RequestRefused.code
    assert made.recorder.uploads.held == {}


def test_a_part_that_fails_lets_go_those_that_wait_behind_it() -> None:
    made = engine(memory=2 * PART)
    made.source.inject(Refuse(RequestRefused("400")), "get", "spot/a.zip", nth=5)
    assert made.run() is None
    assert made.outcome(NAME).error == RequestRefused.code
    assert made.recorder.uploads.held == {}


def test_an_upload_that_could_not_be_aborted_stays_in_the_ledger() -> None:
    made = engine()
    made.destination.inject(Refuse(RequestRefused("400")), "upload_part", nth=5, times=None)
    made.destination.inject(Refuse(AccessDenied("403")), "abort_upload", times=None)
    assert made.run() is None
    assert made.outcome(NAME).error == RequestRefused.code
    assert KEY in made.recorder.uploads.held


@pytest.mark.parametrize("memory", [8 * PART, 2 * PART - 1])
def test_one_that_nobody_was_told_of_is_not_forgotten_with_one_that_failed(memory: int) -> None:
    made = engine(memory=memory)
    made.publish_pair(NAME, DATA, digest_of=b"something else")
    # A killed run asked for it, and never heard that it was begun.
    made.recorder.uploads.intend(Begun(KEY, "etag", len(DATA), PART))
    made.held.create_upload("bronze", KEY)
    assert made.run() is None
    assert made.outcome(NAME).state is ObjectState.QUARANTINED
    assert made.held.unfinished_uploads("bronze") == [KEY]
    assert KEY in made.recorder.uploads.held


def test_of_an_upload_that_the_store_refused_to_begin_nothing_stays() -> None:
    made = engine()
    made.destination.inject(Refuse(AccessDenied("no uploads")), "create_upload", times=None)
    made.run()
    assert made.outcome(NAME).error == AccessDenied.code
    assert made.recorder.uploads.held == {}


def test_what_a_killed_stream_left_is_aborted_by_the_next_run() -> None:
    made = engine(memory=2 * PART - 1)
    left = made.held.create_upload("bronze", KEY)
    made.recorder.uploads.intend(Begun(KEY, "etag", len(DATA), PART))
    made.recorder.uploads.begin(KEY, left)
    assert made.run() is None
    assert made.outcome(NAME).lane is Lane.STREAM
    assert made.held.unfinished_uploads("bronze") == []
    assert made.recorder.uploads.held == {}
