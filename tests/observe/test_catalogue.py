"""Metrics keep the conventions of Prometheus, and to few values of each label."""

import re

import pytest
from prometheus_client import CollectorRegistry

from lakebed.observe.catalogue import BUILD, CATALOGUE, ENGINE, SERVICE, Metric, Type
from lakebed.observe.metrics import Kept, Metrics
from lakebed.observe.relayed import Relayed

UNITS = ("_seconds", "_bytes")
THINGS = ("_info", "_in_flight", "_pending", "_running", "_operations", "_waiting")
STATES = ("_open", "_alive", "_up")
"""What a gauge without a unit counts or says, and of what it says that it is so."""
BOUNDED = {"store", "verb", "code", "kind", "state", "lane", "proof", "group", "version"}
BOUNDED |= {"method", "route", "status"}


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_each_metric_has_a_name_a_unit_and_a_meaning(metric: Metric) -> None:
    assert re.fullmatch(r"lakebed(_[a-z]+)+", metric.name)
    assert metric.help.endswith(".")
    match metric.type:
        case Type.COUNTER:
            assert metric.name.endswith("_total")
        case Type.HISTOGRAM:
            assert metric.name.endswith("_duration_seconds")
            assert metric.buckets == tuple(sorted(metric.buckets))
        case Type.GAUGE:
            assert metric.name.endswith(UNITS + THINGS + STATES)
    assert bool(metric.buckets) == (metric.type is Type.HISTOGRAM)


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_label_takes_few_values(metric: Metric) -> None:
    assert set(metric.labels) <= BOUNDED


def names(registry: CollectorRegistry) -> list[str]:
    return sorted(family.name for family in registry.collect())


def expected(metrics: tuple[Metric, ...]) -> list[str]:
    return sorted(metric.name.removesuffix("_total") for metric in metrics)


def test_each_metric_of_the_engine_is_registered_under_its_name() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    assert names(registry) == expected(ENGINE)


def test_what_a_replica_tells_of_itself_and_of_its_operations_is_all_there_is() -> None:
    registry = CollectorRegistry()
    Kept(registry, (*SERVICE, BUILD))
    registry.register(Relayed())
    assert names(registry) == expected(CATALOGUE)
