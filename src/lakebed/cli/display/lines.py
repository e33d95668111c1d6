"""Plain lines on stderr, for a file, a pipe or a log."""

import sys
from collections.abc import Iterable
from itertools import count
from types import TracebackType
from typing import Self

from lakebed.cli.display.display import Interval, Live, Rate, Value
from lakebed.cli.display.phrases import happening, phrases
from lakebed.cli.output import note, say
from lakebed.model.operation import Kind, Summary
from lakebed.report import text_report
from lakebed.report.json_report import Row

EVERY_SECONDS = 10.0
WRONG = ("failed", "quarantined")
"""Events that are shown without -v."""


class Lines:
    """A line at the start, one now and then, one for what went wrong, and the summary."""

    def __init__(self, every: float = EVERY_SECONDS, objects: bool = False) -> None:
        self._interval = Interval(every)
        self._interval.passed()
        self._rate = Rate()
        self._objects = objects
        self._told = count()

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

    def progress(self, live: Live) -> None:
        rate = self._rate.of(live)
        if self._interval.passed():
            note(", ".join(phrases(live, rate)))

    def event(self, kind: str, fields: dict[str, Value]) -> None:
        line = self._line(kind, fields)
        if line is not None:
            note(line)

    def _line(self, kind: str, fields: dict[str, Value]) -> str | None:
        """What is to be told of an object, or None. A thousand failures are told of as a few."""
        if self._objects:
            return happening(kind, fields)
        if kind not in WRONG:
            return None
        told = next(self._told)
        if told == text_report.SHOWN:
            return "further ones are only counted here (-v shows each)"
        return happening(kind, fields) if told < text_report.SHOWN else None

    def finished(self, summary: Summary, rows: Iterable[Row], kind: Kind) -> None:
        sys.stderr.flush()
        for line in text_report.lines(summary, rows, kind):
            say(line)
