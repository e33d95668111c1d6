"""A resume decides again: what an earlier run planned may not be what the ends hold by now."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed import errors
from lakebed.model.location import Location
from lakebed.model.operation import Compare, ObjectState, OnChange, Outcome
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Buffer
from lakebed.transfer.again import Again
from tests.faults import Deny, Drop, LoseAck
from tests.transfer.engine import FEW, Engine, able, sidecar
from tests.transfer.test_plan import LISTINGS, RULES, Held, between, ends_as

DATA = b"open,high,low,close\n" * 40
NEWER = b"open,high,low,close,volume\n" * 40

DONE, FAILED, PENDING = ObjectState.DONE, ObjectState.FAILED, ObjectState.PENDING

KEPT: list[dict[str, Any]] = [
    {"on_change": OnChange.FAIL},
    {"on_change": OnChange.KEEP},
    {"ignore_existing": True},
]
kept = pytest.mark.parametrize("option", KEPT, ids=["fail", "keep", "ignore-existing"])


def killed_before_moving(engine: Engine) -> None:
    """A run that planned and was ended before it wrote anything at the destination."""
    engine.destination.inject(Drop(), "put", times=None)
    engine.destination.inject(Drop(), "list_page", nth=2, times=None)
    assert isinstance(engine.run(), errors.StoreUnreachable)
    assert set(engine.states().values()) == {PENDING}
    engine.destination.heal()


def killed_before_refusing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was killed when its plan was durable and what it refused was not."""

    def killed(outcomes: Sequence[Outcome]) -> None:
        raise errors.Interrupted("killed")

    with monkeypatch.context() as patched:
        patched.setattr(engine.recorder, "settled", killed)
        assert isinstance(engine.run(), errors.Interrupted)
    assert set(engine.states().values()) == {PENDING}


def test_a_resume_refuses_again_what_on_change_fail_refused() -> None:
    engine = Engine(replace(FEW, on_change=OnChange.FAIL))
    engine.publish("a", DATA)
    engine.hold("a", b"old")
    assert engine.run() is None
    engine.recorder.retry_failed()
    assert engine.run() is None
    assert engine.at_destination() == {"a": b"old"}
    assert (engine.states(), engine.outcome("a").error) == ({"a": FAILED}, "changed")


def test_a_refusal_that_was_not_durable_yet_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(replace(FEW, on_change=OnChange.FAIL))
    engine.publish("a", DATA)
    engine.hold("a", b"old")
    killed_before_refusing(engine, monkeypatch)
    assert engine.run() is None
    assert engine.at_destination() == {"a": b"old"}
    assert engine.states() == {"a": FAILED}


def test_a_key_that_the_destination_cannot_hold_is_refused_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(destination_can=able(Capability.ODD_KEYS))
    engine.publish("d//e", DATA)
    killed_before_refusing(engine, monkeypatch)
    assert engine.run() is None
    assert engine.at_destination() == {}
    assert engine.outcome("d//e").error == "key-unsupported"


@kept
def test_what_came_to_the_destination_since_the_plan_stays(option: dict[str, Any]) -> None:
    engine = Engine(replace(FEW, **option))
    engine.publish_pair("a.zip", DATA)
    killed_before_moving(engine)
    engine.hold("a.zip", b"somebody else's")
    assert engine.run() is None
    assert engine.at_destination() == {"a.zip": b"somebody else's"}
    assert engine.states() == {"a.zip": FAILED, "a.zip.CHECKSUM": FAILED}
    assert engine.outcome("a.zip.CHECKSUM").error == "changed"
    assert "a.zip" in (engine.outcome("a.zip").message or "")


@kept
def test_a_copy_that_was_not_remembered_is_made_again_and_proved(option: dict[str, Any]) -> None:
    engine = Engine(replace(FEW, **option))
    engine.publish_pair("a.zip", DATA)
    killed_before_moving(engine)
    engine.hold("a.zip", DATA)
    engine.hold("a.zip.CHECKSUM", sidecar("a.zip", DATA))
    assert engine.run() is None
    assert engine.states() == {"a.zip": DONE, "a.zip.CHECKSUM": DONE}


def test_a_copy_that_was_not_remembered_is_known_by_its_md5_whatever_is_compared() -> None:
    engine = Engine(replace(FEW, on_change=OnChange.FAIL, compare=Compare.DIGEST))
    engine.publish("a", DATA)
    killed_before_moving(engine)
    engine.hold("a", DATA)
    assert engine.run() is None
    assert engine.states() == {"a": DONE}


@kept
def test_what_an_earlier_run_planned_is_copied_where_nothing_came_between(
    option: dict[str, Any],
) -> None:
    engine = Engine(replace(FEW, **option))
    engine.publish_pair("a.zip", DATA)
    killed_before_moving(engine)
    assert engine.run() is None
    assert engine.states() == {"a.zip": DONE, "a.zip.CHECKSUM": DONE}


def test_on_change_replace_asks_for_nothing_before_it_goes_on() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    killed_before_moving(engine)
    engine.hold("a", b"somebody else's")
    asked = engine.destination.count("head")
    again = Again(engine.sides(), engine.recorder)
    assert [again(unit) for unit in engine.recorder.unfinished()] == [()]
    assert engine.destination.count("head") == asked
    assert engine.run() is None
    assert engine.at_destination() == {"a": DATA}


def test_a_destination_that_does_not_answer_for_one_object_fails_that_object_alone() -> None:
    engine = Engine(replace(FEW, on_change=OnChange.KEEP))
    engine.publish("a", DATA)
    engine.publish("b", DATA)
    killed_before_moving(engine)
    engine.destination.inject(Deny(), "head", "b/a", times=None)
    assert engine.run() is None
    assert engine.states() == {"a": FAILED, "b": DONE}


def test_one_exact_key_is_decided_again_under_its_name_at_the_destination() -> None:
    engine = Engine(
        replace(FEW, on_change=OnChange.FAIL),
        source_at=Location("binance", "public", "spot/a"),
        destination_at=Location("lake", "bronze", "b/other"),
        sidecars=False,
    )
    engine.publish("a", DATA)
    killed_before_moving(engine)
    engine.hold("a", b"somebody else's")
    assert engine.run() is None
    assert engine.states() == {"a": FAILED}


def test_a_destination_that_is_away_ends_the_resume_and_leaves_its_rows_pending() -> None:
    engine = Engine(replace(FEW, on_change=OnChange.FAIL))
    engine.publish("a", DATA)
    killed_before_moving(engine)
    engine.destination.inject(Drop(), "list_page", times=None)
    engine.destination.inject(Drop(), "head", times=None)
    assert isinstance(engine.run(), errors.StoreUnreachable)
    assert engine.states() == {"a": PENDING}


def test_a_large_copy_that_was_not_remembered_counts_as_the_comparison_says() -> None:
    engine = Engine(replace(FEW, on_change=OnChange.FAIL))
    engine.publish("a", DATA)
    killed_before_moving(engine)
    upload = engine.held.create_upload("bronze", "b/a")
    part = engine.held.upload_part("bronze", "b/a", upload, 1, Buffer((DATA,)))
    engine.held.complete_upload("bronze", "b/a", upload, [part])
    assert engine.run() is None
    assert engine.states() == {"a": DONE}


def test_ignore_existing_writes_over_nothing_that_is_not_byte_for_byte_its_copy() -> None:
    engine = Engine(replace(FEW, ignore_existing=True))
    engine.publish("a", DATA)
    killed_before_moving(engine)
    engine.hold("a", DATA[::-1])  # of the same size, and not older
    assert engine.run() is None
    assert engine.at_destination() == {"a": DATA[::-1]}
    assert engine.states() == {"a": FAILED}


@settings(deadline=None, max_examples=60)
@given(LISTINGS, RULES, st.booleans(), st.sampled_from(["put", "delete"]), st.integers(1, 6))
def test_a_run_that_was_ended_anywhere_and_goes_on_makes_what_one_run_would_have_made(
    listings: dict[str, Held], rule: str, delete: bool, verb: str, nth: int
) -> None:
    engine = between(listings, rule, deletes=delete)
    if delete and not engine.published:
        return  # refused as a whole
    engine.destination.inject(LoseAck(), verb, nth=nth, times=None)
    engine.retries = 0
    engine.run()
    engine.destination.heal()
    engine.recorder.retry_failed()
    assert engine.run() is None
    expected: dict[str, bytes] = {}
    for name, what in listings.items():
        expected |= ends_as(name, what, rule, deletes=delete)
    assert engine.at_destination() == expected
