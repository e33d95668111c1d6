"""What a replica and the processes of its operations tell: metrics, spans and a log, of one run."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lakebed.observe import catalogue
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import PATIENCE, Lakebed
from tests.executor.replica import Json, Replica, replica
from tests.observe.figures import Figures
from tests.observe.test_export import Collector
from tests.observe.test_traces import PARENT


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as taking:
        yield taking


def figures(executor: Replica) -> Figures:
    return Figures(executor.client.get("/metrics").text)


def eventually(executor: Replica, is_so: Callable[[Figures], bool]) -> Figures:
    """The figures once they are so: a process tells its own once a second."""
    give_up = time.monotonic() + PATIENCE
    while not is_so(found := figures(executor)):
        assert time.monotonic() < give_up, found.samples
    return found


def workers(executor: Replica) -> list[int]:
    """The processes of operations: children of a server that is a child of the replica."""
    return [below for child in _children(executor.process.pid) for below in _children(child)]


def _children(pid: int) -> list[int]:
    found = [Path(f"/proc/{pid}/task/{task}/children") for task in os.listdir(f"/proc/{pid}/task")]
    return [int(child) for path in found for child in path.read_text().split()]


def test_what_an_operation_counts_is_among_the_metrics_of_its_replica(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(20))
    places = (f"here:{source.name}/", f"there:{destination.name}/")
    executor.ended(executor.sync(*places))
    executor.ended(executor.sync(*places))
    said = eventually(executor, lambda now: now.sum(catalogue.OPERATIONS) == 2)
    assert said.sum(catalogue.OBJECTS, state="done") == 40
    assert said.by(catalogue.OBJECTS, "proof") == {"publisher-sha256": 20, "etag-md5": 20}
    assert said.sum(catalogue.SKIPPED) == 40
    assert said.count(catalogue.OBJECT_SECONDS) == 40
    assert said.count(catalogue.OPERATION_SECONDS) == said.count(catalogue.QUEUE_SECONDS) == 2
    assert said.by(catalogue.LEDGER_OPERATIONS, "state") == {"completed": 2}
    assert said.sum(catalogue.RUNNING) == said.sum(catalogue.STREAMS) == 0
    assert said.sum(catalogue.REPLICAS) == said.sum(catalogue.DATABASE) == 1
    told = json.dumps(said.samples, default=str)
    assert source.name not in told
    assert not any(key in told for key in pairs(20))


def test_a_process_that_is_killed_counts_no_object_twice(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill({f"{number}": b"x" * 10_000 for number in range(60)})
    slow: Json = {"configuration": {"max_concurrent": 1, "bandwidth": "100K"}}
    with replica(lakebed.store("there", disable="unpack")) as executor:
        operation = executor.sync(f"here:{source.name}/", f"there:{destination.name}/", **slow)
        before = eventually(executor, lambda now: now.sum(catalogue.OBJECTS, state="done") > 0)
        assert before.sum(catalogue.RUNNING) == 1
        (process,) = workers(executor)
        os.kill(process, signal.SIGKILL)
        assert executor.ended(operation)["state"] == "completed"
        said = eventually(executor, lambda now: now.sum(catalogue.OPERATIONS) == 1)
    counted = said.sum(catalogue.OBJECTS, state="done")
    assert before.sum(catalogue.OBJECTS, state="done") < counted <= 60
    assert (said.sum(catalogue.CRASHES), said.sum(catalogue.RUNNING)) == (1, 0)


def test_a_trace_and_the_log_lead_from_a_request_to_its_objects(
    lakebed: Lakebed, collector: Collector, source: Bucket, destination: Bucket
) -> None:
    source.fill({"a": b"1", "b": b"2"})
    telling = lakebed.but(LAKEBED_OBSERVE__TRACES=collector.url, LAKEBED_LOG="info")
    with replica(telling) as executor:
        body: Json = {"source": f"here:{source.name}/", "destination": f"there:{destination.name}/"}
        accepted = executor.post("/api/v1/sync", body, traceparent=PARENT)
        operation = str(accepted["operation_id"])
        executor.ended(operation)
        executor.process.signal(signal.SIGTERM)
        told = executor.process.end().err.splitlines()
        log = [json.loads(line) for line in told if line.startswith("{")]
    _, trace_id, asked, _ = PARENT.split("-")
    spans = {span.span_id: span for span in _spans(collector) if span.trace_id.hex() == trace_id}
    (root,) = (span for span in spans.values() if span.parent_span_id.hex() == asked)
    assert root.name == "POST /api/v1/sync"
    units = [span for span in spans.values() if span.name == "unit"]
    keys = {a.value.string_value for unit in units for a in unit.attributes if "key" in a.key}
    assert keys == {"a", "b"}
    gets = [span for span in spans.values() if span.name == "S3.GetObject"]
    assert ["unit", "lakebed sync", "POST /api/v1/sync"] in [_above(get, spans) for get in gets]
    (line,) = [one for one in log if one.get("route") == "/api/v1/sync"]
    assert line["span_id"] == root.span_id.hex()
    assert (line["trace_id"], line["operation_id"], line["caller"], line["status"]) == (
        *(trace_id, operation, "local"),
        202,
    )
    (last,) = [one for one in log if "completed: 2 copied" in one["message"]]
    assert (last["trace_id"], last["operation_id"]) == (trace_id, operation)


def _spans(collector: Collector) -> Iterator[Span]:
    for _, sent in collector.taken:
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                yield from scope.spans


def _above(span: Span, spans: dict[bytes, Span]) -> list[str]:
    above = spans.get(span.parent_span_id)
    return [above.name, *_above(above, spans)] if above else []
