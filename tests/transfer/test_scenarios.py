"""Named faults, and what the engine makes of them. Each run asserts the design's invariants."""

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lakebed import errors
from lakebed.model.location import Location
from lakebed.model.objects import Attributes
from lakebed.model.operation import Lane, Mode, ObjectState, OnChange, Options, Proof
from lakebed.model.pair import sidecar_of
from lakebed.model.quantity import KIB, MIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Buffer, Page, Sink
from lakebed.transfer import sync
from lakebed.transfer.lanes import multipart, server_side
from lakebed.transfer.recorder import Batch
from tests.faults import (
    Change,
    CutPage,
    Deny,
    Disorder,
    Drop,
    Fail,
    Fault,
    Flip,
    Hold,
    HtmlPage,
    LoseAck,
    Refuse,
    RepeatToken,
    Retag,
    Throttle,
    Truncate,
)
from tests.transfer.engine import FEW, Engine, able, sha256, sidecar

DATA = b"open,high,low,close\n" * 40
NEWER = b"open,high,low,close,volume\n" * 40
LARGE = bytes(range(256)) * (10 * KIB)  # 2.5 MiB: three parts of 1 MiB at the most

DONE, FAILED = ObjectState.DONE, ObjectState.FAILED
QUARANTINED, DELETED = ObjectState.QUARANTINED, ObjectState.DELETED
PENDING = ObjectState.PENDING

STREAMED = Options(concurrency=2, memory=MIB)


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine for which an object of 2.5 MiB is a large one."""
    monkeypatch.setattr(multipart, "PART", MIB)
    return Engine(STREAMED)


def replaced(engine: Engine, name: str = "a.zip", data: bytes = NEWER) -> Callable[[], None]:
    return lambda: engine.publish(name, data)


# --- nothing goes wrong --------------------------------------------------------------------------


def test_a_pair_and_an_object_arrive_proved_and_the_second_run_has_nothing_to_do() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.publish("readme", b"")
    assert engine.run() is None
    assert set(engine.at_destination()) == {"a.zip", "a.zip.CHECKSUM", "readme"}
    assert engine.outcome("a.zip").proof is Proof.PUBLISHER_SHA256
    assert engine.outcome("readme").proof is Proof.SERVER_CHECKSUM
    assert engine.source.count("get", "spot/a.zip.CHECKSUM") == 1  # read once for both its uses
    assert engine.again() is None
    assert engine.states() == {}


def test_nothing_is_sent_before_its_batch_is_planned() -> None:
    engine = Engine()
    seen: list[ObjectState] = []
    look = Change(lambda: seen.append(engine.states()["a.zip"]))
    engine.destination.inject(look, "put", "b/a.zip")
    engine.publish("a.zip", DATA)
    assert engine.run() is None
    assert seen == [PENDING]
    assert engine.recorder.events == [("planned", "a.zip"), ("done", "a.zip")]


@pytest.mark.parametrize(
    ("missing", "proof"),
    [
        ((), Proof.SERVER_CHECKSUM),
        ((Capability.SHA256,), Proof.ETAG_MD5),
        ((Capability.SHA256, Capability.MD5_ETAGS), Proof.SIZE_ONLY),
    ],
)
def test_the_best_proof_that_the_bucket_allows_is_named(
    missing: tuple[Capability, ...], proof: Proof
) -> None:
    engine = Engine(destination_can=able(*missing))
    engine.publish("a", DATA)
    assert engine.run() is None
    assert engine.outcome("a").proof is proof


# --- connections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Drop(), LoseAck(), Fail(), Throttle(), Throttle(retry_after=9)])
@pytest.mark.parametrize(
    ("end", "verb"),
    [
        ("source", "list_page"),
        ("source", "get"),
        ("destination", "list_page"),
        ("destination", "put"),
    ],
)
def test_a_request_that_failed_is_made_again(fault: Fault, end: str, verb: str) -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    store = engine.source if end == "source" else engine.destination
    store.inject(fault, verb)
    assert engine.run() is None
    assert set(engine.states().values()) == {DONE}
    assert engine.progress.retries == 1
    assert engine.outcome("a.zip").attempts == 1


@pytest.mark.parametrize("fault", [Drop(), LoseAck(), Fail(), Truncate(at=MIB // 2)])
def test_a_part_that_failed_is_sent_again(streamed: Engine, fault: Fault) -> None:
    streamed.publish_pair("a.zip", LARGE)
    streamed.destination.inject(fault, "upload_part", nth=2)
    assert streamed.run() is None
    assert streamed.outcome("a.zip").lane is Lane.STREAM
    assert streamed.outcome("a.zip").proof is Proof.PUBLISHER_SHA256
    assert streamed.destination.count("upload_part") == 4


def test_a_large_object_is_proved_by_its_size_where_nothing_better_is_possible(
    streamed: Engine,
) -> None:
    streamed.destination_can = able(Capability.MD5_ETAGS)
    streamed.publish("a", LARGE)
    assert streamed.run() is None
    assert streamed.outcome("a").proof is Proof.SIZE_ONLY


def test_an_upload_whose_completion_was_not_acknowledged_counts_once(streamed: Engine) -> None:
    streamed.publish("a", LARGE)
    streamed.destination.inject(LoseAck(), "complete_upload")
    assert streamed.run() is None
    assert streamed.outcome("a").proof is Proof.ETAG_MD5


def test_an_upload_that_may_be_another_ones_is_not_taken_for_ours(streamed: Engine) -> None:
    streamed.publish("a", LARGE)
    streamed.destination.inject(LoseAck(), "complete_upload")
    streamed.destination.inject(Retag(), "head", "b/a")
    assert streamed.run() is None
    assert streamed.outcome("a").error == "object-missing"


def test_an_upload_that_cannot_be_aborted_does_not_hide_what_failed(streamed: Engine) -> None:
    streamed.publish("a", LARGE)
    streamed.destination.inject(Deny(), "upload_part")
    streamed.destination.inject(LoseAck(), "abort_upload", times=None)
    assert streamed.run() is None
    assert streamed.outcome("a").error == "access-denied"


def test_a_deletion_that_was_not_acknowledged_is_no_error() -> None:
    engine = Engine(replace(FEW, delete=True))
    engine.publish("a", DATA)
    engine.hold("extra", DATA)
    engine.destination.inject(LoseAck(), "delete", "b/extra")
    assert engine.run() is None
    assert set(engine.at_destination()) == {"a"}


def test_a_body_cut_short_is_resumed_and_not_doubled() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.source.inject(Truncate(at=100), "get", "spot/a.zip")
    assert engine.run() is None
    assert engine.progress.passed == len(DATA) + len(sidecar("a.zip", DATA))


def test_a_part_whose_reading_was_cut_short_is_resumed(streamed: Engine) -> None:
    streamed.publish("a", LARGE)
    streamed.source.inject(Truncate(at=100), "get", nth=2)
    assert streamed.run() is None
    assert streamed.progress.passed == len(LARGE)


def test_a_store_that_fails_for_one_object_fails_that_object_alone() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.publish("b", DATA)
    engine.destination.inject(Fail(), "put", "b/a", times=None)
    assert engine.run() is None
    assert engine.states() == {"a": FAILED, "b": DONE}
    assert engine.outcome("a").error == "store-fault"


@pytest.mark.parametrize("end", ["source", "destination"])
def test_a_store_that_is_gone_ends_the_operation_and_leaves_its_rows_pending(end: str) -> None:
    engine = Engine(replace(FEW, concurrency=1))
    engine.publish_pair("a.zip", DATA)
    engine.publish("b", DATA)
    engine.publish("c", DATA)
    store, verb = (engine.source, "get") if end == "source" else (engine.destination, "put")
    store.inject(Drop(), verb, lambda key: not key.endswith("/c"), nth=2, times=None)
    store.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(engine.run(), errors.StoreUnreachable)
    assert set(engine.states().values()) == {PENDING}
    store.heal()
    assert engine.run() is None
    assert set(engine.states().values()) == {DONE}


def test_a_source_that_is_gone_in_the_middle_of_a_stream_ends_the_operation(
    streamed: Engine,
) -> None:
    streamed.publish("a", LARGE)
    streamed.source.inject(Drop(), "get", nth=2, times=None)
    streamed.source.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(streamed.run(), errors.StoreUnreachable)
    assert streamed.at_destination() == {}


def test_a_deletion_at_a_store_that_is_gone_ends_the_operation() -> None:
    engine = Engine(replace(FEW, delete=True))
    engine.publish("a", DATA)
    engine.hold("extra", DATA)
    engine.destination.inject(Drop(), "delete", times=None)
    engine.destination.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(engine.run(), errors.StoreUnreachable)
    assert engine.states() == {"a": DONE, "extra": PENDING}
    engine.destination.heal()
    assert engine.run() is None
    assert engine.states() == {"a": DONE, "extra": DELETED}


# --- bytes ---------------------------------------------------------------------------------------


def test_a_byte_flipped_on_its_way_here_is_caught_by_the_publishers_digest() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.source.inject(Flip(at=7), "get", "spot/a.zip")
    assert engine.run() is None
    assert engine.outcome("a.zip").attempts == 2


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.TRADITIONAL])
def test_a_byte_flipped_on_its_way_here_is_caught_by_the_sources_etag(mode: Mode) -> None:
    engine = Engine(replace(FEW, mode=mode))
    engine.publish("a", DATA)
    engine.source.inject(Flip(at=7), "get", "spot/a")
    assert engine.run() is None
    assert engine.outcome("a").attempts == 2


def test_a_byte_flipped_in_a_stream_is_caught_by_the_sources_etag(streamed: Engine) -> None:
    streamed.publish("a", LARGE)
    streamed.source.inject(Flip(at=7), "get", nth=2)
    assert streamed.run() is None
    assert streamed.outcome("a").attempts == 2


def test_a_source_whose_etags_only_look_like_digests_is_read_twice_and_copied() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    inner = engine.held_source.list_page("public").objects[0]
    seeming = Retag("0123456789abcdef" * 2)
    engine.source.inject(seeming, "list_page", "spot/")

    def get_any_revision(fault: Retag = seeming) -> None:
        stored = engine.held_source._buckets["public"].objects
        stored[inner.key] = replace(stored[inner.key], etag=fault.etag)

    engine.source.inject(Change(get_any_revision), "get", "spot/a")
    assert engine.run() is None
    assert engine.states() == {"a": DONE}
    assert engine.source.count("get", "spot/a") == 2


def test_a_source_replaced_between_two_readings_is_a_changed_source() -> None:
    engine = Engine()
    engine.publish("a.zip", DATA)
    engine.source.inject(Flip(at=7), "get")
    engine.source.inject(Change(replaced(engine)), "get", nth=2)
    assert engine.run() is None
    assert engine.at_destination() == {"a.zip": NEWER}


def test_bytes_that_differ_at_each_reading_are_not_copied() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    for nth in range(1, 9):
        engine.source.inject(Flip(at=nth), "get", "spot/a", nth=nth)
    assert engine.run() is None
    assert (engine.outcome("a").error, engine.outcome("a").attempts) == ("proof-failed", 3)
    assert engine.at_destination() == {}


def test_a_byte_flipped_on_its_way_there_is_refused_by_the_store_and_sent_again() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.destination.inject(Flip(at=7), "put", "b/a")
    assert engine.run() is None
    assert engine.states() == {"a": DONE}
    assert engine.destination.count("put", "b/a") == 2


def test_a_store_that_goes_on_refusing_the_checksum_fails_the_object() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.destination.inject(Flip(at=7), "put", "b/a", times=None)
    assert engine.run() is None
    assert engine.outcome("a").error == "checksum-refused"


def test_a_byte_flipped_on_its_way_there_is_seen_in_the_etag_where_nothing_refuses_it() -> None:
    engine = Engine(destination_can=able(Capability.SHA256))
    engine.publish("a", DATA)
    # A store that verifies nothing: the digest that is not sent cannot be refused.
    engine.destination.inject(Flip(at=7), "put", "b/a")
    assert engine.run() is None
    assert (engine.outcome("a").attempts, engine.destination.count("delete")) == (2, 1)


def test_a_byte_flipped_in_a_part_is_seen_in_its_etag(streamed: Engine) -> None:
    streamed.publish_pair("a.zip", LARGE)
    streamed.destination.inject(Flip(at=7), "upload_part", nth=2)
    assert streamed.run() is None
    assert streamed.outcome("a.zip").attempts == 2


def test_a_destination_that_answers_wrong_etags_is_not_believed() -> None:
    engine = Engine(destination_can=able(Capability.SHA256))
    engine.publish_pair("a.zip", DATA)
    engine.destination.inject(Retag(), "put", "b/a.zip", times=None)
    assert engine.run() is None
    assert set(engine.states().values()) == {FAILED}
    assert engine.outcome("a.zip").error == "proof-failed"
    assert engine.at_destination() == {}


# --- slow, and stopped ---------------------------------------------------------------------------


def test_a_stopped_operation_goes_on_with_nothing_lost_and_nothing_repeated() -> None:
    engine = Engine(replace(FEW, concurrency=1))
    for name in "abcdef":
        engine.publish(name, DATA + name.encode())
    stop = Change(lambda: engine.cancellation.stop(errors.Interrupted("stopped by hand")))
    engine.destination.inject(stop, "put", "b/c")
    assert isinstance(engine.run(), errors.Interrupted)
    done = engine.recorder.in_state(DONE)
    assert done == {"a", "b", "c"}
    assert engine.run() is None
    assert len(engine.at_destination()) == 6
    assert all(engine.destination.count("put", f"b/{name}") == 1 for name in "abcdef")


def test_a_hung_store_ends_with_the_cancellation() -> None:
    engine = Engine(replace(FEW, concurrency=2, memory=len(DATA)))
    for name in "abcd":  # whichever comes first hangs with the whole budget, others wait for it
        engine.publish(name, DATA)
    hold = Hold()
    engine.destination.inject(hold, "put")

    def stop() -> None:
        hold.reached.wait(30)
        engine.cancellation.stop(errors.Cancelled("cancelled"))
        hold.release.set()

    watcher = threading.Thread(target=stop)
    watcher.start()
    try:
        assert isinstance(engine.run(), errors.Cancelled)
    finally:
        watcher.join()
    assert len(engine.recorder.in_state(DONE)) == 1


def test_a_stop_in_the_middle_of_a_stream_leaves_no_upload(streamed: Engine) -> None:
    streamed.publish("a", LARGE)
    stop = Change(lambda: streamed.cancellation.stop(errors.Interrupted("stopped")))
    streamed.destination.inject(stop, "upload_part", nth=2)
    assert isinstance(streamed.run(), errors.Interrupted)
    assert streamed.states() == {"a": PENDING}
    assert streamed.run() is None


def test_a_plan_that_was_ended_between_two_halves_goes_on_and_counts_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sync, "_UNITS", 1)
    engine = Engine()
    engine.publish_pair("X.zip", DATA)
    engine.publish("X.zip-1", DATA)  # sorts between the halves
    engine.publish("Y", DATA)
    engine.publish("Z", DATA)
    remember = engine.recorder.planned

    def remember_and_stop(batch: Batch) -> None:
        remember(batch)
        engine.cancellation.stop(errors.Interrupted("stopped"))

    monkeypatch.setattr(engine.recorder, "planned", remember_and_stop)
    assert isinstance(engine.run(), errors.Interrupted)
    monkeypatch.undo()
    assert engine.recorder.cursor() == "X.zip.CHECKSUM"
    assert engine.run() is None
    assert engine.recorder.counted().listed == 5
    assert set(engine.states().values()) == {DONE}


def test_a_stop_between_batches_is_heard_where_nothing_is_to_be_moved() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.hold("a", DATA)
    stop = Change(lambda: engine.cancellation.stop(errors.Interrupted("stopped")))
    engine.destination.inject(stop, "list_page")
    assert isinstance(engine.run(), errors.Interrupted)
    assert engine.recorder.cursor() == ""


@pytest.mark.parametrize("verb", ["get", "list_page"])
def test_a_defect_comes_out_as_itself_and_ends_everything(verb: str) -> None:
    class Broken(Fault):
        def around(self, subject: str, action: Callable[[], object]) -> object:  # type: ignore[override]  # it answers nothing
            raise RuntimeError("a defect")

    engine = Engine()
    for name in "abc":
        engine.publish(name, DATA)
    engine.source.inject(Broken(), verb)
    with pytest.raises(RuntimeError, match="a defect"):
        engine.run()
    assert engine.budget.held == 0


def test_a_defect_in_a_stream_comes_out_as_itself(streamed: Engine) -> None:
    class Broken(Fault):
        def around(self, subject: str, action: Callable[[], object]) -> object:  # type: ignore[override]  # it answers nothing
            raise RuntimeError("a defect")

    streamed.publish("a", LARGE)
    streamed.source.inject(Broken(), "get")
    with pytest.raises(RuntimeError, match="a defect"):
        streamed.run()
    assert streamed.held.unfinished_uploads("bronze") == []


# --- the source changes under us -----------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.TRADITIONAL])
@pytest.mark.parametrize("on_change", list(OnChange))
def test_an_object_replaced_after_it_was_listed_is_a_new_revision(
    on_change: OnChange, mode: Mode
) -> None:
    engine = Engine(replace(FEW, on_change=on_change, mode=mode))
    engine.publish("a.zip", DATA)
    engine.source.inject(Change(replaced(engine)), "get", "spot/a.zip")
    assert engine.run() is None
    if on_change is OnChange.FAIL:
        assert engine.outcome("a.zip").error == "source-changed"
        assert engine.at_destination() == {}
    else:
        assert engine.at_destination() == {"a.zip": NEWER}


@pytest.mark.parametrize("nth", [1, 2])
def test_a_large_object_replaced_while_it_is_read_is_never_mixed(
    streamed: Engine, nth: int
) -> None:
    streamed.publish("a.zip", LARGE)
    change = Change(lambda: streamed.publish("a.zip", LARGE[::-1]))
    streamed.source.inject(change, "get", nth=nth)
    assert streamed.run() is None
    assert streamed.at_destination() == {"a.zip": LARGE[::-1]}


def test_a_large_object_replaced_before_it_is_read_is_a_new_revision(streamed: Engine) -> None:
    streamed.publish("a.zip", LARGE)
    change = Change(lambda: streamed.publish("a.zip", LARGE[::-1]))
    streamed.source.inject(change, "head", nth=1)
    assert streamed.run() is None
    assert streamed.at_destination() == {"a.zip": LARGE[::-1]}


@pytest.mark.parametrize("name", ["a.zip", "a.zip.CHECKSUM"])
def test_a_source_object_deleted_under_us_fails_its_pair(name: str) -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.publish("b", DATA)
    engine.source.inject(Change(lambda: engine.withdraw(name)), "get", f"spot/{name}")
    assert engine.run() is None
    assert engine.states() == {"a.zip": FAILED, "a.zip.CHECKSUM": FAILED, "b": DONE}
    assert engine.outcome("a.zip").error == "source-changed"


@pytest.mark.parametrize(
    ("on_change", "ends"), [("fail", b"old"), ("keep", b"old"), ("replace", DATA)]
)
def test_a_destination_that_holds_another_revision_is_treated_as_asked(
    on_change: str, ends: bytes
) -> None:
    engine = Engine(replace(FEW, on_change=OnChange(on_change)))
    engine.publish("a.zip", DATA)
    engine.hold("a.zip", b"old")
    assert engine.run() is None
    assert engine.at_destination() == {"a.zip": ends}
    expected = {"fail": {"a.zip": FAILED}, "keep": {}, "replace": {"a.zip": DONE}}
    assert engine.states() == expected[on_change]


@pytest.mark.parametrize("option", [{"on_change": OnChange.KEEP}, {"ignore_existing": True}])
def test_no_half_of_another_revision_joins_what_is_kept(option: dict[str, OnChange | bool]) -> None:
    engine = Engine(replace(FEW, **option))  # type: ignore[arg-type]  # one of two options
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", b"old"))
    assert engine.run() is None
    assert engine.at_destination() == engine.before


def test_ignore_existing_writes_over_nothing_also_where_a_sidecar_is_missing() -> None:
    engine = Engine(replace(FEW, ignore_existing=True))
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip", DATA)
    assert engine.run() is None
    assert engine.states() == {}


def test_ignore_existing_brings_an_archive_to_the_sidecar_that_is_its_own() -> None:
    engine = Engine(replace(FEW, ignore_existing=True))
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    assert engine.run() is None
    assert engine.states() == {"a.zip": DONE}
    assert engine.outcome("a.zip").proof is Proof.PUBLISHER_SHA256


def test_an_archive_whose_sidecar_stays_is_not_copied_in_another_revision() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    change = Change(lambda: engine.publish_pair("a.zip", NEWER))
    engine.source.inject(change, "get", "spot/a.zip")
    assert engine.run() is None
    assert engine.outcome("a.zip").error == "source-changed"
    assert set(engine.at_destination()) == {"a.zip.CHECKSUM"}
    assert engine.again() is None
    assert engine.at_destination()["a.zip"] == NEWER


def test_an_unchanged_pair_whose_sidecar_is_missing_is_proved_again() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.hold("a.zip", DATA)
    assert engine.run() is None
    assert engine.states() == {"a.zip": DONE, "a.zip.CHECKSUM": DONE}


def test_a_size_that_was_not_listed_is_a_changed_source() -> None:
    engine = Engine()
    engine.publish("a", DATA)

    class Longer(Fault):
        def page(self, page: Page, token: str | None) -> Page:
            return replace(page, objects=tuple(replace(o, size=o.size + 1) for o in page.objects))

    engine.source.inject(Longer(), "list_page")
    engine.options = replace(FEW, on_change=OnChange.FAIL)
    assert engine.run() is None
    assert engine.outcome("a").error == "source-changed"


# --- listings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["source", "destination"])
@pytest.mark.parametrize("fault", [HtmlPage(), CutPage(), Disorder(), RepeatToken()])
def test_nothing_is_deleted_after_a_listing_that_cannot_be_trusted(fault: Fault, end: str) -> None:
    engine = Engine(replace(FEW, delete=True))
    for number in range(1001):  # two pages at each end
        engine.publish(f"{number:04}", b"x")
        engine.hold(f"{number:04}", b"x")
    engine.hold("zzz", b"extra")
    store = engine.source if end == "source" else engine.destination
    store.inject(fault, "list_page", nth=1 if isinstance(fault, Disorder) else 2)
    assert isinstance(engine.run(), errors.ListingRefused)
    assert engine.destination.count("delete") == 0


def test_an_empty_source_is_not_taken_for_a_deletion() -> None:
    engine = Engine(replace(FEW, delete=True))
    engine.hold("a", DATA)
    error = engine.run()
    assert isinstance(error, errors.LimitReached)
    assert "nothing is deleted" in str(error)
    assert engine.destination.count("delete") == 0


def test_two_empty_ends_have_nothing_to_delete() -> None:
    assert Engine(replace(FEW, delete=True)).run() is None


def test_a_store_that_lists_in_another_order_is_sorted() -> None:
    engine = Engine(source_can=able(Capability.ORDERED), destination_can=able(Capability.ORDERED))
    for name in "abc":
        engine.publish(name, DATA)
    engine.source.inject(Disorder(), "list_page")
    assert engine.run() is None
    assert len(engine.at_destination()) == 3


# --- pairs ---------------------------------------------------------------------------------------


def test_access_denied_to_one_object_does_not_stop_the_rest() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.publish("b", DATA)
    engine.source.inject(Deny(), "get", "spot/a")
    assert engine.run() is None
    assert engine.states() == {"a": FAILED, "b": DONE}
    assert engine.outcome("a").error == "access-denied"


def test_an_archive_whose_sidecar_may_not_be_read_is_not_copied() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.source.inject(Deny(), "get", "spot/a.zip.CHECKSUM", times=None)
    assert engine.run() is None
    assert set(engine.states().values()) == {FAILED}
    assert engine.at_destination() == {}


def test_a_sidecar_that_cannot_be_written_fails_its_pair() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    engine.destination.inject(Deny(), "put", "b/a.zip.CHECKSUM")
    assert engine.run() is None
    assert set(engine.states().values()) == {FAILED}
    engine.recorder.retry_failed()
    assert engine.run() is None
    assert set(engine.states().values()) == {DONE}


@pytest.mark.parametrize("half", ["a.zip", "a.zip.CHECKSUM"])
def test_half_a_pair_is_copied_and_reported(half: str) -> None:
    engine = Engine()
    engine.publish(half, DATA if half == "a.zip" else sidecar("a.zip", DATA))
    assert engine.run() is None
    assert engine.states() == {half: DONE}
    assert engine.recorder.counted().halves == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>503</html>", sidecar("other.zip", DATA), b"x" * 5000],
    ids=["empty", "html", "of another archive", "large"],
)
def test_a_sidecar_that_publishes_no_digest_puts_its_pair_in_quarantine(content: bytes) -> None:
    engine = Engine()
    engine.publish("a.zip", DATA)
    engine.publish("a.zip.CHECKSUM", content)
    assert engine.run() is None
    assert set(engine.states().values()) == {QUARANTINED}


def test_a_pair_that_goes_on_disagreeing_is_fetched_three_times_and_put_in_quarantine() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA, digest_of=NEWER)
    engine.hold("a.zip", b"an older one")
    assert engine.run() is None
    assert set(engine.states().values()) == {QUARANTINED}
    assert engine.source.count("get", "spot/a.zip") == 3
    evidence = engine.outcome("a.zip").evidence
    assert evidence is not None
    assert "names sha256" in evidence


def test_a_large_archive_that_its_digest_refuses_is_never_committed(streamed: Engine) -> None:
    streamed.publish_pair("a.zip", LARGE, digest_of=DATA)
    assert streamed.run() is None
    assert set(streamed.states().values()) == {QUARANTINED}
    assert streamed.destination.count("complete_upload") == 0


def test_a_known_quarantine_is_not_fetched_again_until_an_etag_changes() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA, digest_of=NEWER)
    assert engine.run() is None
    fetched = engine.source.count("get")
    assert engine.again() is None
    assert set(engine.states().values()) == {QUARANTINED}
    assert engine.source.count("get") == fetched
    engine.publish(sidecar_of("a.zip"), sidecar("a.zip", DATA))
    assert engine.again() is None
    assert set(engine.states().values()) == {DONE}
    assert engine.recorder.quarantined == {}


@pytest.mark.parametrize("on_change", [OnChange.REPLACE, OnChange.FAIL])
def test_a_pair_that_its_publisher_is_replacing_settles_by_itself(on_change: OnChange) -> None:
    engine = Engine(replace(FEW, on_change=on_change))
    engine.publish_pair("a.zip", DATA, digest_of=NEWER)
    engine.source.inject(Change(replaced(engine)), "get", "spot/a.zip.CHECKSUM", nth=2)
    engine.source.inject(Change(replaced(engine)), "head", "spot/a.zip", nth=1)
    assert engine.run() is None
    if on_change is OnChange.REPLACE:
        assert set(engine.states().values()) == {DONE}
        assert engine.at_destination()["a.zip"] == NEWER
    else:
        assert engine.outcome("a.zip").error == "source-changed"


def test_a_replaced_pair_is_copied_again() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA)
    assert engine.run() is None
    engine.publish_pair("a.zip", NEWER)
    assert engine.again() is None
    assert engine.at_destination()["a.zip"] == NEWER


def test_a_lone_sidecar_replaced_under_us_waits_for_another_run() -> None:
    engine = Engine()
    engine.publish("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    change = Change(lambda: engine.publish("a.zip.CHECKSUM", sidecar("a.zip", NEWER)))
    engine.source.inject(change, "get", "spot/a.zip.CHECKSUM")
    assert engine.run() is None
    assert engine.outcome("a.zip.CHECKSUM").error == "source-changed"


def test_half_a_pair_is_copied_and_the_half_that_the_source_lost_is_not_deleted() -> None:
    engine = Engine(replace(FEW, delete=True))
    engine.publish("a.zip", NEWER)  # its sidecar was withdrawn
    engine.hold("a.zip", DATA)
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    engine.publish("b.zip.CHECKSUM", sidecar("b.zip", NEWER))  # its archive was withdrawn
    engine.hold("b.zip", DATA)
    engine.hold("b.zip.CHECKSUM", sidecar("b.zip", DATA))
    assert engine.run() is None
    assert engine.at_destination() == {
        "a.zip": NEWER,
        "a.zip.CHECKSUM": sidecar("a.zip", DATA),
        "b.zip": DATA,
        "b.zip.CHECKSUM": sidecar("b.zip", NEWER),
    }
    assert engine.recorder.counted().extra == 2


def test_without_sidecars_a_digest_is_an_object_like_others() -> None:
    engine = Engine(sidecars=False)
    engine.publish_pair("a.zip", DATA, digest_of=NEWER)
    assert engine.run() is None
    assert set(engine.states().values()) == {DONE}


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("d//e", Capability.ODD_KEYS),
        ("./e", Capability.ODD_KEYS),
        ("folder/", Capability.FOLDER_KEYS),
        ("back\\slash", Capability.BACKSLASH_KEYS),
    ],
)
def test_a_key_that_the_destination_cannot_hold_fails_by_name(
    name: str, missing: Capability
) -> None:
    engine = Engine(destination_can=able(missing))
    engine.publish(name, DATA)
    engine.publish("good", DATA)
    assert engine.run() is None
    assert engine.states() == {name: FAILED, "good": DONE}
    assert engine.outcome(name).error == "key-unsupported"


def test_a_key_that_is_too_long_below_the_destinations_prefix_fails_by_name() -> None:
    engine = Engine(destination_at=Location("lake", "bronze", "a-longer-prefix/"))
    engine.publish("x" * 1015, DATA)
    engine.publish("x" * 1008, DATA)
    assert engine.run() is None
    assert engine.states() == {"x" * 1015: FAILED, "x" * 1008: DONE}


def test_a_folders_own_marker_has_no_key_at_the_root_of_a_bucket() -> None:
    engine = Engine(destination_at=Location("lake", "bronze"))
    engine.publish("", b"")
    engine.publish("a", DATA)
    assert engine.run() is None
    assert engine.states() == {"": FAILED, "a": DONE}


def test_a_folders_own_marker_is_copied_below_a_prefix() -> None:
    engine = Engine()
    engine.publish("", b"")
    assert engine.run() is None
    assert engine.states() == {"": DONE}


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "named"), [({"fail_fast": True}, "--fail-fast"), ({"max_errors": 1}, "--max-errors")]
)
def test_too_many_failures_stop_the_operation(option: dict[str, int], named: str) -> None:
    engine = Engine(replace(FEW, concurrency=1, **option))  # type: ignore[arg-type]  # one of two
    for number in range(40):
        engine.publish(f"{number:02}", DATA)
    engine.source.inject(Deny(), "get", times=None)
    error = engine.run()
    assert isinstance(error, errors.LimitReached)
    assert named in str(error)
    assert len(engine.recorder.in_state(FAILED)) == (2 if "max_errors" in option else 1)


def test_failures_that_the_plan_finds_count_too() -> None:
    engine = Engine(replace(FEW, fail_fast=True), destination_can=able(Capability.ODD_KEYS))
    engine.publish("d//e", DATA)
    assert isinstance(engine.run(), errors.LimitReached)


def test_nothing_is_deleted_where_more_would_be_than_allowed() -> None:
    engine = Engine(replace(FEW, delete=True, max_delete=1))
    engine.publish("a", DATA)
    engine.hold("b", DATA)
    engine.hold("c", DATA)
    assert isinstance(engine.run(), errors.LimitReached)
    assert set(engine.at_destination()) == {"a", "b", "c"}


def test_an_extra_that_may_not_be_deleted_fails_alone() -> None:
    engine = Engine(replace(FEW, delete=True, max_delete=2))
    engine.publish("a", DATA)
    engine.hold("b", DATA)
    engine.hold("c", DATA)
    engine.destination.inject(Deny(), "delete", "b/b", times=None)
    assert engine.run() is None
    assert engine.states() == {"a": DONE, "b": FAILED, "c": DELETED}


# --- moving away from the source -----------------------------------------------------------------


def test_the_source_is_deleted_only_where_it_arrived_proved() -> None:
    engine = Engine(replace(FEW, delete_source=True))
    engine.publish_pair("a.zip", DATA)
    engine.publish_pair("bad.zip", DATA, digest_of=NEWER)
    engine.publish("held", DATA)
    engine.hold("held", DATA)
    assert engine.run() is None
    assert engine.at_source() == {"bad.zip", "bad.zip.CHECKSUM"}
    assert engine.recorder.in_state(DELETED) == {"a.zip", "a.zip.CHECKSUM", "held"}


def test_a_pair_stays_at_the_source_where_only_half_of_it_arrived() -> None:
    engine = Engine(replace(FEW, delete_source=True))
    engine.publish_pair("a.zip", DATA)
    engine.destination.inject(Deny(), "put", "b/a.zip.CHECKSUM", times=None)
    assert engine.run() is None
    assert engine.at_source() == {"a.zip", "a.zip.CHECKSUM"}


def test_a_source_replaced_after_it_arrived_is_not_deleted() -> None:
    engine = Engine(replace(FEW, delete_source=True))
    engine.publish("a", DATA)
    engine.source.inject(Change(lambda: engine.publish("a", NEWER)), "head", "spot/a")
    assert isinstance(engine.run(), errors.OperationError)
    assert engine.at_source() == {"a"}
    assert engine.states() == {"a": DONE}


def test_a_source_that_is_gone_already_is_a_source_that_was_moved() -> None:
    engine = Engine(replace(FEW, delete_source=True))
    engine.publish("a", DATA)
    engine.source.inject(Change(lambda: engine.withdraw("a")), "head", "spot/a")
    assert engine.run() is None
    assert engine.states() == {"a": DELETED}


def test_a_source_that_may_not_be_deleted_is_told() -> None:
    engine = Engine(replace(FEW, delete_source=True))
    engine.publish("a", DATA)
    engine.publish("b", DATA)
    engine.source.inject(Deny(), "delete", "spot/a", times=None)
    error = engine.run()
    assert isinstance(error, errors.OperationError)
    assert "could not be deleted" in str(error)
    assert engine.states() == {"a": DONE, "b": DELETED}


def test_a_source_that_is_away_when_it_is_to_be_deleted_ends_the_operation() -> None:
    engine = Engine(replace(FEW, delete_source=True))
    engine.publish("a", DATA)
    engine.source.inject(Drop(), "list_page", nth=2, times=None)
    engine.source.inject(Drop(), "delete", times=None)
    assert isinstance(engine.run(), errors.StoreUnreachable)
    assert engine.states() == {"a": DONE}


def test_what_the_destination_held_is_not_moved_where_it_is_to_be_left_alone() -> None:
    engine = Engine(replace(FEW, delete_source=True, ignore_existing=True))
    engine.publish("a", DATA)
    engine.hold("a", DATA)
    assert engine.run() is None
    assert engine.at_source() == {"a"}


# --- ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "destination"),
    [("x/", "x/"), ("x/", "x/y/"), ("x/y/", "x/"), ("x/", ""), ("x/a", "x/a"), ("x/a", "x/")],
)
def test_ends_that_overlap_are_refused_before_anything_happens(
    source: str, destination: str
) -> None:
    engine = Engine(
        replace(FEW, delete_source=True),
        source_at=Location("binance", "public", source),
        destination_at=Location("binance", "public", destination),
        one_store=True,
    )
    with pytest.raises(errors.UsageError, match="inside the other"):
        raise engine.run() or AssertionError


@pytest.mark.parametrize(("source", "destination"), [("x/", "y/"), ("x/a", "y/"), ("x/a", "")])
def test_ends_side_by_side_in_one_bucket_are_no_overlap(source: str, destination: str) -> None:
    engine = Engine(
        source_at=Location("binance", "public", source),
        destination_at=Location("binance", "public", destination),
        one_store=True,
    )
    engine.held.put("public", "x/a", Buffer((DATA,)))
    engine.published["a"] = {DATA}
    engine.published["x/a"] = {DATA}
    assert engine.run() is None
    assert engine.states() == {"a": DONE}


def test_a_folder_is_not_copied_to_one_key() -> None:
    engine = Engine(destination_at=Location("lake", "bronze", "b"))
    assert isinstance(engine.run(), errors.UsageError)


def test_one_exact_key_may_take_another_name_and_is_proved_by_its_sidecar() -> None:
    engine = Engine(
        source_at=Location("binance", "public", "spot/a.zip"),
        destination_at=Location("lake", "bronze", "b/renamed"),
    )
    engine.held_source.put("public", "spot/a.zip", Buffer((DATA,)))
    word = sidecar("a.zip", DATA)
    engine.held_source.put("public", "spot/a.zip.CHECKSUM", Buffer((word,)))
    engine.published[""] = {DATA}
    engine.published["a.zip"] = {DATA}
    sides = engine.sides()
    sync.run(sides, engine.recorder, settle=0)
    assert engine.outcome("a.zip").proof is Proof.PUBLISHER_SHA256
    assert list(engine.at_destination().values()) == [DATA]
    sync.run(engine.sides(), engine.recorder, settle=0)  # resumed: it is planned already
    assert engine.destination.count("put") == 1


def test_one_exact_key_that_is_not_there_is_an_error() -> None:
    engine = Engine(source_at=Location("binance", "public", "spot/a"))
    engine.held_source.put("public", "spot/ab", Buffer((DATA,)))
    assert isinstance(engine.run(), errors.UsageError)


# --- lanes ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Endless(Fault):
    """More bytes come than were listed, as many as are taken."""

    def sink(self, sink: Sink) -> Sink:
        def flood(data: bytes) -> None:
            for _ in range(1000):
                sink(data)

        return flood


def test_no_more_is_kept_of_a_body_than_was_listed() -> None:
    engine = Engine(Options(concurrency=1))
    engine.publish("a", DATA)
    engine.source.inject(Endless(), "get", times=None)
    assert engine.run() is None
    assert engine.outcome("a").error == errors.SourceChanged.code
    assert engine.progress.passed <= 3 * len(DATA)


@pytest.fixture
def inside() -> Engine:
    """Both ends in one store."""
    return Engine(one_store=True)


def test_inside_one_store_no_byte_passes_us(inside: Engine) -> None:
    inside.publish("a", DATA)
    assert inside.run() is None
    assert inside.outcome("a").lane is Lane.SERVER_SIDE
    assert (inside.progress.passed, inside.source.count("get")) == (0, 0)


def test_inside_one_store_a_digest_is_checked_before_the_copy(inside: Engine) -> None:
    inside.publish_pair("a.zip", DATA)
    assert inside.run() is None
    assert inside.outcome("a.zip").proof is Proof.PUBLISHER_SHA256


def test_inside_one_store_a_digest_that_the_store_keeps_saves_the_reading(inside: Engine) -> None:
    large = bytes(server_side.ASKED)
    inside.publish_pair("a.zip", large)
    inside.held.put("public", "spot/a.zip", Buffer((large,)), sha256=sha256(large))
    assert inside.run() is None
    assert inside.source.count("get", "spot/a.zip") == 0


def test_inside_one_store_a_small_archive_is_read_without_asking_first(inside: Engine) -> None:
    inside.publish_pair("a.zip", DATA)
    assert inside.run() is None
    assert (inside.source.count("head"), inside.source.count("get", "spot/a.zip")) == (0, 1)


def test_inside_one_store_what_a_digest_refuses_is_never_copied(inside: Engine) -> None:
    inside.publish_pair("a.zip", DATA, digest_of=NEWER)
    assert inside.run() is None
    assert set(inside.states().values()) == {QUARANTINED}
    assert inside.destination.count("copy") == 0


def test_inside_one_store_a_changed_object_is_a_new_revision(inside: Engine) -> None:
    inside.publish("a.zip", DATA)
    inside.destination.inject(Change(replaced(inside)), "copy")
    assert inside.run() is None
    assert inside.at_destination() == {"a.zip": NEWER}


def test_a_server_side_copy_with_a_wrong_etag_is_removed_and_sent_whole(inside: Engine) -> None:
    inside.publish("a", DATA)
    inside.destination.inject(Retag(), "copy")
    assert inside.run() is None
    assert inside.outcome("a").lane is Lane.WHOLE


@pytest.mark.parametrize(("size", "lane"), [(len(DATA), Lane.SERVER_SIDE), (1, Lane.WHOLE)])
def test_where_etags_are_no_digests_a_copy_is_proved_by_its_size(size: int, lane: Lane) -> None:
    class Sized(Fault):
        def around(self, subject: str, action: Callable[[], object]) -> object:  # type: ignore[override]  # only heads
            return replace(action(), size=size)  # type: ignore[type-var]  # only heads

    engine = Engine(one_store=True, destination_can=able(Capability.MD5_ETAGS))
    engine.publish("a", DATA)
    engine.destination.inject(Sized(), "head", "b/a")
    assert engine.run() is None
    assert engine.outcome("a").lane is lane


def test_attributes_and_storage_class_follow_a_server_side_copy() -> None:
    engine = Engine(replace(FEW, storage_class="COLD", tags=True), one_store=True)
    engine.publish("a", DATA, Attributes({"content-type": "text/csv"}, tags={"of": "binance"}))
    assert engine.run() is None
    kept = engine.held.head("bronze", "b/a").attributes
    assert (kept.headers["content-type"], kept.storage_class) == ("text/csv", "COLD")
    assert engine.held.tags("bronze", "b/a") == {"of": "binance"}


def test_tags_of_an_object_that_is_deleted_meanwhile_are_a_changed_source() -> None:
    engine = Engine(replace(FEW, tags=True))
    engine.publish("a", DATA)
    engine.source.inject(Change(lambda: engine.withdraw("a")), "tags")
    assert engine.run() is None
    assert engine.outcome("a").error == "source-changed"


def test_what_is_too_large_for_one_copy_passes_through_us_where_no_part_is_copied() -> None:
    inside = Engine(one_store=True, destination_can=able(Capability.PART_COPY))
    inside.held._properties = replace(inside.held.properties, max_copy=10)
    inside.publish("a", DATA)
    assert inside.run() is None
    assert inside.outcome("a").lane is Lane.WHOLE


def test_hybrid_falls_down_the_lanes_to_staged() -> None:
    engine = Engine(replace(FEW, mode=Mode.HYBRID), one_store=True)
    engine.publish("a", DATA)
    engine.destination.inject(Refuse(errors.NotSupported("no copy")), "copy")
    engine.destination.inject(Refuse(errors.RequestRefused("no put")), "put")
    assert engine.run() is None
    assert engine.outcome("a").lane is Lane.STAGED


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.DIRECT_SYNC])
def test_an_object_for_which_no_lane_is_left_fails_with_advice(mode: Mode) -> None:
    engine = Engine(replace(FEW, mode=mode, memory=100), destination_can=able(Capability.MULTIPART))
    engine.publish("a", DATA)
    assert engine.run() is None
    assert engine.outcome("a").error == "no-lane"
    assert "--mode hybrid" in (engine.outcome("a").message or "")


def test_an_object_that_is_too_large_for_the_store_fails_by_name(streamed: Engine) -> None:
    streamed.held._properties = replace(streamed.held.properties, max_put=KIB)
    streamed.publish("a", LARGE)
    assert streamed.run() is None
    assert streamed.outcome("a").error == "object-too-large"


@pytest.mark.parametrize("missing", [(), (Capability.MULTIPART,), (Capability.SHA256,)])
def test_traditional_stages_and_leaves_no_file(
    streamed: Engine,
    missing: tuple[Capability, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("lakebed.transfer.lanes.whole.LIMIT", MIB)
    streamed.options = replace(STREAMED, mode=Mode.TRADITIONAL)
    streamed.destination_can = able(*missing)
    streamed.publish_pair("large.zip", LARGE)
    streamed.publish("small", DATA)
    assert streamed.run() is None
    assert streamed.outcome("large.zip").proof is Proof.PUBLISHER_SHA256
    assert {o.lane for o in streamed.recorder.outcomes.values()} == {Lane.STAGED}
    assert list(tmp_path.iterdir()) == []
    assert streamed.progress.passed >= len(LARGE)


def test_a_full_disk_is_told_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_disk(monkeypatch, tmp_path)
    engine = Engine(replace(FEW, mode=Mode.TRADITIONAL))
    engine.publish("a", DATA)
    assert engine.run() is None
    assert engine.outcome("a").error == "disk-full"
    assert "TMPDIR" in (engine.outcome("a").message or "")
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    engine = Engine(replace(FEW, mode=Mode.TRADITIONAL))
    engine.publish("a", DATA)
    assert engine.run() is None
    assert engine.outcome("a").error == "no-lane"


def full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Temporary files whose every write finds no room, the one on closing too."""
    real = tempfile.NamedTemporaryFile

    def small(**options: str) -> object:
        file = real(dir=folder, **options)  # type: ignore[call-overload]  # as it was called
        device = open("/dev/full", "wb")  # noqa: SIM115  (closed with the file)
        file.write = device.write
        file.flush = device.flush
        close = file.close

        def close_both() -> None:
            close()
            device.close()

        file.close = close_both
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", small)


def test_an_error_says_on_what_it_is() -> None:
    engine = Engine()
    engine.publish_pair("a.zip", DATA, digest_of=NEWER)
    assert engine.run() is None
    assert (engine.outcome("a.zip").message or "").startswith("spot/a.zip: ")
