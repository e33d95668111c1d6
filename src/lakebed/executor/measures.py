"""The metrics of a replica: of what it is asked, and of the operations that it runs."""

from lakebed import __version__
from lakebed.observe.catalogue import BUILD, SERVICE, Metric


class Unmeasured:
    """Nobody keeps metrics: the package is not installed, or nobody wants them."""

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        return

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        return

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        return

    def tell(self, process: str, line: bytes) -> None:
        """A line that the process of an operation told."""

    def left(self, process: str) -> None:
        """The process of an operation has ended."""

    def text(self) -> bytes | None:
        """The exposition; None where there is none."""
        return None


class Measures(Unmeasured):
    """Raises ImportError without `lakebed[observe]`."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, disable_created_metrics

        from lakebed.observe.metrics import Kept
        from lakebed.observe.relayed import Relayed

        # A second series for each one, and nobody asks when a counter was born.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self._registry = CollectorRegistry()
        self._kept = Kept(self._registry, (*SERVICE, BUILD))
        self._kept.set(BUILD, 1, __version__)
        self._relayed = Relayed()
        self._registry.register(self._relayed)

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        self._kept.add(metric, amount, *labels)

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        self._kept.observe(metric, seconds, *labels)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        self._kept.set(metric, value, *labels)

    def tell(self, process: str, line: bytes) -> None:
        self._relayed.tell(process, line)

    def left(self, process: str) -> None:
        self._relayed.left(process)

    def text(self) -> bytes | None:
        from prometheus_client import generate_latest

        return generate_latest(self._registry)


def measures(wanted: bool = True) -> Unmeasured:
    """What keeps the metrics of a replica, as far as it can."""
    if wanted:
        try:
            return Measures()
        except ImportError:
            pass
    return Unmeasured()
