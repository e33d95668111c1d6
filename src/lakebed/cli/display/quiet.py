"""Nothing but what went wrong (`-q`)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lakebed.cli.display.lines import Lines
from lakebed.cli.output import note
from lakebed.model.operation import OperationState, Summary
from lakebed.report import text_report
from lakebed.report.json_report import Row
from lakebed.report.text_report import Told

if TYPE_CHECKING:
    from lakebed.operations.watch import Snapshot, Value


class Quiet(Lines):
    """Says what failed, at the end, on stderr."""

    def started(self, operation_id: str) -> None:
        pass

    def progress(self, live: "Snapshot") -> None:
        pass

    def event(self, kind: str, fields: "dict[str, Value]") -> None:
        pass

    def finished(self, summary: Summary, rows: Iterable[Row], told: Told) -> None:
        if summary.state is not OperationState.COMPLETED and not text_report.never_began(summary):
            for line in text_report.lines(summary, rows, told):
                note(line)
