"""What shows a running operation: a watch for the platform, and a word at the end."""

import time
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from lakebed.model.operation import Summary
from lakebed.report.json_report import Row
from lakebed.report.text_report import Told

if TYPE_CHECKING:
    from lakebed.operations.watch import Snapshot, Value


class Display(Protocol):
    """Entered around an operation. Its calls may come from any thread, and never raise for an
    output that is gone: an operation does not fail because nobody watches."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def started(self, operation_id: str) -> None: ...

    def progress(self, live: "Snapshot") -> None: ...

    def event(self, kind: str, fields: "dict[str, Value]") -> None: ...

    def finished(self, summary: Summary, rows: Iterable[Row], told: Told) -> None:
        """Say how it ended; called after the context was left."""
        ...


class Rate:
    """Bytes a second over the last seconds, so that a stall shows and a start is forgotten."""

    WINDOW = 10.0

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque([(0.0, 0)])

    def of(self, live: "Snapshot") -> float:
        self._samples.append((live.seconds, live.bytes))
        while len(self._samples) > 2 and live.seconds - self._samples[1][0] >= self.WINDOW:
            self._samples.popleft()
        seconds, done = self._samples[0]
        passed = live.seconds - seconds
        return max(0.0, (live.bytes - done) / passed) if passed > 0 else 0.0


class Interval:
    """True at most once in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    def passed(self, now: float | None = None) -> bool:
        now = time.monotonic() if now is None else now
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
