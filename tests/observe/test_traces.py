"""The spans of an operation form one tree."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from lakebed import errors
from lakebed.model.operation import Kind, OperationState, Options, Outcome, Unit
from lakebed.observe.telemetry import Requested
from lakebed.observe.traces import METHODS, Traces
from lakebed.store.contract import Store
from tests.operations.platform import World, request

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


class Collected:
    """An observer whose spans stay here."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def parent(self, span: ReadableSpan) -> str | None:
        """The name of the span's parent."""
        above = span.parent
        if above is None:
            return None
        found = [s for s in self.spans if s.context and s.context.span_id == above.span_id]
        return found[0].name if found else "remote"


@pytest.fixture
def collected() -> Collected:
    return Collected()


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_an_operation_its_units_and_their_requests_are_one_tree(
    world: World, collected: Collected
) -> None:
    world.put_pair("a.zip", b"archive")
    world.put("b", b"x")
    with world.platform(Traces(collected.provider)) as platform:
        summary = platform.sync(request())
    (root,) = collected.named("lakebed sync")
    assert root.parent is None
    assert attributes(root) == {
        "lakebed.operation.id": summary.operation_id,
        "lakebed.operation.kind": "sync",
        "lakebed.operation.state": "completed",
    }
    assert {span.context.trace_id for span in collected.spans if span.context} == {
        root.context.trace_id if root.context else None
    }
    parents = {span.name: collected.parent(span) for span in collected.spans}
    assert parents["unit"] == parents["plan batch"] == parents["ledger write"] == "lakebed sync"
    assert parents["S3.ListObjectsV2"] == "lakebed sync"
    assert {collected.parent(get) for get in collected.named("S3.GetObject")} >= {"unit"}
    units = {attributes(span)["lakebed.key"]: attributes(span) for span in collected.named("unit")}
    assert units["a.zip"] == {
        "lakebed.key": "a.zip",
        "lakebed.objects": 2,
        "lakebed.bytes": len(b"archive") + 64 + 2 + len("a.zip"),
        "lakebed.state": "done",
        "lakebed.attempts": 1,
        "lakebed.lane": "whole",
        "lakebed.proof": "publisher-sha256",
    }
    put = next(s for s in collected.named("S3.PutObject") if collected.parent(s) == "unit")
    assert put.kind is SpanKind.CLIENT
    told = attributes(put)
    assert told["rpc.system"] == "aws-api"
    assert told["server.address"] == "dst.test"
    assert told["aws.s3.bucket"] == "b"
    assert str(told["aws.s3.key"]).startswith("in/")
    assert put.start_time is not None
    assert put.end_time is not None
    assert put.end_time >= put.start_time


def test_what_a_stream_reads_in_another_thread_belongs_to_its_unit(
    world: World, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.transfer.lanes.whole.LIMIT", 1)
    world.put("large", b"0123456789" * 1000)
    with world.platform(Traces(collected.provider)) as platform:
        assert platform.sync(request()).lanes == {"stream": 1}
    (get,) = (s for s in collected.named("S3.GetObject") if "large" in str(attributes(s)))
    assert collected.parent(get) == "unit"


def test_the_trace_of_the_environment_goes_on(world: World, collected: Collected) -> None:
    context = TraceContextTextMapPropagator().extract({"traceparent": PARENT})
    with world.platform(Traces(collected.provider, context)) as platform:
        platform.sync(request())
    (root,) = collected.named("lakebed sync")
    assert collected.parent(root) == "remote"
    assert root.context is not None
    assert f"{root.context.trace_id:032x}" == PARENT.split("-")[1]


def test_a_refused_object_is_an_error_of_its_unit(world: World, collected: Collected) -> None:
    world.put("a", b"x")
    world.fail("put", "in/a", errors.AccessDenied("token=hush is refused", status=403))
    with world.platform(Traces(collected.provider)) as platform:
        platform.sync(request())
    (unit,) = collected.named("unit")
    assert unit.status.status_code is StatusCode.ERROR
    assert unit.status.description is not None
    assert "hush" not in unit.status.description
    assert attributes(unit)["error.type"] == "access-denied"
    puts = [attributes(span) for span in collected.named("S3.PutObject")]
    refused = [put for put in puts if put.get("aws.s3.key") == "in/a"]
    assert [put["http.response.status_code"] for put in refused] == [403]
    assert [put["error.type"] for put in refused] == ["access-denied"]


def test_what_ends_an_operation_is_an_error_of_its_span(world: World, collected: Collected) -> None:
    world.put("a", b"x")
    world.fail("list_page", "src:b", errors.BucketMissing("no such bucket"))
    with world.platform(Traces(collected.provider)) as platform:
        assert platform.sync(request()).state is OperationState.FAILED
    (root,) = collected.named("lakebed sync")
    assert attributes(root)["error.type"] == "bucket-missing"
    assert root.status.status_code is StatusCode.ERROR


def test_a_defect_is_an_error_of_both(world: World, collected: Collected) -> None:
    world.put("a", b"x")
    world.fail("put", "in/a", RuntimeError("a bug"))
    with world.platform(Traces(collected.provider)) as platform, pytest.raises(RuntimeError):
        platform.sync(request())
    (unit,), (root,) = collected.named("unit"), collected.named("lakebed sync")
    assert attributes(unit)["error.type"] == attributes(root)["error.type"] == "RuntimeError"


def nothing(unit: Unit) -> list[Outcome]:
    return []


def test_an_operation_that_is_not_sampled_tells_nothing_of_its_requests(
    world: World, collected: Collected
) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    world.put("a", b"x")
    with Traces(provider).operation("1", Kind.SYNC) as telemetry:
        assert not telemetry.on
        assert telemetry.acting(nothing) is nothing
    with world.platform(Traces(provider)) as platform:
        assert platform.sync(request()).copied == 1


def test_requests_of_a_thread_without_a_unit_belong_to_the_operation(collected: Collected) -> None:
    with Traces(collected.provider).operation("1", Kind.SYNC) as telemetry:
        asked = Requested("lake", "[::1]:9000", "buckets", "lake", "ok", None, 2_000_000_000, 1.0)
        telemetry.requested(asked)
        telemetry.retried("lake", "buckets", "throttled")
    (span,) = collected.named("S3.ListBuckets")
    assert collected.parent(span) == "lakebed sync"
    assert (span.start_time, span.end_time) == (1_000_000_000, 2_000_000_000)
    assert attributes(span)["server.address"] == "::1"
    assert attributes(span)["server.port"] == 9000
    assert "aws.s3.bucket" not in attributes(span)
    (root,) = collected.named("lakebed sync")
    assert [event.name for event in root.events] == ["retry"]


def test_each_call_of_the_contract_has_the_name_that_s3_gives_it() -> None:
    calls = {name for name in vars(Store) if not name.startswith("_")}
    assert set(METHODS) <= calls - {"name", "properties", "close"}


def test_log_records_say_to_which_operation_and_trace_they_belong(
    world: World, collected: Collected, capsys: pytest.CaptureFixture[str]
) -> None:
    from lakebed.observe.log import configure

    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    configure(logging.WARNING)
    world.put("a", b"x")
    world.on("put", "in/a", lambda: logging.getLogger("lakebed.x").warning("careful"))
    try:
        with world.platform(Traces(collected.provider)) as platform:
            summary = platform.sync(request(options=Options(concurrency=1)))
        logging.getLogger("lakebed.x").warning("later")
    finally:
        root.handlers[:] = before
    (span,) = collected.named("lakebed sync")
    assert span.context is not None
    first, second = capsys.readouterr().err.splitlines()
    trace = f"{span.context.trace_id:032x}"
    assert first == f"warning: careful [operation {summary.operation_id} trace {trace}]"
    assert second == "warning: later"


def test_objects_that_travel_together_have_units_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collected: Collected
) -> None:
    world = World(tmp_path, monkeypatch, packs=True)
    for name in ("a", "b", "c"):
        world.put(name, name.encode())
    with world.platform(Traces(collected.provider)) as platform:
        assert platform.sync(request()).lanes == {"packed": 3}
    units = {str(attributes(unit)["lakebed.key"]) for unit in collected.named("unit")}
    assert units == {"a", "b", "c"}
    states = {unit.status.status_code for unit in collected.named("unit")}
    assert StatusCode.ERROR not in states
