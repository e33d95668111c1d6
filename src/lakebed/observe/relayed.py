"""Metrics of processes that come and go, added up by the one that stays.

Each process tells the values of its samples, never their growth: what is told twice counts once,
and of one that was killed, what it told last holds. Imported only where metrics are wanted: it
needs `lakebed[observe]`.
"""

import json
import threading
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from lakebed.observe.catalogue import BUILD, ENGINE, Metric, Type

Key = tuple[str, tuple[str, ...]]
"""The name of a sample, and the values of its labels, in the order of the catalogue."""

_SUFFIXES = ("_bucket", "_sum", "_count")
_RELAYED = tuple(metric for metric in ENGINE if metric is not BUILD)
_METRICS = {
    name: metric
    for metric in _RELAYED
    for name in (
        [f"{metric.name}{suffix}" for suffix in _SUFFIXES]
        if metric.type is Type.HISTOGRAM
        else [metric.name]
    )
}
"""Each metric by the names of its samples."""


class Changes:
    """What the process of a registry has to tell: the samples that are not as it told last."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._told: dict[Key, float] = {}

    def line(self) -> bytes:
        """One line of JSON; nothing where nothing has changed."""
        changed: list[tuple[str, tuple[str, ...], float]] = []
        for family in self._registry.collect():
            for sample in family.samples:
                key = (sample.name, tuple(sample.labels.values()))
                if self._told.get(key) != sample.value:
                    self._told[key] = sample.value
                    changed.append((*key, sample.value))
        return json.dumps(changed).encode() + b"\n" if changed else b""


class Relayed(Collector):
    """What processes told, in one exposition: a collector for the registry of who stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: dict[Key, float] = {}
        self._running: dict[str, dict[Key, float]] = {}

    def tell(self, process: str, line: bytes) -> None:
        """A line of one of the processes; one that is no such line says nothing."""
        try:
            told = {(name, tuple(values)): float(value) for name, values, value in json.loads(line)}
        except (ValueError, TypeError):
            return
        known = {key: value for key, value in told.items() if key[0] in _METRICS}
        with self._lock:
            self._running.setdefault(process, {}).update(known)

    def left(self, process: str) -> None:
        """The process has ended: what it counted stays, its levels are gone."""
        with self._lock:
            for key, value in self._running.pop(process, {}).items():
                metric = _METRICS[key[0]]
                if _is_moment(metric) or metric.type is not Type.GAUGE:
                    _join(self._ended, key, value)

    def collect(self) -> Iterator[Family]:
        with self._lock:
            total = dict(self._ended)
            for running in self._running.values():
                for key, value in running.items():
                    _join(total, key, value)
        return _families(total)


def _families(total: Mapping[Key, float]) -> Iterator[Family]:
    families = {
        metric: Family(metric.name.removesuffix("_total"), metric.help, metric.type)
        for metric in _RELAYED
    }
    for (name, values), value in total.items():
        metric = _METRICS[name]
        labels = (*metric.labels, "le") if name.endswith("_bucket") else metric.labels
        families[metric].add_sample(name, dict(zip(labels, values, strict=True)), value)
    yield from families.values()


def _join(total: dict[Key, float], key: Key, value: float) -> None:
    before = total.get(key, 0.0)
    total[key] = max(before, value) if _is_moment(_METRICS[key[0]]) else before + value


def _is_moment(metric: Metric) -> bool:
    """Of moments the latest counts, also when who told it is gone."""
    return metric.name.endswith("_timestamp_seconds")
