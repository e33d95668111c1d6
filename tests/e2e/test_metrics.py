"""Metrics and spans of the real command, between real stores."""

import json
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from lakebed.errors import Exit
from lakebed.model.location import Location
from lakebed.model.operation import Kind, Request
from lakebed.observe import catalogue, exposition
from lakebed.observe.metrics import Metrics
from lakebed.operations.run import Platform
from lakebed.settings import Settings, StoreSettings
from tests.e2e.buckets import Bucket, pair, pairs
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served
from tests.observe.figures import Figures
from tests.observe.test_export import Collector
from tests.observe.test_exposition import scraped
from tests.observe.test_metrics import agree


@pytest.fixture
def locations(source: Bucket, destination: Bucket) -> tuple[str, str]:
    return f"here:{source.name}", f"there:{destination.name}"


@pytest.fixture
def named(served: Served, tmp_path: Path) -> Settings:
    """The server, twice."""
    hosts = {"here": served.endpoint, "there": served.endpoint.replace("127.0.0.1", "localhost")}
    keys = {
        "access_key": SecretStr(served.access_key),
        "secret_key": SecretStr(served.secret_key),
    }
    stores = {
        name: StoreSettings.model_validate({"name": name, "endpoint": endpoint, **keys})
        for name, endpoint in hosts.items()
    }
    return Settings(state=tmp_path, stores=stores)


def test_what_is_scraped_is_what_was_moved(
    named: Settings, source: Bucket, locations: tuple[str, str]
) -> None:
    content = pairs(20)
    source.fill(content)
    registry = CollectorRegistry()
    ends = [Location.parse(location) for location in locations]
    with (
        exposition.served(registry, "127.0.0.1:0") as port,
        Platform(named, observer=Metrics(registry)) as platform,
    ):
        copied = platform.sync(Request(ends[0], ends[1]))
        said = scraped(port)
        agree(said, copied)
        size = sum(map(len, content.values()))
        assert said.sum(catalogue.RECEIVED, store="here") == size
        assert said.sum(catalogue.REQUESTS, store="here", verb="get", code="ok") == 40
        proved = platform.sync(Request(ends[0], ends[1], Kind.VERIFY))
        after = scraped(port)
    assert after.by(catalogue.OBJECTS, "proof", kind="verify") == proved.proofs
    assert after.sum(catalogue.OPERATIONS, state="completed") == 2


def test_a_file_of_metrics_agrees_with_the_summary_and_holds_no_secret(
    lakebed: Lakebed, served: Served, source: Bucket, locations: tuple[str, str]
) -> None:
    source.fill(pair("good.zip", b"good") | pair("bad.zip", b"bad") | {"bad.zip": b"damaged"})

    ended = lakebed("sync", *locations, "--json", "--metrics-file", "lakebed.prom")

    assert ended.code == Exit.QUARANTINED
    text = (lakebed.folder / "lakebed.prom").read_text()
    said = Figures(text)
    assert said.by(catalogue.OBJECTS, "state") == {"done": 2, "quarantined": 2}
    assert said.by(catalogue.OBJECTS, "proof") == ended.summary["proofs"]
    assert said.sum(catalogue.OBJECT_BYTES) == ended.summary["bytes"]
    assert served.secret_key not in text
    assert "_created" not in text
    assert "good.zip" not in text
    assert source.name not in text


def test_a_port_that_is_taken_ends_the_command_before_it_begins(
    lakebed: Lakebed, locations: tuple[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = lakebed("sync", *locations, "--metrics-listen", address)
    assert ended.code == Exit.USAGE
    assert ended.complaint.startswith(f"lakebed: {address}: metrics cannot be served here")
    assert json.loads(lakebed("operations", "--json").out or "[]") == []


def test_spans_of_the_command_reach_a_collector(
    lakebed: Lakebed, served: Served, source: Bucket, locations: tuple[str, str]
) -> None:
    source.fill(pair("good.zip", b"good"))
    with Collector() as collector:
        told = lakebed.but(LAKEBED_OBSERVE__TRACES=collector.url)
        ended = told("sync", *locations, "--json")
    assert ended.code == Exit.COMPLETED
    groups = [group for _, sent in collector.taken for group in sent.resource_spans]
    spans = [span for group in groups for scope in group.scope_spans for span in scope.spans]
    assert {"lakebed sync", "unit", "S3.GetObject", "S3.PutObject"} <= {s.name for s in spans}
    assert len({span.trace_id for span in spans}) == 1
    assert [span.name for span in spans if not span.parent_span_id] == ["lakebed sync"]
    assert all(served.secret_key not in str(sent) for _, sent in collector.taken)


def test_a_collector_that_is_away_changes_nothing_but_a_line(
    lakebed: Lakebed, source: Bucket, locations: tuple[str, str]
) -> None:
    source.fill(pair("good.zip", b"good"))
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    told = lakebed.but(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    ended = told("sync", *locations, "--json")
    assert ended.code == Exit.COMPLETED
    assert ended.counts("copied") == (2,)
    assert len(ended.err.splitlines()) <= 3
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("value", "reason"),
    [("ftp://x", "write http://HOST:4318"), ("http://me:hush@x", "OTEL_EXPORTER_OTLP_HEADERS")],
)
def test_a_collector_that_cannot_be_is_refused(lakebed: Lakebed, value: str, reason: str) -> None:
    ended = lakebed.but(LAKEBED_OBSERVE__TRACES=value)("operations")
    assert ended.code == Exit.USAGE
    assert reason in ended.complaint
    assert "hush" not in ended.err
