"""Spans leave in time, or not at all."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lakebed.model.operation import Kind
from lakebed.observe import export
from lakebed.observe.export import FLUSH, exported
from lakebed.observe.log import Once
from tests.observe.test_traces import PARENT

SLACK = 5.0
"""Seconds that a busy machine may add."""


class Collector:
    """Takes what is posted to it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, ExportTraceServiceRequest]] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                taken.append((self.path, ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Collector":
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as taking:
        yield taking


@pytest.fixture
def silent() -> Iterator[str]:
    """A collector that takes a connection, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def one_span(environ: dict[str, str], endpoint: str | None) -> float:
    """The seconds that the end took."""
    with exported(environ, endpoint) as traces:
        with traces.operation("1M7YZTP1765XNG9V", Kind.SYNC):
            pass
        ended = time.monotonic()
    return time.monotonic() - ended


def test_spans_reach_a_collector_under_our_name(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    one_span({"TRACEPARENT": PARENT}, f"{collector.url}/")
    ((path, sent),) = collector.taken
    assert path == "/v1/traces"
    (group,) = sent.resource_spans
    resource = {a.key: a.value.string_value for a in group.resource.attributes}
    assert resource["service.name"] == "lakebed"
    assert resource["deployment.environment.name"] == "test"
    (span,) = group.scope_spans[0].spans
    assert span.name == "lakebed sync"
    assert span.trace_id.hex() == PARENT.split("-")[1]


def test_the_environment_names_the_collector_and_the_service(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    one_span({}, None)
    ((path, sent),) = collector.taken
    resource = {a.key: a.value.string_value for a in sent.resource_spans[0].resource.attributes}
    assert (path, resource["service.name"]) == ("/v1/traces", "nightly")


def test_a_sampler_of_the_environment_holds(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    one_span({}, collector.url)
    assert collector.taken == []


def test_a_collector_that_is_away_delays_the_end_no_longer_than_its_deadline(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert one_span({}, f"http://127.0.0.1:{port}") < FLUSH * 1.25 + SLACK
    assert caplog.records, "it is said once"


def test_a_collector_that_never_answers_does_neither(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "FLUSH", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    assert one_span({}, silent) < 0.1 * 1.25 + SLACK
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread():
            thread.join(10)  # its request times out after this test's scope


def test_the_same_complaint_of_the_exporter_passes_once() -> None:
    once = Once()
    record = logging.makeLogRecord({"name": "opentelemetry.sdk", "msg": "Queue full"})
    other = logging.makeLogRecord({"name": "lakebed.x", "msg": "Queue full"})
    assert [once.filter(record), once.filter(record)] == [True, False]
    assert [once.filter(other), once.filter(other)] == [True, True]
