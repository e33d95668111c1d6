"""Reading metrics as Prometheus does: from their text."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from lakebed.observe.catalogue import Metric


class Figures:
    """The samples of an exposition, by name and labels; 0 for what is not there."""

    def __init__(self, text: str) -> None:
        self.samples: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self.samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    @classmethod
    def of(cls, registry: CollectorRegistry) -> "Figures":
        return cls(generate_latest(registry).decode())

    def sum(self, metric: Metric | str, **labels: str) -> float:
        """Over all samples that have these labels."""
        name = metric if isinstance(metric, str) else metric.name
        return sum(
            value
            for found, value in self.samples.get(name, [])
            if labels.items() <= dict(found).items()
        )

    def by(self, metric: Metric, label: str, **labels: str) -> dict[str, int]:
        """The sums by one label, without those of 0 and of an empty label."""
        values = {found[label] for found, _ in self.samples.get(metric.name, []) if found[label]}
        sums = {value: int(self.sum(metric, **{label: value}, **labels)) for value in values}
        return {value: count for value, count in sums.items() if count}

    def count(self, metric: Metric, **labels: str) -> float:
        """Observations of a histogram."""
        return self.sum(f"{metric.name}_count", **labels)
