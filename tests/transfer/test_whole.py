"""An object goes whole: what came to its place since it was listed is not written over unseen."""

from dataclasses import replace

import pytest

from lakebed.model.operation import Lane, ObjectState, OnChange, Options
from lakebed.store.capabilities import Capability
from tests.faults import Change, LoseAck
from tests.transfer.engine import FEW, Engine, able

DATA, THEIRS = b"open,high,low,close\n" * 40, b"another revision"
FAIL, KEEP, REPLACE = (
    replace(FEW, on_change=on_change)
    for on_change in (OnChange.FAIL, OnChange.KEEP, OnChange.REPLACE)
)


def overtaken(options: Options, *missing: Capability) -> Engine:
    """Somebody writes an earlier revision to the destination just before we do."""
    engine = Engine(options, destination_can=able(*missing))
    engine.publish("a", THEIRS)
    engine.publish("a", DATA)
    engine.destination.inject(Change(lambda: engine.hold("a", THEIRS)), "put", "b/a")
    assert engine.run() is None
    return engine


@pytest.mark.parametrize("options", [FAIL, KEEP, replace(REPLACE, ignore_existing=True)])
def test_what_came_since_the_listing_stays_where_nothing_is_to_be_replaced(
    options: Options,
) -> None:
    engine = overtaken(options)
    assert (engine.states()["a"], engine.outcome("a").error) == (ObjectState.FAILED, "changed")
    assert engine.at_destination()["a"] == THEIRS


def test_what_came_since_the_listing_is_replaced_where_that_was_asked_for() -> None:
    engine = overtaken(REPLACE)
    assert engine.outcome("a").lane is Lane.WHOLE
    assert engine.at_destination()["a"] == DATA


def test_a_bucket_that_knows_no_condition_is_written_to_as_ever() -> None:
    engine = overtaken(FAIL, Capability.IF_NONE_MATCH)
    assert engine.at_destination()["a"] == DATA


@pytest.mark.parametrize("missing", [(), (Capability.MD5_ETAGS,)])
def test_an_answer_that_was_lost_is_no_other_revision(missing: tuple[Capability, ...]) -> None:
    engine = Engine(FAIL, destination_can=able(*missing))
    engine.publish("a", DATA)
    engine.destination.inject(LoseAck(), "put", "b/a")
    assert engine.run() is None
    assert engine.states() == {"a": ObjectState.DONE}
    assert engine.at_destination()["a"] == DATA


def test_what_was_removed_again_meanwhile_is_written() -> None:
    engine = Engine(FAIL)
    engine.publish("a", DATA)
    engine.destination.inject(Change(lambda: engine.hold("a", THEIRS)), "put", "b/a")
    gone = Change(lambda: engine.held.delete("bronze", "b/a"))
    engine.destination.inject(gone, "head", "b/a")
    assert engine.run() is None
    assert engine.at_destination()["a"] == DATA
