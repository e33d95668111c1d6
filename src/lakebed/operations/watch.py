"""Whoever watches a run: told that it began, how far it is, and what happens to objects."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from lakebed.model.operation import Counters, ObjectState, Outcome, Request, Unit
from lakebed.observe.log import redact
from lakebed.observe.telemetry import SILENT, Levels, Telemetry
from lakebed.operations.lease import Lease
from lakebed.operations.recorder import LedgerRecorder
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.progress import Progress
from lakebed.transfer.recorder import Batch
from lakebed.transfer.sides import Sides

INTERVAL = 0.25
"""Seconds between two words on the progress."""

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a run is. Objects, bytes, and seconds since it began."""

    listed: int
    planned: int
    planned_bytes: int
    skipped: int
    done: int
    failed: int
    quarantined: int
    deleted: int
    bytes: int
    in_flight: int
    listing: bool
    """Whether more may still be planned: the totals are none yet."""
    retries: int
    seconds: float
    concurrency: int = 0
    """Objects that may be in flight now: the level that the stores' paces have found."""
    last: bool = False
    """Nothing comes after it in this run."""


class Watch(Protocol):
    """Called from threads of the run; must not raise."""

    def started(self, operation_id: str) -> None: ...

    def progress(self, live: Snapshot) -> None: ...

    def event(self, kind: str, fields: dict[str, Value]) -> None: ...


class Unwatched:
    """Nobody watches."""

    def started(self, operation_id: str) -> None:
        return

    def progress(self, live: Snapshot) -> None:
        return

    def event(self, kind: str, fields: dict[str, Value]) -> None:
        return


class WatchedRecorder(LedgerRecorder):
    """The recorder, overheard: what it is told is passed on to a watch; what is durable then, to
    the telemetry."""

    def __init__(
        self,
        request: Request,
        lease: Lease,
        cancellation: Cancellation,
        watch: Watch,
        telemetry: Telemetry = SILENT,
    ) -> None:
        super().__init__(request, lease, cancellation)
        self.watch = watch
        self._telemetry = telemetry
        self._counters = Counters()
        self._has_begun = False

    def unfinished(self) -> Iterator[Unit]:
        """What an earlier run left is to be done by this one: it counts as planned. Later it is
        this run's own plan that is asked for."""
        is_left, self._has_begun = not self._has_begun, True
        for unit in super().unfinished():
            if is_left:
                sizes = [item.source.size for item in unit.items if item.source]
                self._counters.add(Counters(planned=len(unit.items), planned_bytes=sum(sizes)))
            yield unit

    def planned(self, batch: Batch) -> None:
        began = time.monotonic()
        super().planned(batch)
        self._telemetry.planned(batch.counters, time.monotonic() - began)
        self._counters.add(batch.counters)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        super().settled(outcomes)
        for outcome in outcomes:
            kind = "copied" if outcome.state is ObjectState.DONE else outcome.state.value
            self.watch.event(kind, _fields(outcome))

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        began = time.monotonic()
        super()._write(outcomes)
        self._telemetry.settled(outcomes, time.monotonic() - began)

    def levels(self, sides: Sides) -> Levels:
        live, budget = self.live, sides.budget
        settled = live.done + live.failed + live.quarantined + live.deleted
        return Levels(
            units_in_flight=sides.progress.in_flight,
            # What was moved is settled twice.
            objects_pending=max(0, self._counters.planned - settled),
            budget_held=budget.held,
            budget_limit=budget.limit,
        )

    def snapshot(self, progress: Progress, seconds: float) -> Snapshot:
        live, counters = self.live, self._counters
        return Snapshot(
            listed=counters.listed,
            planned=counters.planned,
            planned_bytes=counters.planned_bytes,
            skipped=counters.skipped,
            done=live.done,
            failed=live.failed,
            quarantined=live.quarantined,
            deleted=live.deleted,
            # What passes is ahead of what is done; what the store copies by itself never passes.
            bytes=max(live.bytes, progress.passed),
            in_flight=progress.in_flight,
            listing=progress.listing,
            retries=progress.retries,
            seconds=seconds,
            concurrency=progress.concurrency,
        )

    @contextmanager
    def told(self, progress: Progress) -> Iterator[None]:
        """Tell the watch how far the run is, from a thread of its own, while the scope lasts."""
        began, ended = time.monotonic(), threading.Event()

        def tell() -> None:
            while not ended.wait(INTERVAL):
                self.watch.progress(self.snapshot(progress, time.monotonic() - began))

        teller = threading.Thread(target=tell, name="lakebed-progress")
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()
            live = self.snapshot(progress, time.monotonic() - began)
            self.watch.progress(replace(live, last=True))


def _fields(outcome: Outcome) -> dict[str, Value]:
    told: dict[str, Value] = {"key": outcome.key, "size": outcome.size}
    for name in ("lane", "proof", "error", "message"):
        value = getattr(outcome, name)
        if value is not None:
            told[name] = redact(str(value)) if name == "message" else str(value)
    return told
