"""What is deleted is what was listed, as it was listed; on doubt it stays and is named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lakebed import errors
from lakebed.model.location import Location
from lakebed.model.operation import ObjectState, Options
from lakebed.model.pair import sidecar_of
from lakebed.store.capabilities import Capability
from lakebed.transfer import sync
from tests.faults import Change, Deny, Drop
from tests.transfer.engine import FEW, Engine, able, sidecar

DATA = b"open,high,low,close\n" * 40
NEWER = b"open,high,low,close,volume\n" * 40

DONE, FAILED = ObjectState.DONE, ObjectState.FAILED
DELETED, PENDING = ObjectState.DELETED, ObjectState.PENDING

DELETING = replace(FEW, delete=True)
MOVING = replace(FEW, delete_source=True)


def hold_pair(engine: Engine, name: str, data: bytes = DATA) -> None:
    engine.hold(name, data)
    engine.hold(sidecar_of(name), sidecar(name, data))


@pytest.fixture
def ended() -> Engine:
    """A run that was ended before it could delete its one extra."""
    engine = Engine(DELETING)
    engine.publish("a", DATA)
    engine.hold("extra", DATA)
    engine.destination.inject(Drop(), "delete", times=None)
    engine.destination.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(engine.run(), errors.StoreUnreachable)
    assert engine.states() == {"a": DONE, "extra": PENDING}
    engine.destination.heal()
    return engine


# --- extras --------------------------------------------------------------------------------------


def test_what_was_written_since_it_was_listed_is_not_deleted(ended: Engine) -> None:
    ended.hold("extra", NEWER)
    assert ended.run() is None
    assert ended.at_destination()["extra"] == NEWER
    assert (ended.states()["extra"], ended.outcome("extra").error) == (FAILED, "changed")


def test_what_the_source_has_again_is_no_extra_any_more(ended: Engine) -> None:
    ended.publish("extra", DATA)
    assert ended.run() is None
    assert ended.at_destination()["extra"] == DATA
    assert (ended.states()["extra"], ended.outcome("extra").error) == (FAILED, "changed")


def test_an_extra_that_is_gone_already_counts_as_deleted(ended: Engine) -> None:
    ended.held.delete("bronze", "b/extra")
    asked = ended.destination.count("delete")
    assert ended.run() is None
    assert ended.states()["extra"] is DELETED
    assert ended.destination.count("delete") == asked


def test_what_is_published_while_a_run_goes_on_is_not_deleted_by_it() -> None:
    engine = Engine(DELETING)
    engine.publish("a", DATA)
    engine.hold("extra", DATA)
    change = Change(lambda: engine.publish("extra", DATA))
    engine.destination.inject(change, "put", "b/a")
    assert engine.run() is None
    assert engine.states() == {"a": DONE, "extra": FAILED}
    assert engine.at_destination()["extra"] == DATA


def test_an_extra_of_which_the_source_does_not_tell_stays(ended: Engine) -> None:
    ended.source.inject(Deny(), "head", "spot/extra", times=None)
    assert ended.run() is None
    assert ended.outcome("extra").error == "access-denied"
    assert ended.at_destination()["extra"] == DATA


@pytest.mark.parametrize("name", ["", "k" * 1020])
def test_an_extra_that_the_source_cannot_hold_is_deleted(name: str) -> None:
    engine = Engine(
        DELETING, source_at=Location("binance", "public", "" if not name else "a/long/path/")
    )
    engine.publish("a", DATA)
    engine.hold(name, DATA)
    assert engine.run() is None
    assert set(engine.at_destination()) == {"a"}


# --- pairs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["a.zip", "a.zip.CHECKSUM"])
def test_half_a_pair_that_the_source_still_has_keeps_the_other_half(left: str) -> None:
    engine = Engine(DELETING)
    engine.publish_pair("a.zip", DATA)
    hold_pair(engine, "a.zip")
    for name in {"a.zip", "a.zip.CHECKSUM"} - {left}:
        engine.withdraw(name)
    assert engine.run() is None
    assert set(engine.at_destination()) == {"a.zip", "a.zip.CHECKSUM"}
    assert (engine.states(), engine.recorder.counted().extra) == ({}, 1)


def test_a_pair_of_which_both_halves_are_extra_is_deleted() -> None:
    engine = Engine(DELETING)
    engine.publish("b", DATA)
    hold_pair(engine, "a.zip")
    assert engine.run() is None
    assert set(engine.at_destination()) == {"b"}


@pytest.mark.parametrize("half", ["a.zip", "a.zip.CHECKSUM"])
def test_a_pair_of_which_one_half_may_not_be_deleted_any_more_stays_whole(half: str) -> None:
    engine = Engine(DELETING)
    engine.publish("b", DATA)
    hold_pair(engine, "a.zip")
    change = Change(lambda: engine.publish(half, DATA))
    engine.destination.inject(change, "put", "b/b")
    assert engine.run() is None
    assert set(engine.at_destination()) == {"a.zip", "a.zip.CHECKSUM", "b"}
    assert engine.states() == {"a.zip": FAILED, "a.zip.CHECKSUM": FAILED, "b": DONE}


def test_a_sidecar_stays_where_its_archive_cannot_be_deleted() -> None:
    engine = Engine(DELETING)
    engine.publish("b", DATA)
    hold_pair(engine, "a.zip")
    engine.destination.inject(Deny(), "delete", "b/a.zip", times=None)
    assert engine.run() is None
    assert engine.states() == {"a.zip": FAILED, "a.zip.CHECKSUM": FAILED, "b": DONE}
    assert "a.zip.CHECKSUM" in engine.at_destination()


def test_an_extra_that_breaks_each_connection_keeps_no_other_from_being_deleted() -> None:
    engine = Engine(Options(concurrency=2, delete=True))
    engine.publish("a", DATA)
    for name in ("b", "c", "d"):
        engine.hold(name, DATA)
    engine.destination.inject(Drop(), "delete", "b/c", times=None)
    assert engine.run() is None
    assert engine.states()["c"] is ObjectState.FAILED
    assert engine.at_destination().keys() == {"a", "c"}


# --- moving away from the source -----------------------------------------------------------------


def arrived_and_then(engine: Engine, change: Callable[[], None]) -> errors.LakebedError:
    """What ends a resume that finds its one copy done and its source still there."""
    engine.publish("a", DATA)
    engine.source.inject(Drop(), "delete", times=None)
    assert isinstance(engine.run(), errors.OperationError)
    engine.source.heal()
    change()
    with pytest.raises(errors.LakebedError) as caught:
        sync.run(engine.sides(), engine.recorder)
    assert engine.states() == {"a": DONE}
    assert engine.source.count("delete") == engine.retries + 1, "only the first run tried"
    return caught.value


def test_a_source_stays_where_the_destination_no_longer_holds_its_copy() -> None:
    engine = Engine(MOVING)
    error = arrived_and_then(engine, lambda: engine.held.delete("bronze", "b/a"))
    assert isinstance(error, errors.OperationError)
    assert "no longer holds" in str(error)
    assert engine.at_source() == {"a"}


def test_a_source_stays_where_the_destination_holds_something_else() -> None:
    engine = Engine(MOVING)
    error = arrived_and_then(engine, lambda: engine.hold("a", b"somebody else's"))
    assert isinstance(error, errors.OperationError)
    assert "no longer holds" in str(error)
    assert engine.at_source() == {"a"}


def test_a_source_that_was_replaced_after_it_arrived_stays_and_is_told() -> None:
    engine = Engine(MOVING)
    error = arrived_and_then(engine, lambda: engine.publish("a", NEWER))
    assert isinstance(error, errors.OperationError)
    assert "replaced" in str(error)
    assert engine.at_source() == {"a"}


def test_a_source_of_which_only_the_size_is_proved_stays_and_is_told() -> None:
    engine = Engine(MOVING, destination_can=able(Capability.MD5_ETAGS, Capability.SHA256))
    engine.publish("a", DATA)
    error = engine.run()
    assert isinstance(error, errors.OperationError)
    assert "nothing but its size" in str(error)
    assert (engine.states(), engine.at_source()) == ({"a": DONE}, {"a"})


def test_many_sources_that_stay_are_counted_and_the_first_is_named() -> None:
    engine = Engine(MOVING)
    for number in range(20):
        engine.publish(f"{number:02}", DATA)
    engine.source.inject(Deny(), "delete", times=None)
    error = engine.run()
    assert isinstance(error, errors.OperationError)
    assert "20 objects arrived" in str(error)


def test_what_is_moved_but_half_goes_on_where_it_stopped() -> None:
    engine = Engine(MOVING)
    engine.publish("a", DATA)
    engine.publish("b", DATA)
    engine.source.inject(Drop(), "delete", "spot/b", times=None)
    assert isinstance(engine.run(), errors.OperationError)
    engine.source.heal()
    assert engine.run() is None
    assert engine.states() == {"a": DELETED, "b": DELETED}
    assert engine.at_source() == set()
