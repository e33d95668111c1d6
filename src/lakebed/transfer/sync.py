"""The way of an operation: plan, remember, move or prove, then delete what is extra."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import partial

from lakebed.errors import LakebedError, LimitReached, ObjectMissing
from lakebed.model.operation import (
    Action,
    Counters,
    Kind,
    ObjectState,
    Outcome,
    Unit,
)
from lakebed.transfer.move import ENDS_OPERATION, UnitMover
from lakebed.transfer.outcomes import deleted, failed
from lakebed.transfer.plan import Planner, Step
from lakebed.transfer.prove import UnitProver
from lakebed.transfer.recorder import Batch, Recorder
from lakebed.transfer.sides import Sides
from lakebed.transfer.workers import Workers

_UNITS = 250
"""Units after which a batch ends: what one transaction of the ledger remembers."""
_STEPS = 5000
"""Steps in a batch at the most, so that it ends where nothing is to be done, too."""


@dataclass(slots=True)
class _Errors:
    """How many objects may fail before the operation is stopped."""

    sides: Sides
    failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, outcomes: Iterable[Outcome]) -> None:
        with self._lock:
            self.failed += sum(outcome.state is ObjectState.FAILED for outcome in outcomes)
        options = self.sides.options
        limit = 0 if options.fail_fast else options.max_errors
        if self.failed and limit is not None and self.failed > limit:
            option = "--fail-fast" if options.fail_fast else f"--max-errors {limit}"
            self.sides.cancellation.stop(
                LimitReached(f"stopped by {option} after {self.failed} failed objects")
            )


def run(sides: Sides, recorder: Recorder, kind: Kind = Kind.SYNC, settle: float = 1.0) -> None:
    """Do one operation, or go on with it: the recorder knows what an earlier run left.

    Raises what ends an operation as a whole; what happens to single objects is recorded only.
    """
    planner = Planner(sides, recorder, kind)
    act: Callable[[Unit], list[Outcome]]
    if kind is Kind.VERIFY:
        act = UnitProver(sides, recorder)
    else:
        act = UnitMover(sides, recorder, settle=settle)
    limits = _Errors(sides)
    with Workers(sides.options.concurrency, sides.cancellation) as workers:
        for unit in _to_do(recorder, deletions=False):
            workers.submit(partial(_act, sides, act, unit, limits))
        for batch, steps in _batches(planner, recorder.cursor()):
            sides.cancellation.check()
            recorder.planned(batch)
            for step in steps:
                if step.unit is None:
                    continue
                if step.outcomes:
                    recorder.settled(step.outcomes)
                    limits.count(step.outcomes)
                else:
                    workers.submit(partial(_act, sides, act, step.unit, limits))
    if kind is Kind.SYNC and sides.options.delete:
        _delete(sides, recorder, limits)
    if kind is Kind.SYNC and sides.options.delete_source:
        _delete_source(sides, recorder)


def _act(sides: Sides, act: Callable[[Unit], list[Outcome]], unit: Unit, limits: _Errors) -> None:
    with sides.progress.flying(len(unit.items)):
        limits.count(act(unit))


def _to_do(recorder: Recorder, *, deletions: bool) -> Iterator[Unit]:
    for unit in recorder.unfinished():
        if (unit.items[0].action is Action.DELETE) == deletions:
            yield unit


def _batches(planner: Planner, after: str) -> Iterator[tuple[Batch, list[Step]]]:
    """Batches end, where they can, where nothing above the cursor has been decided: nobody who
    goes on from there meets, and counts, a couple again."""
    steps: list[Step] = []
    units, highest = 0, after
    for step in planner.steps(after):
        steps.append(step)
        units += len(step.units)
        highest = max(highest, *(planned.key for planned in step.planned))
        if (units >= _UNITS and step.floor >= highest) or len(steps) >= _STEPS:
            yield _batch(planner, steps)
            steps, units = [], 0
    if steps:
        yield _batch(planner, steps)


def _batch(planner: Planner, planned: list[Step]) -> tuple[Batch, list[Step]]:
    steps = list(planner.quarantined(planned))
    counters = Counters()
    for step in steps:
        _add(counters, step.counters)
    units = tuple(unit for step in steps for unit in step.units)
    return Batch(units, counters, steps[-1].floor), steps


def _add(total: Counters, more: Counters) -> None:
    for counter in fields(Counters):
        name = counter.name
        setattr(total, name, getattr(total, name) + getattr(more, name))


def _delete(sides: Sides, recorder: Recorder, limits: _Errors) -> None:
    """Remove what only the destination has, once everything else is done and all was listed."""
    counted = recorder.counted()
    if counted.extra and not counted.listed:
        raise LimitReached(
            "the source lists no object: nothing is deleted",
            subject=str(sides.source.location),
            advice="is the location right? An empty source is not taken for a deletion",
        )
    most = sides.options.max_delete
    if most is not None and counted.extra > most:
        raise LimitReached(
            f"{counted.extra} objects would be deleted, --max-delete is {most}: none was",
            subject=str(sides.destination.location),
        )
    with Workers(sides.options.concurrency, sides.cancellation) as workers:
        for unit in _to_do(recorder, deletions=True):
            workers.submit(partial(_delete_unit, sides, recorder, limits, unit))


def _delete_unit(sides: Sides, recorder: Recorder, limits: _Errors, unit: Unit) -> None:
    destination = sides.destination
    outcomes = []
    for item in unit.items:
        try:
            destination.store.delete(destination.bucket, destination.location.key(item.key))
        except ENDS_OPERATION:
            raise
        except LakebedError as error:
            outcomes.append(failed(item, error))
        else:
            outcomes.append(deleted(item))
    recorder.settled(outcomes)
    limits.count(outcomes)


def _delete_source(sides: Sides, recorder: Recorder) -> None:
    """Remove from the source what is proved at the destination and remembered as done."""
    refused: list[LakebedError] = []
    with Workers(sides.options.concurrency, sides.cancellation) as workers:
        for arrived in recorder.arrived():
            workers.submit(partial(_delete_moved, sides, recorder, arrived, refused))
    if refused:
        raise LimitReached(
            f"{len(refused)} objects arrived and could not be deleted at the source: {refused[0]}",
            subject=str(sides.source.location),
        )


def _delete_moved(
    sides: Sides, recorder: Recorder, arrived: Outcome, refused: list[LakebedError]
) -> None:
    source = sides.source
    key = source.location.key(arrived.key)
    try:
        if source.store.head(source.bucket, key).etag != arrived.source_etag:
            return  # a newer revision, which has not arrived: it stays for the next run
        source.store.delete(source.bucket, key)
    except ObjectMissing:
        pass  # an earlier run deleted it and was ended before it could say so
    except ENDS_OPERATION:
        raise
    except LakebedError as error:
        refused.append(error)
        return
    recorder.settled([replace(arrived, state=ObjectState.DELETED)])
