"""The planner on any two listings: what a run makes of them, and that nothing is left to do."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import LimitReached
from lakebed.model.operation import Compare, Counters, Decision, Kind, OnChange
from lakebed.model.pair import sidecar_of
from lakebed.transfer.plan import Planner
from tests.transfer.engine import FEW, Engine, sidecar

MARKER = "b/"  # a folder's marker has no sidecar
NAMES = ("a", "a.zip", "a.zip-1", "a.zip.C", "b/c", "b//c", MARKER, "币.zip")
DATA, OTHER = b"as published", b"another one"


@dataclass(frozen=True)
class Held:
    """An archive, or a pair, and what the destination holds of it: None, "same" or "other"."""

    pair: bool
    at_source: bool
    archive: str | None
    sidecar: str | None

    def published(self, name: str) -> dict[str, bytes]:
        files = {name: DATA}
        if self.pair and name != MARKER:
            files[sidecar_of(name)] = sidecar(name, DATA)
        return files if self.at_source else {}

    def held(self, name: str) -> dict[str, bytes]:
        files = {}
        if self.archive:
            files[name] = DATA if self.archive == "same" else OTHER
        if self.pair and self.sidecar and name != MARKER:
            files[sidecar_of(name)] = sidecar(name, DATA if self.sidecar == "same" else OTHER)
        return files

    def differs(self, name: str) -> bool:
        """Whether the destination holds another revision of either half."""
        return "other" in (self.archive, self.sidecar if self.pair and name != MARKER else None)


HELD = st.sampled_from([None, "same", "other"])
LISTINGS = st.dictionaries(
    st.sampled_from(NAMES), st.builds(Held, st.booleans(), st.booleans(), HELD, HELD)
)
RULES = st.sampled_from(["replace", "keep", "fail", "ignore-existing"])


def ends_as(name: str, what: Held, rule: str, *, deletes: bool) -> dict[str, bytes]:
    """The model: what the destination holds of `name` after a run."""
    if not what.at_source:
        return {} if deletes else what.held(name)
    if rule != "replace" and what.differs(name):
        return what.held(name)
    if rule == "ignore-existing" and what.archive == "same":
        return what.held(name)
    return what.published(name)


def between(listings: dict[str, Held], rule: str, *, deletes: bool) -> Engine:
    """An engine whose ends hold what `listings` say."""
    options = replace(FEW, concurrency=2, delete=deletes)
    if rule == "ignore-existing":
        options = replace(options, ignore_existing=True)
    else:
        options = replace(options, on_change=OnChange(rule))
    engine = Engine(options)
    for name, what in listings.items():
        for key, data in what.published(name).items():
            engine.publish(key, data)
        for key, data in what.held(name).items():
            engine.hold(key, data)
    return engine


@settings(deadline=None, max_examples=60)
@given(LISTINGS, RULES, st.booleans())
def test_a_run_makes_of_any_two_listings_what_the_model_says_and_leaves_nothing_to_do(
    listings: dict[str, Held], rule: str, delete: bool
) -> None:
    engine = between(listings, rule, deletes=delete)
    before = engine.at_destination()

    error = engine.run()

    if delete and not engine.published and before:
        assert isinstance(error, LimitReached)
        assert engine.at_destination() == before
        return
    assert error is None
    expected: dict[str, bytes] = {}
    for name, what in listings.items():
        expected |= ends_as(name, what, rule, deletes=delete)
    assert engine.at_destination() == expected
    assert engine.recorder.counted().listed == len(engine.published)
    failed = {key for key, state in engine.states().items() if state == "failed"}
    assert bool(failed) == (
        rule == "fail" and any(w.at_source and w.differs(n) for n, w in listings.items())
    )
    assert engine.again() is None
    assert set(engine.states()) == failed
    assert engine.at_destination() == expected


def decisions(engine: Engine, kind: Kind = Kind.SYNC) -> list[tuple[str, Decision, str]]:
    steps = Planner(engine.sides(), engine.recorder, kind).steps()
    return [(p.key, p.decision, p.reason) for step in steps for p in step.planned]


def test_a_plan_says_why() -> None:
    engine = Engine()
    engine.publish("changed", DATA)
    engine.hold("changed", OTHER + b"!!!")
    engine.hold("extra", DATA)
    engine.publish("new", DATA)
    engine.publish("same", DATA)
    engine.hold("same", DATA)
    assert decisions(engine) == [
        ("changed", Decision.CHANGED, "other size"),
        ("extra", Decision.EXTRA, "not at the source"),
        ("new", Decision.COPY, "missing"),
        ("same", Decision.SKIP, "same MD5"),
    ]


def test_what_the_recorder_remembers_decides_where_the_listings_cannot() -> None:
    engine = Engine(replace(FEW, compare=Compare.DIGEST))
    engine.publish_pair("a.zip", DATA)
    assert engine.run() is None
    assert engine.again() is None
    assert engine.states() == {}
    engine.recorder.memory.clear()
    assert engine.again() is None
    assert set(engine.states()) == {"a.zip", "a.zip.CHECKSUM"}


def test_a_replaced_archive_brings_its_sidecar_whose_size_tells_nothing() -> None:
    engine = Engine(replace(FEW, compare=Compare.SIZE))
    for key, data in {"a.zip": OTHER + b"!!!", "a.zip.CHECKSUM": sidecar("a.zip", OTHER)}.items():
        engine.hold(key, data)
    engine.publish_pair("a.zip", DATA)

    assert engine.run() is None

    assert engine.at_destination() == {"a.zip": DATA, "a.zip.CHECKSUM": sidecar("a.zip", DATA)}


def test_filters_take_a_pair_as_a_whole_also_where_only_its_sidecar_is_left() -> None:
    engine = Engine(replace(FEW, filters=replace(FEW.filters, patterns=((True, "*.zip"),))))
    engine.publish_pair("a.zip", DATA)
    engine.publish("b.zip.CHECKSUM", sidecar("b.zip", DATA))
    engine.publish("readme", DATA)
    assert engine.run() is None
    assert set(engine.states()) == {"a.zip", "a.zip.CHECKSUM", "b.zip.CHECKSUM"}


def test_a_plan_to_verify_names_what_is_missing_and_what_is_extra() -> None:
    engine = Engine()
    engine.publish("a", DATA)
    engine.hold("extra", DATA)
    assert decisions(engine, Kind.VERIFY) == [
        ("a", Decision.SKIP, "to be proved"),
        ("extra", Decision.EXTRA, "not at the source"),
    ]


@pytest.mark.parametrize("count", [250, 251])
def test_a_plan_is_remembered_in_batches_and_counted_once(count: int) -> None:
    engine = Engine()
    for number in range(count):
        engine.publish(f"{number:04}", DATA)
    assert engine.run() is None
    counted = engine.recorder.counted()
    assert counted == Counters(listed=count, planned=count, planned_bytes=count * len(DATA))
