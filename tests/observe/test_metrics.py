"""What the metrics say is what happened, and what the ledger says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from lakebed import errors
from lakebed.model.location import Location
from lakebed.model.operation import Kind, OperationState, Options, Summary
from lakebed.observe import catalogue
from lakebed.observe.metrics import Metrics
from lakebed.observe.telemetry import Levels, Several
from lakebed.operations.ends import Ends
from lakebed.settings import Settings, StoreSettings
from lakebed.store.cancellation import Cancellation
from lakebed.transfer import move
from tests.observe.figures import Figures
from tests.operations.platform import World, request
from tests.store.wire import Wire, error, reply

CANARY = b"lakebed canary, safe to delete\n"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(registry)


def test_a_sync_is_counted_exactly(
    world: World, metrics: Metrics, registry: CollectorRegistry
) -> None:
    world.put_pair("a.zip", b"archive")
    world.put("plain", b"0123456789")
    world.put_pair("bad.zip", b"damaged", published=b"whole")
    with world.platform(metrics) as platform:
        platform.capabilities(Location("dst", "b"))  # the probe's requests are not the sync's
        summary = platform.sync(request())
    said = Figures.of(registry)
    gets = {"store": "src", "verb": "get", "code": "ok"}
    # A pair that disagrees is read three times.
    assert said.sum(catalogue.REQUESTS, **gets) == 2 + 1 + 3 * 2
    # One more than objects: the canary that tells whether both ends are one place.
    assert said.sum(catalogue.REQUESTS, store="dst", verb="put", code="ok") == 3 + 1
    assert said.count(catalogue.REQUEST_SECONDS, store="dst", verb="put") == 3 + 1
    assert said.sum(catalogue.LISTED_KEYS, store="src") == 5
    assert said.sum(catalogue.SENT, store="dst") == summary.bytes + len(CANARY)
    assert said.sum(catalogue.SENT, store="src") == 0
    sizes = len(b"archive") + 64 + 2 + len("a.zip") + 10
    assert said.sum(catalogue.RECEIVED, store="src") == sizes + 3 * (
        len(b"damaged") + 64 + 2 + len("bad.zip")
    )
    assert said.by(catalogue.OBJECTS, "state") == {"done": 3, "quarantined": 2}
    assert said.by(catalogue.OBJECTS, "lane") == {"whole": 3}
    assert said.by(catalogue.REFUSALS, "code", kind="sync") == {"digest-refused": 2}
    assert said.sum(catalogue.OBJECT_BYTES, kind="sync", lane="whole") == summary.bytes
    assert said.count(catalogue.OBJECT_SECONDS, kind="sync", lane="whole") == 3
    assert said.sum(catalogue.LISTED, kind="sync") == 5
    assert said.sum(catalogue.PLANNED, kind="sync") == 5
    assert said.sum(catalogue.OPERATIONS, kind="sync", state="quarantined") == 1
    assert said.sum(catalogue.RUNNING) == 0
    assert said.count(catalogue.OPERATION_SECONDS, kind="sync") == 1
    assert said.sum(catalogue.OPERATION_ENDED, state="quarantined") > 1.7e9
    assert said.count(catalogue.LEDGER_SECONDS, group="plan") == 1
    assert said.count(catalogue.LEDGER_SECONDS, group="outcomes") >= 1
    assert said.sum(catalogue.BUDGET_LIMIT) == 0, "it holds for a run only"


CONTENT = st.dictionaries(
    st.sampled_from([f"k{number}" for number in range(6)]),
    st.tuples(st.binary(max_size=20), st.sampled_from(["plain", "pair", "damaged", "extra"])),
    max_size=6,
)


def agree(said: Figures, summary: Summary) -> None:
    """The metrics of one run and the ledger's word on its operation."""
    states = said.by(catalogue.OBJECTS, "state")
    assert states.get("done", 0) == summary.copied
    assert states.get("failed", 0) == summary.failed
    assert states.get("quarantined", 0) == summary.quarantined
    assert states.get("deleted", 0) == summary.deleted
    assert said.by(catalogue.OBJECTS, "lane") == summary.lanes
    assert said.by(catalogue.OBJECTS, "proof") == summary.proofs
    assert said.sum(catalogue.OBJECT_BYTES) == summary.bytes
    assert said.sum(catalogue.LISTED) == summary.listed
    assert said.sum(catalogue.SKIPPED) == summary.skipped
    assert said.sum(catalogue.EXTRA) == summary.extra
    assert said.sum(catalogue.HALVES) == summary.halves
    assert said.sum(catalogue.OPERATIONS, state=summary.state) == 1


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=CONTENT, failing=st.booleans())
def test_metrics_and_ledger_agree(
    content: dict[str, tuple[bytes, str]],
    failing: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(tmp_path, monkeypatch)
    for key, (data, kind) in content.items():
        match kind:
            case "plain":
                world.put(key, data)
            case "pair" | "damaged":
                world.put_pair(f"{key}.zip", data, data if kind == "pair" else b"other" + data)
            case _:
                world.put(f"in/{key}", data, store="dst")
    if failing:
        world.fail("put", "in/k", errors.AccessDenied("no"))
    options = Options(concurrency=2, delete=True, retries=0)
    with world.platform() as platform:
        platform.capabilities(Location("dst", "b"))
    monkeypatch.setattr(move, "REFETCHES", 0)
    for _ in range(2):
        registry = CollectorRegistry()
        with world.platform(Metrics(registry)) as platform:
            summary = platform.sync(request(options=options))
        agree(Figures.of(registry), summary)


def test_levels_are_read_while_an_operation_runs(
    world: World, metrics: Metrics, registry: CollectorRegistry
) -> None:
    world.put("a", b"0123456789")
    seen: list[Figures] = []
    world.on("put", "in/a", lambda: seen.append(Figures.of(registry)))
    with world.platform(metrics) as platform:
        platform.sync(request(options=Options(concurrency=1, memory=1024 * 1024)))
    (during,) = seen
    assert during.sum(catalogue.IN_FLIGHT) == 1
    assert during.sum(catalogue.PENDING) == 1
    assert during.sum(catalogue.BUDGET_HELD) == 10
    assert during.sum(catalogue.BUDGET_LIMIT) == 1024 * 1024
    assert during.sum(catalogue.RUNNING, kind="sync") == 1
    after = Figures.of(registry)
    assert after.sum(catalogue.IN_FLIGHT) == after.sum(catalogue.PENDING) == 0


def test_levels_of_operations_that_run_at_once_add_up(
    metrics: Metrics, registry: CollectorRegistry
) -> None:
    observer = Several([metrics])
    with (
        observer.operation("1", Kind.SYNC) as one,
        observer.operation("2", Kind.VERIFY) as two,
        one.levels(lambda: Levels(units_in_flight=2)),
    ):
        with two.levels(lambda: Levels(units_in_flight=3)):
            assert Figures.of(registry).sum(catalogue.IN_FLIGHT) == 5
        assert Figures.of(registry).sum(catalogue.IN_FLIGHT) == 2


def test_a_moved_object_is_done_and_then_deleted(
    world: World, metrics: Metrics, registry: CollectorRegistry
) -> None:
    world.put("a", b"x")
    with world.platform(metrics) as platform:
        platform.sync(request(options=Options(delete_source=True)))
    assert Figures.of(registry).by(catalogue.OBJECTS, "state") == {"done": 1, "deleted": 1}


def test_a_run_that_a_defect_ends_is_counted_as_failed(
    world: World, metrics: Metrics, registry: CollectorRegistry
) -> None:
    world.put("a", b"x")
    world.fail("put", "in/a", RuntimeError("a bug"))
    with world.platform(metrics) as platform, pytest.raises(RuntimeError):
        platform.sync(request())
    said = Figures.of(registry)
    assert said.sum(catalogue.OPERATIONS, state=OperationState.FAILED) == 1
    assert said.sum(catalogue.REQUESTS, code="defect") == 1
    assert said.sum(catalogue.RUNNING) == 0


def test_a_run_that_lost_its_lease_leaves_no_state(
    world: World, metrics: Metrics, registry: CollectorRegistry
) -> None:
    world.put("a", b"x")
    world.fail("put", "in/a", errors.LeaseLost("taken over"))
    with world.platform(metrics) as platform, pytest.raises(errors.LeaseLost):
        platform.sync(request())
    said = Figures.of(registry)
    assert said.sum(catalogue.OPERATIONS) == 0
    assert said.count(catalogue.OPERATION_SECONDS) == 1


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as listening:
        yield listening


def test_a_retry_is_counted_beside_both_requests(
    wire: Wire, metrics: Metrics, registry: CollectorRegistry
) -> None:
    wire.play(error(503, "SlowDown"), reply(200, b"", {"ETag": "tag"}))
    store = StoreSettings(name="lake", endpoint=wire.url, anonymous=True)
    settings = Settings(stores={"lake": store})
    ends = Ends(settings, lambda: pytest.fail("no ledger is needed"))
    with metrics.operation("1", Kind.SYNC) as telemetry:
        where = Location("lake", "b")
        with ends.store(where, Cancellation(), telemetry=telemetry) as opened:
            opened.head("b", "k")
    said = Figures.of(registry)
    assert said.by(catalogue.REQUESTS, "code", verb="head") == {"throttled": 1, "ok": 1}
    assert said.by(catalogue.RETRIES, "code", store="lake", verb="head") == {"throttled": 1}
