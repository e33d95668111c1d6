"""Small objects travel together where the destination unpacks what is sent, and are proved."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import Interrupted, LimitReached, NotSupported, RequestRefused, StoreError
from lakebed.model.location import Location
from lakebed.model.objects import Attributes
from lakebed.model.operation import Lane, Mode, ObjectState, Options, Proof, ServerSide
from lakebed.model.quantity import KIB, MIB
from lakebed.store.capabilities import EVERYTHING, Capability
from lakebed.store.contract import Buffer
from lakebed.transfer.lanes.packed import Packed
from tests.faults import Change, Deny, Fail, Fault, Flip, LoseAck, Mislay, Refuse, Truncate
from tests.transfer.engine import Engine, sha256

T = TypeVar("T")
FEW = Options(concurrency=4)
DATA = b"candles" * 50


def engine(options: Options = FEW, pairs: int = 30) -> Engine:
    made = Engine(options, destination_can=EVERYTHING)
    for number in range(pairs):
        made.publish_pair(f"{number:03}.zip", DATA + str(number).encode())
    return made


def lanes(of: Engine) -> set[Lane | None]:
    return {of.outcome(name).lane for name in of.states()}


def all_done(of: Engine) -> bool:
    return set(of.states().values()) == {ObjectState.DONE}


def test_small_objects_travel_together_and_are_proved_by_the_listing() -> None:
    made = engine()
    assert made.run() is None
    assert all_done(made)
    assert lanes(made) == {Lane.PACKED}
    assert made.destination.count("put") == 0
    assert made.destination.count("put_many") == 1
    archive, sidecar = made.outcome("003.zip"), made.outcome("003.zip.CHECKSUM")
    assert (archive.proof, archive.sha256) == (Proof.PUBLISHER_SHA256, sha256(DATA + b"3"))
    assert sidecar.proof is Proof.ETAG_MD5


def test_a_batch_is_sent_as_soon_as_it_is_full() -> None:
    made = engine(pairs=120)
    assert made.run() is None
    assert all_done(made)
    assert made.destination.count("put_many") == 3  # of 100, 100 and 40 objects


def test_what_travels_with_the_bytes_is_kept() -> None:
    made = engine(pairs=1)
    attributes = Attributes({"content-type": "text/csv"}, {"origin": "binance"})
    made.publish("notes.csv", b"a,b", attributes)
    assert made.run() is None
    assert made.outcome("notes.csv").lane is Lane.PACKED
    kept = made.held.head("bronze", "b/notes.csv").attributes
    assert (kept.headers, kept.metadata) == (attributes.headers, attributes.metadata)


def test_large_objects_go_their_own_way() -> None:
    made = engine(pairs=2)
    made.publish("large.bin", b"x" * (128 * KIB + 1))
    assert made.run() is None
    assert made.outcome("large.bin").lane is Lane.WHOLE
    assert made.outcome("000.zip").lane is Lane.PACKED


def test_inside_one_store_only_what_must_be_read_anyway_is_sent_together() -> None:
    made = Engine(FEW, destination_can=EVERYTHING, one_store=True)
    made.publish_pair("a.zip", DATA)
    made.publish("alone.csv", DATA)
    assert made.run() is None
    assert made.outcome("a.zip").lane is made.outcome("a.zip.CHECKSUM").lane is Lane.PACKED
    assert made.outcome("alone.csv").lane is Lane.SERVER_SIDE
    assert made.source.count("get", "spot/alone.csv") == 0


def test_inside_one_store_tags_are_not_left_behind() -> None:
    made = Engine(FEW, destination_can=EVERYTHING, one_store=True)
    made.publish_pair("a.zip", DATA)
    made.publish("a.zip", DATA, Attributes(tags={"layer": "bronze"}))
    assert made.run() is None
    assert made.outcome("a.zip").lane is Lane.SERVER_SIDE
    assert made.held.tags("bronze", "b/a.zip") == {"layer": "bronze"}


@pytest.mark.parametrize("key", ["a//b", "a/./b", "../a", "folder/", "nul\0l"])
def test_a_key_that_unpacking_would_clean_goes_alone(key: str) -> None:
    made = engine(pairs=2)
    made.publish(key, b"odd")
    assert made.run() is None
    assert made.outcome(key).lane is Lane.WHOLE
    assert made.outcome("000.zip").lane is Lane.PACKED


def test_what_the_publisher_refuses_is_never_sent_and_the_rest_is() -> None:
    made = engine()
    made.publish_pair("bad.zip", b"other bytes", digest_of=b"those that were meant")
    assert made.run() is None
    assert made.states()["bad.zip"] is ObjectState.QUARANTINED
    assert "bad.zip" not in made.at_destination()
    assert made.outcome("003.zip").lane is Lane.PACKED


def test_bytes_that_are_not_the_source_s_are_not_sent() -> None:
    made = engine(pairs=0)
    made.publish("alone.csv", DATA)
    made.source.inject(Flip(at=3), "get", "spot/alone.csv")
    assert made.run() is None
    assert made.outcome("alone.csv").state is ObjectState.DONE
    assert made.at_destination()["alone.csv"] == DATA


@pytest.mark.parametrize("data", [None, b"spoiled"], ids=["lost", "spoiled"])
def test_what_a_pack_lost_or_spoiled_goes_alone(data: bytes | None) -> None:
    made = engine()
    lost = Mislay(lambda key: key.endswith(("007.zip", "011.zip.CHECKSUM")), data)
    made.destination.inject(lost, "put_many")
    assert made.run() is None
    assert all_done(made)
    again = {name for name in made.states() if made.outcome(name).lane is Lane.WHOLE}
    assert again == {n for z in ("007.zip", "011.zip") for n in (z, z + ".CHECKSUM")}


def test_a_spoiled_object_that_cannot_be_mended_does_not_stay() -> None:
    made = engine(pairs=3)
    made.destination.inject(Mislay(lambda key: "001" in key, b"spoiled"), "put_many")
    made.destination.inject(Deny(), "put", times=None)
    assert made.run() is None
    assert made.states()["001.zip"] is ObjectState.FAILED
    assert "001.zip" not in made.at_destination()


def test_a_refused_pack_goes_object_by_object() -> None:
    made = engine()
    made.destination.inject(Refuse(NotSupported("no unpacking")), "put_many", times=None)
    assert made.run() is None
    assert all_done(made)
    assert lanes(made) == {Lane.WHOLE}


@pytest.mark.parametrize(
    ("error", "tried"), [(RequestRefused("not now"), 3), (NotSupported("no unpacking"), 1)]
)
def test_after_three_refused_packs_or_one_that_can_never_be_none_is_tried(
    error: StoreError, tried: int, caplog: pytest.LogCaptureFixture
) -> None:
    made = engine(Options(concurrency=1), pairs=300)
    made.destination.inject(Refuse(error), "put_many", times=None)
    assert made.run() is None
    assert all_done(made)
    assert made.destination.count("put_many") == tried
    [said] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert str(error) in said.getMessage()
    assert made.recorder.notes == [said.getMessage()]


@dataclass(frozen=True)
class RefuseWhileOthersWait(Fault):
    """Refuses from the moment on at which somebody waits for a batch's bytes of the budget."""

    made: Engine
    waits: threading.Event = field(default_factory=threading.Event)

    def around(self, subject: str, action: Callable[[], T]) -> T:
        while not self.waits.wait(0.001) and not self.made.cancellation.stopped:
            if self.made.budget._waiting:
                self.waits.set()
        raise RequestRefused("not now")


def test_a_pack_that_fails_gives_its_room_to_those_that_wait_for_it() -> None:
    made = engine(Options(concurrency=8, memory=4 * Packed.limits.held), pairs=400)
    made.destination.inject(RefuseWhileOthersWait(made), "put_many", times=4)
    assert made.run() is None
    assert all_done(made)


def test_what_the_last_batch_left_is_counted_as_it_goes() -> None:
    options = Options(concurrency=2, server_side=ServerSide.S5CMD, fail_fast=True)
    made = Engine(options, destination_can=EVERYTHING, one_store=True)
    for number in range(200):
        made.publish(f"{number:03}.csv", DATA)
    made.destination.inject(Refuse(NotSupported("no s5cmd")), "copy_many")
    for verb in ("copy", "put"):
        made.destination.inject(Deny(), verb, times=None)
    assert isinstance(made.run(), LimitReached)
    assert made.destination.count("copy") < 20


@pytest.mark.parametrize("memory", [1, 2, 9])
def test_batches_inside_one_store_leave_room_for_an_object_that_must_be_read(memory: int) -> None:
    options = Options(concurrency=4, server_side=ServerSide.S5CMD, memory=memory * MIB)
    made = Engine(options, destination_can=EVERYTHING, one_store=True)
    for number in range(30):
        made.publish_pair(f"{number:03}.zip", DATA)
    assert made.run() is None
    assert all_done(made)


@pytest.mark.parametrize("fault", [Fail(), LoseAck()])
def test_a_pack_is_sent_again_where_that_can_help(fault: Fail | LoseAck) -> None:
    made = engine()
    made.destination.inject(fault, "put_many", times=2)
    assert made.run() is None
    assert lanes(made) == {Lane.PACKED}


def test_an_object_that_changes_meanwhile_arrives_as_it_is_by_then() -> None:
    made = engine(pairs=3)
    made.publish("notes.csv", b"old")
    change = Change(lambda: made.publish("notes.csv", b"new"))
    made.source.inject(change, "get", "spot/notes.csv")
    assert made.run() is None
    assert made.at_destination()["notes.csv"] == b"new"


def test_an_object_that_is_cut_short_again_and_again_fails_alone() -> None:
    made = engine()
    made.source.inject(Truncate(at=5), "get", "spot/004.zip", times=None)
    assert made.run() is None
    assert made.states()["004.zip"] is ObjectState.FAILED
    assert made.outcome("005.zip").lane is Lane.PACKED


def test_objects_between_those_of_a_pack_do_not_hide_them() -> None:
    made = engine(Options(concurrency=4, delete=False), pairs=4)
    for number in range(700):
        made.hold(f"000.zip-{number:04}", b"other")
    assert made.run() is None
    assert all_done(made)
    assert lanes(made) == {Lane.PACKED}


def test_what_lies_too_far_apart_to_be_proved_goes_alone() -> None:
    made = engine(pairs=2)
    for number in range(3500):
        made.hold(f"000.zip.CHECKSUM-{number:04}", b"other")
    assert made.run() is None
    assert all_done(made)
    assert made.outcome("000.zip").lane is Lane.PACKED
    assert made.outcome("001.zip").lane is Lane.WHOLE


@pytest.mark.parametrize(
    "options",
    [
        replace(FEW, tags=True),
        replace(FEW, storage_class="COLD"),
        replace(FEW, sse="AES256"),
        replace(FEW, mode=Mode.TRADITIONAL),
        replace(FEW, memory=16 * MIB),
    ],
    ids=["tags", "storage class", "encryption", "traditional", "little memory"],
)
def test_nothing_is_packed_where_the_request_would_lose_something(options: Options) -> None:
    made = engine(options, pairs=2)
    assert made.run() is None
    assert all_done(made)
    assert made.destination.count("put_many") == 0


@pytest.mark.parametrize("missing", [Capability.UNPACK, Capability.MD5_ETAGS])
def test_nothing_is_packed_where_the_bucket_could_not_prove_it(missing: Capability) -> None:
    made = engine(pairs=2)
    made.destination_can = EVERYTHING.without(frozenset({missing}))
    assert made.run() is None
    assert all_done(made)
    assert made.destination.count("put_many") == 0


def test_one_exact_key_is_put_by_its_own_request() -> None:
    exact = Location("binance", "public", "spot/a.zip")
    made = Engine(FEW, source_at=exact, destination_can=EVERYTHING)
    made.published["a.zip"] = {DATA}
    made.held_source.put("public", "spot/a.zip", Buffer((DATA,)))
    assert made.run() is None
    assert lanes(made) == {Lane.WHOLE}


def test_a_run_that_is_stopped_in_a_pack_is_completed_by_the_next() -> None:
    made = engine()
    stop = Change(lambda: made.cancellation.stop(Interrupted("stopped")))
    made.destination.inject(stop, "put_many")
    assert isinstance(made.run(), Interrupted)
    made.destination.heal()
    assert made.run() is None
    assert all_done(made)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([0, 1, 500, 128 * KIB, 128 * KIB + 1]), max_size=40),
    lost=st.sets(st.integers(0, 40)),
    spoiled=st.booleans(),
)
def test_whatever_a_pack_loses_everything_arrives_once_and_right(
    sizes: list[int], lost: set[int], spoiled: bool
) -> None:
    made = Engine(FEW, destination_can=EVERYTHING)
    for number, size in enumerate(sizes):
        made.publish_pair(f"{number:03}.zip", b"x" * size)
    names = {f"b/{number:03}.zip" for number in lost}
    fault = Mislay(lambda key: key in names, b"other" if spoiled else None)
    made.destination.inject(fault, "put_many", times=None)
    assert made.run() is None
    assert all(state is ObjectState.DONE for state in made.states().values())
    assert len(made.at_destination()) == 2 * len(sizes)
