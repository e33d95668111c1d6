"""Nothing but what went wrong (`-q`)."""

from collections.abc import Iterable

from lakebed.cli.display.display import Live, Value
from lakebed.cli.display.lines import Lines
from lakebed.cli.output import note
from lakebed.model.operation import Kind, OperationState, Summary
from lakebed.report import text_report
from lakebed.report.json_report import Row


class Quiet(Lines):
    """Says what failed, at the end, on stderr."""

    def started(self, operation_id: str) -> None:
        pass

    def progress(self, live: Live) -> None:
        pass

    def event(self, kind: str, fields: dict[str, Value]) -> None:
        pass

    def finished(self, summary: Summary, rows: Iterable[Row], kind: Kind) -> None:
        if summary.state is not OperationState.COMPLETED:
            for line in text_report.lines(summary, rows, kind):
                note(line)
