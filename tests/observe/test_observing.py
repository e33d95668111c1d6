"""What a command's settings ask for, and nothing else."""

import sys
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.model.operation import (
    Action,
    Counters,
    Item,
    Kind,
    ObjectState,
    OperationState,
    Outcome,
    Unit,
)
from lakebed.observe.observing import Exposure, observing, tracing
from lakebed.observe.telemetry import SILENT, UNOBSERVED, Levels, Requested, Several
from tests.observe.figures import Figures
from tests.observe.test_traces import Collected, nothing

UNIT = Unit((Item("k", Action.COPY, None),))


def done(unit: Unit) -> list[Outcome]:
    return [Outcome(unit.items[0].key, ObjectState.DONE)]


def test_by_default_nobody_observes() -> None:
    with observing(Exposure(), {}) as observer:
        assert observer is UNOBSERVED


@pytest.mark.parametrize(
    "off",
    [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}],
    ids=["disabled", "no exporter"],
)
def test_the_environment_turns_spans_off(off: dict[str, str]) -> None:
    away = "http://127.0.0.1:1"
    told = Exposure(traces=away)
    with observing(told, {"OTEL_EXPORTER_OTLP_ENDPOINT": away, **off}) as observer:
        assert observer is UNOBSERVED


def test_metrics_and_spans_are_told_side_by_side(tmp_path: Path) -> None:
    told = Exposure("127.0.0.1:0", tmp_path / "lakebed.prom", "http://127.0.0.1:1")
    environ = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}
    with observing(told, environ) as observer:
        assert isinstance(observer, Several)
    with observing(Exposure(metrics_file=tmp_path / "lakebed.prom"), {}) as alone:
        assert not isinstance(alone, Several)


def test_several_observers_hear_the_same() -> None:
    from prometheus_client import CollectorRegistry

    from lakebed.observe import catalogue
    from lakebed.observe.metrics import Metrics
    from lakebed.observe.traces import Traces

    registry, collected = CollectorRegistry(), Collected()
    observer = Several([Metrics(registry), Traces(collected.provider)])
    with observer.operation("1", Kind.SYNC) as telemetry:
        assert telemetry.on
        telemetry.requested(Requested("lake", "h", "get", "lake:b/k", "ok", None, 9, 0.0))
        telemetry.retried("lake", "get", "throttled")
        telemetry.listed("lake", 3)
        telemetry.planned(Counters(listed=3), 0.0)
        telemetry.settled([Outcome("k", ObjectState.DONE)], 0.0)
        with telemetry.levels(lambda: Levels(units_in_flight=1)):
            assert Figures.of(registry).sum(catalogue.IN_FLIGHT) == 1
        assert telemetry.acting(done)(UNIT)[0].key == "k"
        telemetry.ended(OperationState.COMPLETED, None)
    said = Figures.of(registry)
    assert said.sum(catalogue.LISTED_KEYS) == said.sum(catalogue.LISTED) == 3
    assert said.sum(catalogue.RETRIES) == said.sum(catalogue.OBJECTS) == 1
    assert {span.name for span in collected.spans} == {
        *("lakebed sync", "unit", "S3.GetObject", "plan batch", "ledger write")
    }


def test_nobody_minds_being_told() -> None:
    with UNOBSERVED.operation("1", Kind.SYNC) as telemetry:
        assert telemetry is SILENT
        assert not telemetry.on
        assert telemetry.acting(nothing) is nothing
        telemetry.requested(Requested("lake", "h", "get", "lake:b/k", "ok", None, 9, 0.0))
        telemetry.retried("lake", "get", "throttled")
        telemetry.listed("lake", 3)
        telemetry.planned(Counters(), 0.0)
        telemetry.settled([], 0.0)
        with telemetry.levels(Levels):
            telemetry.ended(OperationState.COMPLETED, None)


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the extra."""
    for name in ("exposition", "metrics", "export", "traces"):
        monkeypatch.delitem(sys.modules, f"lakebed.observe.{name}", raising=False)
    for name in ("prometheus_client", "opentelemetry", "opentelemetry.exporter"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("_bare")
def test_what_is_not_installed_is_said_in_one_line(tmp_path: Path) -> None:
    for told in (Exposure(metrics_file=tmp_path / "f"), Exposure(traces="http://127.0.0.1:1")):
        with (
            pytest.raises(ConfigurationError, match=r"pip install 'lakebed\[observe\]'"),
            observing(told, {}),
        ):
            raise AssertionError("nothing is observed")


@pytest.mark.usefixtures("_bare")
def test_a_variable_of_the_machine_fails_no_command(caplog: pytest.LogCaptureFixture) -> None:
    with observing(Exposure(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}) as observer:
        assert observer is UNOBSERVED
    assert "lakebed[observe]" in caplog.text


def test_a_process_that_serves_gets_what_makes_its_spans_where_they_are_asked_for() -> None:
    with tracing(Exposure(), {}) as nothing_asked:
        assert nothing_asked is None
    away = "http://127.0.0.1:1"
    with tracing(Exposure(traces=away), {"OTEL_SDK_DISABLED": "true"}) as off:
        assert off is None
    with tracing(Exposure(), {"OTEL_EXPORTER_OTLP_ENDPOINT": away}) as provider:
        assert provider is not None


@pytest.mark.usefixtures("_bare")
def test_a_process_that_serves_says_what_is_not_installed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = "http://127.0.0.1:1"
    with (
        pytest.raises(ConfigurationError, match=r"pip install 'lakebed\[observe\]'"),
        tracing(Exposure(traces=away), {}),
    ):
        raise AssertionError("nothing is traced")
    with tracing(Exposure(), {"OTEL_EXPORTER_OTLP_ENDPOINT": away}) as provider:
        assert provider is None
    assert "lakebed[observe]" in caplog.text
