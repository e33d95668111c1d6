"""One JSON object a line on stdout, for a program."""

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lakebed.cli.display.display import Interval
from lakebed.cli.output import emit
from lakebed.model.operation import Summary
from lakebed.report.json_report import Row, summary_event
from lakebed.report.text_report import Told

if TYPE_CHECKING:
    from lakebed.operations.watch import Snapshot, Value

EVERY_SECONDS = 1.0
_COUNTERS = (
    "listed",
    "planned",
    "planned_bytes",
    "done",
    "failed",
    "quarantined",
    "deleted",
    "skipped",
    "bytes",
    "in_flight",
    "concurrency",
    "listing",
    "retries",
    "seconds",
)


class Events:
    """Each event as it comes, progress once a second, the summary last."""

    def __init__(self, every: float = EVERY_SECONDS) -> None:
        self._interval = Interval(every)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def started(self, operation_id: str) -> None:
        emit({"event": "started", "operation_id": operation_id})

    def progress(self, live: "Snapshot") -> None:
        if self._interval.passed():
            emit({"event": "progress", **{name: getattr(live, name) for name in _COUNTERS}})

    def event(self, kind: str, fields: "dict[str, Value]") -> None:
        emit({"event": kind, **fields})

    def finished(self, summary: Summary, rows: Iterable[Row], told: Told) -> None:
        emit(summary_event(summary))
