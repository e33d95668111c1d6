"""The metrics of the catalogue, kept by prometheus-client in the registry of whoever exposes them.

Imported only where metrics are wanted: it needs `lakebed[observe]`.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lakebed import __version__
from lakebed.errors import LakebedError
from lakebed.model.operation import Counters, Kind, ObjectState, OperationState, Outcome
from lakebed.observe import catalogue
from lakebed.observe.catalogue import Metric
from lakebed.observe.telemetry import Levels, Requested, Silent, Telemetry

_PLAN = {
    "listed": catalogue.LISTED,
    "skipped": catalogue.SKIPPED,
    "extra": catalogue.EXTRA,
    "halves": catalogue.HALVES,
    "planned": catalogue.PLANNED,
    "planned_bytes": catalogue.PLANNED_BYTES,
}
"""The metric of each counter of the plan."""


class Kept:
    """Metrics of the catalogue in a registry. One for each registry: names are taken once."""

    def __init__(self, registry: CollectorRegistry, metrics: Iterable[Metric]) -> None:
        self._counters: dict[Metric, Counter] = {}
        self._gauges: dict[Metric, Gauge] = {}
        self._histograms: dict[Metric, Histogram] = {}
        for metric in metrics:
            name, meaning, labels = metric.name, metric.help, metric.labels
            match metric.type:
                case catalogue.Type.COUNTER:
                    self._counters[metric] = Counter(name, meaning, labels, registry=registry)
                case catalogue.Type.GAUGE:
                    self._gauges[metric] = Gauge(name, meaning, labels, registry=registry)
                case catalogue.Type.HISTOGRAM:
                    self._histograms[metric] = Histogram(
                        name, meaning, labels, buckets=metric.buckets, registry=registry
                    )

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        counter = self._counters[metric]
        (counter.labels(*labels) if labels else counter).inc(amount)

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        histogram = self._histograms[metric]
        (histogram.labels(*labels) if labels else histogram).observe(seconds)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        gauge = self._gauges[metric]
        (gauge.labels(*labels) if labels else gauge).set(value)


class Metrics(Kept):
    """An observer of all operations of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry, catalogue.ENGINE)
        self._requests: dict[tuple[str, str, str], _Request] = {}
        self._objects: dict[tuple[str, str, str, str], _Objects] = {}
        self.running = _Running()
        self.set(catalogue.BUILD, 1, __version__)
        for metric, field in (
            (catalogue.IN_FLIGHT, "units_in_flight"),
            (catalogue.PENDING, "objects_pending"),
            (catalogue.BUDGET_HELD, "budget_held"),
            (catalogue.BUDGET_LIMIT, "budget_limit"),
        ):
            self._gauges[metric].set_function(self.running.sum_of(field))

    @contextmanager
    def operation(self, operation_id: str, kind: Kind) -> Iterator[Telemetry]:
        running = self._gauges[catalogue.RUNNING].labels(kind)
        seconds = self._histograms[catalogue.OPERATION_SECONDS].labels(kind)
        with running.track_inprogress(), seconds.time():
            yield _Operation(self, kind)

    def request(self, store: str, verb: str, code: str) -> "_Request":
        """What a request of this kind is counted in, found again without the labels' own search,
        which costs more than the counting."""
        key = (store, verb, code)
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = _Request(
                self._counters[catalogue.REQUESTS].labels(store, verb, code),
                self._histograms[catalogue.REQUEST_SECONDS].labels(store, verb),
                self._counters[catalogue.SENT].labels(store),
                self._counters[catalogue.RECEIVED].labels(store),
            )
        return found

    def objects(self, kind: str, state: str, lane: str, proof: str) -> "_Objects":
        """What objects that ended so are counted in, found again as cheaply."""
        key = (kind, state, lane, proof)
        found = self._objects.get(key)
        if found is None:
            found = self._objects[key] = _Objects(
                self._counters[catalogue.OBJECTS].labels(*key),
                self._counters[catalogue.OBJECT_BYTES].labels(kind, lane),
                self._histograms[catalogue.OBJECT_SECONDS].labels(kind, lane),
            )
        return found


@dataclass(frozen=True, slots=True)
class _Objects:
    count: Counter
    bytes: Counter
    seconds: Histogram


@dataclass(frozen=True, slots=True)
class _Request:
    count: Counter
    seconds: Histogram
    sent: Counter
    received: Counter


class _Running:
    """The levels of the runs of this process, read when somebody asks for metrics."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reads: list[Callable[[], Levels]] = []

    @contextmanager
    def reading(self, read: Callable[[], Levels]) -> Iterator[None]:
        with self._lock:
            self._reads.append(read)
        try:
            yield
        finally:
            with self._lock:
                self._reads.remove(read)

    def sum_of(self, field: str) -> Callable[[], float]:
        def total() -> float:
            with self._lock:
                return float(sum(getattr(read(), field) for read in self._reads))

        return total


class _Operation(Silent):
    """What one operation tells, under its kind."""

    def __init__(self, metrics: Metrics, kind: Kind) -> None:
        self._metrics, self._kind = metrics, kind

    @property
    def on(self) -> bool:
        return True

    def requested(self, request: Requested) -> None:
        counted = self._metrics.request(request.store, request.verb, request.code)
        counted.count.inc()
        counted.seconds.observe(request.seconds)
        if request.sent:
            counted.sent.inc(request.sent)
        if request.received:
            counted.received.inc(request.received)

    def retried(self, store: str, verb: str, code: str) -> None:
        self._metrics.add(catalogue.RETRIES, 1, store, verb, code)

    def listed(self, store: str, keys: int) -> None:
        self._metrics.add(catalogue.LISTED_KEYS, keys, store)

    def planned(self, counters: Counters, seconds: float) -> None:
        self._metrics.observe(catalogue.LEDGER_SECONDS, seconds, "plan")
        for name, metric in _PLAN.items():
            self._metrics.add(metric, getattr(counters, name), self._kind)

    def settled(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        self._metrics.observe(catalogue.LEDGER_SECONDS, seconds, "outcomes")
        for outcome in outcomes:
            counted = self._metrics.objects(
                self._kind, outcome.state, outcome.lane or "", outcome.proof or ""
            )
            counted.count.inc()
            if outcome.state is ObjectState.DONE:
                counted.bytes.inc(outcome.size)
                counted.seconds.observe(outcome.seconds)
            elif outcome.error:
                self._metrics.add(catalogue.REFUSALS, 1, self._kind, outcome.error)

    @contextmanager
    def levels(self, read: Callable[[], Levels]) -> Iterator[None]:
        with self._metrics.running.reading(read):
            yield

    def ended(self, state: OperationState, error: LakebedError | None) -> None:
        self._metrics.add(catalogue.OPERATIONS, 1, self._kind, state)
        self._metrics.set(catalogue.OPERATION_ENDED, time.time(), self._kind, state)
