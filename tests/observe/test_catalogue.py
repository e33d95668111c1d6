"""Metrics keep the conventions of Prometheus, and to few values of each label."""

import re

import pytest
from prometheus_client import CollectorRegistry

from lakebed.observe.catalogue import CATALOGUE, Metric, Type
from lakebed.observe.metrics import Metrics

UNITS = ("_seconds", "_bytes")
THINGS = ("_info", "_in_flight", "_pending", "_running")
"""What a gauge without a unit counts or says."""
BOUNDED = {"store", "verb", "code", "kind", "state", "lane", "proof", "group", "version"}


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
            assert metric.name.endswith(UNITS + THINGS)
    assert bool(metric.buckets) == (metric.type is Type.HISTOGRAM)


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_label_takes_few_values(metric: Metric) -> None:
    assert set(metric.labels) <= BOUNDED


def test_each_metric_is_registered_under_its_name() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    families = {family.name for family in registry.collect()}
    assert families == {metric.name.removesuffix("_total") for metric in CATALOGUE}
    assert len(families) == len(CATALOGUE)
