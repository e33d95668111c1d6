"""Plain lines on stderr, for a file, a pipe or a log."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lakebed.cli.display.display import Interval, Rate
from lakebed.cli.display.phrases import happening, phrases
from lakebed.cli.output import note, say
from lakebed.model.operation import Summary
from lakebed.report import text_report
from lakebed.report.json_report import Row
from lakebed.report.text_report import Told

if TYPE_CHECKING:
    from lakebed.operations.watch import Snapshot, Value

EVERY_SECONDS = 10.0


class Lines:
    """A line at the start, one now and then, with -v one for each object, and the summary."""

    def __init__(self, every: float = EVERY_SECONDS, objects: bool = False) -> None:
        self._interval = Interval(every)
        self._interval.passed()
        self._rate = Rate()
        self._objects = objects

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
        note(f"operation {operation_id} started")

    def progress(self, live: "Snapshot") -> None:
        rate = self._rate.of(live)
        if self._interval.passed():
            note(", ".join(phrases(live, rate)))

    def event(self, kind: str, fields: "dict[str, Value]") -> None:
        if self._objects:
            note(happening(kind, fields))

    def finished(self, summary: Summary, rows: Iterable[Row], told: Told) -> None:
        sys.stderr.flush()
        if text_report.never_began(summary):
            return
        if self._objects:
            told = replace(told, shown=0)  # each was named as it was refused
        for line in text_report.lines(summary, rows, told):
            say(line)
