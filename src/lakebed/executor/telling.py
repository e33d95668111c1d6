"""What the process of an operation tells of it: spans to a collector, metrics to its replica."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from lakebed.observe.observing import Exposure, is_traced, observing
from lakebed.observe.telemetry import UNOBSERVED, Observer, Several
from lakebed.settings import Settings

if TYPE_CHECKING:
    from lakebed.observe.relayed import Changes

EVERY = 1.0
"""Seconds between two words on the metrics."""
PATIENCE = 2.0
"""Seconds that a replica has to take the last word."""


def preloaded(settings: Settings) -> list[str]:
    """The modules that the process of each operation needs for it."""
    metrics = ["lakebed.observe.metrics", "lakebed.observe.relayed"]
    names = [] if settings.executor.metrics == "off" else metrics
    if is_traced(Exposure(traces=settings.observe.traces), os.environ):
        names.append("lakebed.observe.export")
    return names


@contextmanager
def telling(settings: Settings, trace: str | None, metrics: Connection) -> Iterator[Observer]:
    """The observer of an operation, whose span goes on with the trace of its request."""
    environ = {**os.environ, "TRACEPARENT": trace or "", "TRACESTATE": ""}
    with ExitStack() as stack:
        spans = stack.enter_context(observing(Exposure(traces=settings.observe.traces), environ))
        counts = None if settings.executor.metrics == "off" else _counting(stack, metrics)
        if counts is None:
            yield spans
        else:
            yield counts if spans is UNOBSERVED else Several([counts, spans])


def _counting(stack: ExitStack, metrics: Connection) -> Observer | None:
    try:
        from prometheus_client import CollectorRegistry, disable_created_metrics

        from lakebed.observe.metrics import Metrics
        from lakebed.observe.relayed import Changes
    except ImportError:
        return None
    disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
    registry = CollectorRegistry()
    counts = Metrics(registry)
    stack.enter_context(_told(Changes(registry), metrics))
    return counts


@contextmanager
def _told(changes: "Changes", metrics: Connection) -> Iterator[None]:
    """Every second of the scope, and at its end, from a thread: a replica that does not read, or
    is gone, stops nothing."""
    ended = threading.Event()

    def tell() -> None:
        try:
            while not ended.wait(EVERY):
                _write(metrics, changes.line())
            _write(metrics, changes.line())
        except OSError:
            return

    telling = threading.Thread(target=tell, name="lakebed-metrics", daemon=True)
    telling.start()
    try:
        yield
    finally:
        ended.set()
        telling.join(PATIENCE)


def _write(metrics: Connection, line: bytes) -> None:
    while line:
        line = line[os.write(metrics.fileno(), line) :]
