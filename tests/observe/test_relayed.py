"""What processes told of themselves is added up, also after they are gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from lakebed.model.operation import Kind, ObjectState, OperationState, Outcome
from lakebed.observe import catalogue
from lakebed.observe.metrics import Metrics
from lakebed.observe.relayed import Changes, Relayed
from tests.observe.figures import Figures


class Process:
    """Counts into a registry of its own, and says what changed."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.metrics, self.changes = Metrics(registry), Changes(registry)

    def does(self, objects: int) -> None:
        with self.metrics.operation("1", Kind.SYNC) as telemetry:
            done = Outcome("k", ObjectState.DONE, size=10, seconds=0.3)
            telemetry.settled([done] * objects, 0.002)
            telemetry.ended(OperationState.COMPLETED, None)


@pytest.fixture
def relayed() -> Relayed:
    return Relayed()


def told(relayed: Relayed) -> Figures:
    registry = CollectorRegistry()
    registry.register(relayed)
    return Figures.of(registry)


def test_what_was_told_twice_counts_once(relayed: Relayed) -> None:
    process = Process()
    process.does(3)
    line = process.changes.line()
    relayed.tell("a", line)
    relayed.tell("a", line)
    said = told(relayed)
    assert said.sum(catalogue.OBJECTS) == said.count(catalogue.OBJECT_SECONDS) == 3
    assert said.sum(f"{catalogue.OBJECT_SECONDS.name}_bucket", le="0.1") == 0
    assert said.sum(f"{catalogue.OBJECT_SECONDS.name}_bucket", le="0.5") == 3


def test_a_process_that_has_nothing_new_says_nothing() -> None:
    process = Process()
    process.does(1)
    assert process.changes.line()
    assert process.changes.line() == b""


def test_levels_go_with_their_process_and_moments_stay(relayed: Relayed) -> None:
    process = Process()
    process.does(1)
    with process.metrics.operation("2", Kind.SYNC):
        relayed.tell("a", process.changes.line())
    assert told(relayed).sum(catalogue.RUNNING) == 1
    ended = told(relayed).sum(catalogue.OPERATION_ENDED)
    relayed.left("a")
    relayed.left("a")
    said = told(relayed)
    assert said.sum(catalogue.RUNNING) == 0
    assert said.sum(catalogue.OPERATION_ENDED) == ended > 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["does", "tells", "dies"]))))
def test_counters_are_the_sum_of_what_each_process_told_last(steps: list[tuple[str, str]]) -> None:
    relayed, processes = Relayed(), dict[str, Process]()
    counted, known, before = dict[str, int](), dict[str, int](), 0
    for name, step in steps:
        process = processes.setdefault(name, Process())
        if step == "does":
            process.does(2)
            counted[name] = counted.get(name, 0) + 2
        elif step == "tells":
            relayed.tell(name, process.changes.line())
            known[name] = counted.get(name, 0)
        else:
            relayed.left(name)
            before += known.pop(name, 0)
            del processes[name]
            counted.pop(name, None)
    said = told(relayed)
    assert said.sum(catalogue.OBJECTS) == before + sum(known.values())
    assert said.sum(catalogue.OBJECT_BYTES) == 10 * said.sum(catalogue.OBJECTS)


@given(st.binary() | st.just(b"[1]") | st.just(b'[["x", [], 1]]') | st.just(b"{}"))
def test_what_is_no_line_says_nothing(line: bytes) -> None:
    relayed = Relayed()
    relayed.tell("a", line)
    assert not any(family.samples for family in relayed.collect())
