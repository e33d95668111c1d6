"""What becomes of a unit that is refused after some of it had arrived, or before anything may."""

import pytest

from lakebed.errors import ChecksumRefused, Interrupted, StoreUnreachable
from lakebed.model.operation import (
    Action,
    Counters,
    Item,
    Kind,
    ObjectState,
    Outcome,
    Unit,
)
from lakebed.model.pair import sidecar_of
from lakebed.store.capabilities import Capability
from lakebed.transfer.move import UnitMover
from lakebed.transfer.recorder import Batch
from tests.faults import Change, Deny, Drop, Refuse
from tests.transfer.engine import Engine, able

DATA = b"open,high,low,close\n" * 40
NEWER = b"open,high,low,close,volume\n" * 40
ARCHIVE, SIDECAR = "a.zip", sidecar_of("a.zip")

QUARANTINED = ObjectState.QUARANTINED


@pytest.mark.parametrize("name", ["back\\slash", "x/../y"])
def test_a_key_that_was_refused_is_refused_again_when_the_operation_goes_on(name: str) -> None:
    engine = Engine(destination_can=able(Capability.BACKSLASH_KEYS, Capability.ODD_KEYS))
    engine.publish(name, DATA)
    for _ in range(2):
        assert engine.run() is None
        assert engine.outcome(name).error == "key-unsupported"
        engine.recorder.retry_failed()
    assert engine.at_destination() == {}
    assert engine.source.count("get") == 0


# --- one object, or the store --------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.SYNC, Kind.VERIFY])
def test_an_object_that_breaks_each_connection_fails_alone(kind: Kind) -> None:
    engine = Engine(kind=kind)
    for name in "abc":
        engine.publish(name, DATA)
        if kind is Kind.VERIFY:
            engine.hold(name, DATA)
    store = engine.source if kind is Kind.SYNC else engine.destination
    broken, verb = ("spot/b", "get") if kind is Kind.SYNC else ("b/b", "head")
    store.inject(Drop(), verb, broken, times=None)
    assert engine.run() is None
    assert engine.outcome("b").error == "store-unreachable"
    assert engine.recorder.in_state(ObjectState.DONE) == {"a", "c"}


@pytest.mark.parametrize("end", ["source", "destination"])
def test_a_store_that_answers_nothing_at_all_ends_the_operation(end: str) -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.source.inject(Drop(), "get", times=None)
    store = engine.source if end == "source" else engine.destination
    store.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(engine.run(), StoreUnreachable)
    assert engine.states() == {"a": ObjectState.PENDING}


def test_a_stop_is_heard_while_a_store_is_asked_whether_it_is_there() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.source.inject(Drop(), "get", times=None)
    engine.source.inject(Refuse(Interrupted("stopped")), "list_page", nth=2)
    assert isinstance(engine.run(), Interrupted)
    assert engine.states() == {"a": ObjectState.PENDING}


# --- what had arrived ----------------------------------------------------------------------------


@pytest.fixture
def engine() -> Engine:
    """A pair whose sidecar is refused when its archive has arrived; before it is fetched again its
    publisher has replaced the archive, and never comes to the sidecar."""
    engine = Engine()
    engine.publish_pair(ARCHIVE, DATA)
    refused = Refuse(ChecksumRefused("400 BadDigest"))
    engine.destination.inject(refused, "put", f"b/{SIDECAR}")
    replace = Change(lambda: engine.publish(ARCHIVE, NEWER))
    engine.source.inject(replace, "head", f"spot/{ARCHIVE}")
    return engine


def moved(engine: Engine, before: str | None = None) -> dict[str, Outcome]:
    """Move the pair, whose archive was listed as `before` at the destination."""
    listed = {found.key: found for found in engine.held_source.list_page("public").objects}
    names = {ARCHIVE: before, SIDECAR: None}
    items = [Item(name, Action.COPY, listed[f"spot/{name}"], etag) for name, etag in names.items()]
    unit = Unit(tuple(items), items[1].source)
    engine.recorder.planned(Batch((unit,), Counters(), SIDECAR))
    outcomes = UnitMover(engine.sides(), engine.recorder, settle=0.0)(unit)
    return {outcome.key: outcome for outcome in outcomes}


def test_an_archive_that_had_arrived_is_taken_away_when_its_pair_is_quarantined(
    engine: Engine,
) -> None:
    assert engine.run() is None
    assert set(engine.states().values()) == {QUARANTINED}
    assert engine.destination.count("put", f"b/{ARCHIVE}") == 1
    assert engine.at_destination() == {}


def test_an_archive_that_had_arrived_is_taken_away_when_its_pair_fails() -> None:
    engine = Engine()
    engine.publish_pair(ARCHIVE, DATA)
    refused = Refuse(ChecksumRefused("400 BadDigest"))
    engine.destination.inject(refused, "put", f"b/{SIDECAR}", times=None)
    assert engine.run() is None
    assert engine.outcome(ARCHIVE).error == "checksum-refused"
    assert engine.at_destination() == {}


def test_what_somebody_else_has_put_there_since_stays(engine: Engine) -> None:
    engine.destination.inject(Change(lambda: engine.hold(ARCHIVE, b"theirs")), "head")
    assert moved(engine)[ARCHIVE].state is QUARANTINED
    assert engine.at_destination() == {ARCHIVE: b"theirs"}


def test_what_is_gone_already_is_no_error(engine: Engine) -> None:
    gone = Change(lambda: engine.held.delete("bronze", f"b/{ARCHIVE}"))
    engine.destination.inject(gone, "head")
    outcomes = moved(engine)
    assert outcomes[ARCHIVE].state is QUARANTINED
    assert outcomes[ARCHIVE].message == outcomes[SIDECAR].message


def test_an_archive_that_replaced_an_earlier_one_stays_and_its_outcome_says_so(
    engine: Engine,
) -> None:
    engine.hold(ARCHIVE, b"an earlier one")
    outcomes = moved(engine, before=engine.held.head("bronze", f"b/{ARCHIVE}").etag)
    assert outcomes[ARCHIVE].state is QUARANTINED
    assert "replaced what the destination held" in (outcomes[ARCHIVE].message or "")
    assert "replaced" not in (outcomes[SIDECAR].message or "")
    assert engine.at_destination() == {ARCHIVE: DATA}


def test_an_archive_that_was_there_already_in_this_revision_stays_as_it_was(
    engine: Engine,
) -> None:
    engine.hold(ARCHIVE, DATA)
    outcomes = moved(engine, before=engine.held.head("bronze", f"b/{ARCHIVE}").etag)
    assert outcomes[ARCHIVE].message == outcomes[SIDECAR].message
    assert engine.at_destination() == {ARCHIVE: DATA}


def test_an_archive_that_may_not_be_taken_away_is_told(engine: Engine) -> None:
    engine.destination.inject(Deny(), "delete")
    outcomes = moved(engine)
    assert outcomes[ARCHIVE].state is QUARANTINED
    assert "could not be removed" in (outcomes[ARCHIVE].message or "")
