"""What the process of an operation tells its replica, and that it waits for none."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from lakebed.executor import telling as module
from lakebed.executor.telling import preloaded, telling
from lakebed.model.operation import Counters, Kind
from lakebed.observe import catalogue
from lakebed.observe.relayed import Relayed
from lakebed.observe.telemetry import UNOBSERVED, Several
from lakebed.settings.executor import ExecutorSettings
from lakebed.settings.observe import ObserveSettings
from tests.executor.inprocess import settings_in
from tests.observe.figures import Figures
from tests.observe.test_export import Collector
from tests.observe.test_traces import PARENT


@pytest.fixture
def pipe() -> Iterator[tuple[Connection, Connection]]:
    hears, tells = Pipe(duplex=False)
    with hears, tells:
        yield hears, tells


def test_the_last_word_says_all(tmp_path: Path, pipe: tuple[Connection, Connection]) -> None:
    hears, tells = pipe
    with (
        telling(settings_in(tmp_path), None, tells) as observer,
        observer.operation("1", Kind.SYNC) as telemetry,
    ):
        telemetry.planned(Counters(listed=7), 0.1)
    relayed, registry = Relayed(), CollectorRegistry()
    for line in os.read(hears.fileno(), 1 << 20).splitlines():
        relayed.tell("1", line)
    registry.register(relayed)
    assert Figures.of(registry).sum(catalogue.LISTED) == 7


def test_it_is_told_while_it_lasts(
    tmp_path: Path, pipe: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    hears, tells = pipe
    with telling(settings_in(tmp_path), None, tells):
        assert hears.poll(60)


@pytest.mark.parametrize("why", ["the replica is gone", "the replica does not read"])
def test_a_replica_that_takes_nothing_stops_nothing(
    tmp_path: Path,
    pipe: tuple[Connection, Connection],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    hears, tells = pipe
    if why == "the replica is gone":
        hears.close()
    else:
        monkeypatch.setattr(module, "PATIENCE", 0.01)
        os.set_blocking(tells.fileno(), False)
        with suppress(BlockingIOError):
            while os.write(tells.fileno(), b"x" * 4096):
                pass
        os.set_blocking(tells.fileno(), True)
    with telling(settings_in(tmp_path), None, tells) as observer:
        assert observer is not UNOBSERVED
    if not hears.closed:
        os.read(hears.fileno(), 1 << 20)  # its thread ends


@pytest.mark.parametrize("why", ["not wanted", "not installed"])
def test_without_metrics_nothing_is_told(
    tmp_path: Path,
    pipe: tuple[Connection, Connection],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    settings = settings_in(tmp_path)
    if why == "not wanted":
        settings = settings.model_copy(update={"executor": ExecutorSettings(metrics="off")})
    else:
        monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with telling(settings, None, pipe[1]) as observer:
        assert observer is UNOBSERVED


def test_spans_go_on_with_the_trace_of_the_request_and_of_nothing_else(
    tmp_path: Path, pipe: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", PARENT.replace("4bf9", "0000"))
    with Collector() as collector:
        told = {"observe": ObserveSettings(traces=collector.url)}
        settings = settings_in(tmp_path).model_copy(update=told)
        with telling(settings, PARENT, pipe[1]) as observer:
            assert isinstance(observer, Several)
            with observer.operation("1", Kind.SYNC):
                pass
    ((_, sent),) = collector.taken
    (span,) = sent.resource_spans[0].scope_spans[0].spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == tuple(PARENT.split("-")[1:3])


def test_only_what_is_told_is_loaded_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert "lakebed.observe.export" not in preloaded(settings)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert all(importlib.util.find_spec(name) for name in preloaded(settings))
    off = settings.model_copy(update={"executor": ExecutorSettings(metrics="off")})
    assert preloaded(off) == ["lakebed.observe.export"]
