"""What a replica tells of the requests that it is asked."""

import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakebed.access.permission import Role
from lakebed.errors import LakebedError, LedgerError
from lakebed.executor import heartbeat
from lakebed.executor.logged import is_json
from lakebed.executor.observed import Observed
from lakebed.executor.routes import metrics
from lakebed.executor.tracing import Spans
from lakebed.observe import catalogue
from lakebed.observe.log import configure
from lakebed.settings.executor import ExecutorSettings
from tests.executor.inprocess import Inside, caller, inside, settings_in
from tests.observe.figures import Figures
from tests.observe.test_traces import PARENT, Collected, attributes

STATUS = "/api/v1/operations/{operation_id}"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Inside]:
    with inside(settings_in(tmp_path)) as replica:
        yield replica


@pytest.fixture
def _logged_as_json() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("lakebed")
    handlers, level = root.handlers[:], ours.level
    configure(logging.INFO, as_json=True)
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)


def told(replica: Inside) -> Figures:
    return Figures(replica.client.get("/metrics").text)


def requests(replica: Inside) -> set[tuple[str, str, str]]:
    samples = told(replica).samples[f"{catalogue.HTTP_SECONDS.name}_count"]
    return {(one["method"], one["route"], one["status"]) for one, _ in samples}


def test_requests_are_counted_by_template_method_and_class_of_status(replica: Inside) -> None:
    for path in ("/api/v1/operations/SECRETLY", "/wp-admin/secretly", "/health"):
        replica.client.get(path)
    replica.client.request("BREW", "/health")
    assert requests(replica) == {
        ("GET", STATUS, "4xx"),
        ("GET", "unmatched", "4xx"),
        ("GET", "/health", "2xx"),
        ("OTHER", "/health", "4xx"),
    }
    assert "ecretly" not in replica.client.get("/metrics").text.lower()


@pytest.mark.usefixtures("_logged_as_json")
def test_a_request_is_one_line_of_json(replica: Inside, capsys: pytest.CaptureFixture[str]) -> None:
    replica.client.get("/api/v1/operations/1M7?token=hush", headers={"traceparent": PARENT})
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "requests" in one]
    said = json.loads(line)
    assert (said["level"], said["method"], said["route"], said["status"]) == (
        *("info", "GET", STATUS),
        404,
    )
    assert said["trace_id"] == PARENT.split("-")[1]
    assert said["span_id"] != PARENT.split("-")[2]
    assert (said["operation_id"], said["caller"]) == ("1M7", "local")
    assert said["seconds"] > 0
    assert "hush" not in line


@pytest.mark.usefixtures("_logged_as_json")
def test_no_text_of_a_request_begins_a_line_of_the_log(
    replica: Inside, capsys: pytest.CaptureFixture[str]
) -> None:
    replica.client.get("/api/v1/operations/1%0A%7B%22level%22:%22error%22%7D%E2%80%A8%1B[2J")
    lines = capsys.readouterr().err.splitlines()
    assert all(json.loads(line)["level"] == "info" for line in lines)
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_a_span_of_a_request_goes_on_with_the_trace_that_it_came_with(replica: Inside) -> None:
    collected = Collected()
    replica.service.spans = Spans(collected.provider)
    answer = replica.client.get("/api/v1/operations/1M7", headers={"traceparent": PARENT})
    assert answer.json()["trace_id"] == PARENT.split("-")[1]
    (span,) = collected.spans
    assert (span.name, span.kind) == (f"GET {STATUS}", SpanKind.SERVER)
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.route": STATUS,
        "http.response.status_code": 404,
    }


def test_a_defect_is_an_error_of_its_span(replica: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    collected = Collected()
    replica.service.spans = Spans(collected.provider)
    monkeypatch.setattr(replica.service.queue, "depth", None)
    monkeypatch.setattr(replica.service.measures, "text", None)
    assert replica.client.get("/metrics").status_code == 500
    (span,) = collected.spans
    assert attributes(span)["error.type"] == "500"
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
    ],
)
def test_what_is_no_traceparent_begins_a_trace_of_its_own(replica: Inside, given: str) -> None:
    trace_id = replica.client.get("/nope", headers={"traceparent": given}).json()["trace_id"]
    assert len(trace_id) == 32
    assert trace_id not in given


def test_metrics_take_a_permission_unless_they_are_open(
    replica: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(_: object) -> object:
        return caller(Role.READONLY_USER)

    async def stranger(_: object) -> object:
        raise LakebedError("who is this")

    monkeypatch.setattr(metrics, "caller_of", nobody)
    assert replica.client.get("/metrics").status_code == 200
    monkeypatch.setattr(metrics, "caller_of", stranger)
    assert replica.client.get("/metrics").status_code == 500
    open_to_all = replica.service.settings.model_copy(
        update={"executor": ExecutorSettings(metrics="open")}
    )
    replica.service.settings = open_to_all
    assert replica.client.get("/metrics").status_code == 200


@pytest.mark.parametrize("why", ["not wanted", "not installed"])
def test_without_metrics_it_is_said_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    settings = settings_in(tmp_path)
    if why == "not wanted":
        settings = settings.model_copy(update={"executor": ExecutorSettings(metrics="off")})
    else:
        monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with inside(settings) as replica:
        answer = replica.client.get("/metrics")
        assert answer.status_code == (404 if why == "not wanted" else 501)
        assert replica.client.get("/health").status_code == 200


def asked(replica: Inside, app: ASGIApp, kind: str = "http") -> None:
    """Ask an application that is observed; what it raises is its own."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        return

    scope = {"type": kind, "method": "GET", "path": "/", "headers": []}
    with suppress(asyncio.CancelledError):
        asyncio.run(Observed(app, replica.service)(scope, receive, send))


def test_a_stream_is_open_until_it_ends_and_counts_until_it_began(replica: Inside) -> None:
    seen: list[float] = []

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        seen.append(told(replica).sum(catalogue.STREAMS))
        time.sleep(0.01)  # the time of the process, not of the loop
        raise asyncio.CancelledError

    asked(replica, stream)
    found = told(replica)
    assert (seen, found.sum(catalogue.STREAMS)) == ([1], 0)
    assert found.sum(f"{catalogue.HTTP_SECONDS.name}_sum", route="unmatched") < 0.01
    assert found.count(catalogue.HTTP_SECONDS, route="unmatched", status="2xx") == 1


def test_one_whose_caller_left_before_an_answer_is_no_fault_of_ours(replica: Inside) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    asked(replica, slow)
    assert told(replica).count(catalogue.HTTP_SECONDS, route="unmatched", status="4xx") == 1


def test_what_is_no_request_passes(replica: Inside) -> None:
    passed: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    asked(replica, app, "websocket")
    assert passed == ["websocket"]


@pytest.mark.parametrize(
    ("chosen", "terminal", "as_json"),
    [("json", True, True), ("text", False, False), (None, True, False), (None, False, True)],
)
def test_the_log_is_json_where_nobody_reads_along(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chosen: Literal["json", "text"] | None,
    terminal: bool,
    as_json: bool,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    executor = ExecutorSettings(log_format=chosen)
    assert is_json(settings_in(tmp_path).model_copy(update={"executor": executor})) is as_json


def test_a_replica_goes_on_saying_that_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.0)
    faults = [LedgerError("away")] * 2
    said = threading.Event()

    def beat(engine: object, replica: object) -> None:
        if faults:
            raise faults.pop()
        said.set()

    monkeypatch.setattr(heartbeat, "beat", beat)
    with inside(settings_in(tmp_path)):
        assert said.wait(60)
    assert "away" in caplog.text
