"""The observer that a command's settings ask for, and what it exposes, for as long as it runs."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakebed.errors import ConfigurationError
from lakebed.observe.telemetry import UNOBSERVED, Observer, Several

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_log = logging.getLogger(__name__)
_OTLP = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@dataclass(frozen=True, slots=True)
class Exposure:
    """Where metrics and spans go; None: nowhere."""

    metrics_listen: str | None = None
    """HOST:PORT."""
    metrics_file: Path | None = None
    traces: str | None = None
    """The base URL of an OTLP collector. The environment comes before it."""


@contextmanager
def observing(exposure: Exposure, environ: Mapping[str, str]) -> Iterator[Observer]:
    """The observer of a process of our own, which exposes what it was told, to the end of the
    scope. Raises ConfigurationError where something is wrong or missing for what was asked."""
    with ExitStack() as stack:
        observers: list[Observer] = []
        if exposure.metrics_listen or exposure.metrics_file:
            observers.append(_metrics(exposure, stack))
        if traces := _traces(exposure, environ, stack):
            observers.append(traces)
        match observers:
            case []:
                yield UNOBSERVED
            case [one]:
                yield one
            case _:
                yield Several(observers)


def _metrics(exposure: Exposure, stack: ExitStack) -> Observer:
    try:
        from prometheus_client import CollectorRegistry, disable_created_metrics

        from lakebed.observe.exposition import served, written
        from lakebed.observe.metrics import Metrics
    except ImportError as absent:
        raise _missing("metrics", absent) from None
    # A second series for each one, and nobody asks when a counter of a short process was born.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    if exposure.metrics_file:
        stack.enter_context(written(registry, exposure.metrics_file))
    if exposure.metrics_listen:
        port = stack.enter_context(served(registry, exposure.metrics_listen))
        _log.info("metrics are served at port %d", port)
    return metrics


def _traces(exposure: Exposure, environ: Mapping[str, str], stack: ExitStack) -> Observer | None:
    with _installed(exposure):
        if is_traced(exposure, environ):
            from lakebed.observe.export import exported

            return stack.enter_context(exported(environ, _endpoint(exposure, environ)))
    return None


@contextmanager
def tracing(exposure: Exposure, environ: Mapping[str, str]) -> Iterator["TracerProvider | None"]:
    """What makes the spans of a process that serves; None where nobody asks for any.

    Raises ConfigurationError as `observing` does.
    """
    with ExitStack() as stack:
        provider = None
        with _installed(exposure):
            if is_traced(exposure, environ):
                from lakebed.observe.export import provided

                provider = stack.enter_context(provided(_endpoint(exposure, environ)))
        yield provider


def is_traced(exposure: Exposure, environ: Mapping[str, str]) -> bool:
    """Whether anybody asks for spans."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return bool(exposure.traces) or _says(environ)


def _says(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in _OTLP)


def _endpoint(exposure: Exposure, environ: Mapping[str, str]) -> str | None:
    return None if _says(environ) else exposure.traces


@contextmanager
def _installed(exposure: Exposure) -> Iterator[None]:
    try:
        yield
    except ImportError as absent:
        if exposure.traces:
            raise _missing("spans", absent) from None
        # Set for every process of a machine, perhaps: no reason for this one to fail.
        _log.warning("OTEL_… variables are set, but %s", _missing("spans", absent))


def _missing(what: str, absent: ImportError) -> ConfigurationError:
    return ConfigurationError(
        f"{what} need a package that is not installed ({absent.name})",
        advice="pip install 'lakebed[observe]'",
    )
