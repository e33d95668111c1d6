"""The way of an operation: plan, remember, move or prove, then delete what is extra."""

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import filterfalse

from lakebed.errors import LakebedError, LimitReached
from lakebed.model.operation import Counters, Kind, ObjectState, Outcome, Unit
from lakebed.transfer.again import Again
from lakebed.transfer.brought import with_digests
from lakebed.transfer.delete import delete_extra, delete_moved
from lakebed.transfer.lanes.packed import Fetched, Packed
from lakebed.transfer.lanes.server_side_batch import Checked, ServerSideBatch
from lakebed.transfer.move import UnitMover, ends_operation
from lakebed.transfer.outcomes import failed
from lakebed.transfer.plan import Planner, Step
from lakebed.transfer.prove import UnitProver
from lakebed.transfer.recorder import Batch, Recorder
from lakebed.transfer.sides import Sides
from lakebed.transfer.together import Count, Together
from lakebed.transfer.workers import Workers

Act = Callable[[Unit], list[Outcome]]

_UNITS = 250
"""Units after which a batch ends: what one transaction of the ledger remembers."""
_STEPS = 5000
"""Steps in a batch at the most, so that it ends where nothing is to be done, too."""
_LISTED = 25_000
"""Listed objects in a batch, about: most of them may be in stretches that are one step each."""


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
    sides = replace(sides, uploads=recorder.uploads)
    planner, again = Planner(sides, recorder, kind), Again(sides, recorder, kind)
    limits = _Errors(sides)
    alone = UnitMover(sides, recorder, settle=settle)
    together = _together(sides, recorder, alone, limits.count) if kind is Kind.SYNC else None
    do = (together or alone) if kind is Kind.SYNC else UnitProver(sides, recorder)
    act = sides.telemetry.acting(do)
    with Workers(sides.width, sides.cancellation) as workers:
        left = filterfalse(lambda unit: unit.deletes, recorder.unfinished())
        for unit in with_digests(sides, recorder, left):
            go_on = partial(_go_on, sides, again, recorder, act)
            workers.submit(partial(_act, sides, go_on, unit, limits))
        with closing(_batches(planner, recorder.cursor())) as batches:
            for batch, steps in batches:
                sides.cancellation.check()
                recorder.planned(batch)
                for step in steps:
                    if step.outcomes:
                        recorder.settled(step.outcomes)
                        limits.count(step.outcomes)
                open_units = (step.unit for step in steps if step.unit and not step.outcomes)
                for unit in with_digests(sides, recorder, open_units):
                    workers.submit(partial(_act, sides, act, unit, limits))
        sides.progress.listing = False
    if together is not None:
        together.finish()
        sides.cancellation.check()
    if kind is Kind.SYNC and sides.options.delete:
        delete_extra(sides, recorder, limits.count)
    if kind is Kind.SYNC and sides.options.delete_source:
        delete_moved(sides, recorder)


def _together(
    sides: Sides, recorder: Recorder, alone: UnitMover, count: Count
) -> Together[Checked] | Together[Fetched] | None:
    if (copied := ServerSideBatch(sides)).is_open:
        return Together(sides, recorder, copied, alone, count)
    if (packed := Packed(sides)).is_open:
        return Together(sides, recorder, packed, alone, count)
    return None


def _act(sides: Sides, act: Act, unit: Unit, limits: _Errors) -> None:
    with sides.progress.flying(1):
        limits.count(act(unit))


def _go_on(
    sides: Sides, decide_again: Again, recorder: Recorder, act: Act, unit: Unit
) -> list[Outcome]:
    """Act on what an earlier run planned, unless it is not to be done as things are by now."""
    try:
        outcomes = list(decide_again(unit))
    except LakebedError as error:
        if ends_operation(sides, error):
            raise
        outcomes = [failed(item, error) for item in unit.items]
    if not outcomes:
        return act(unit)
    recorder.settled(outcomes)
    return outcomes


def _batches(planner: Planner, after: str) -> Generator[tuple[Batch, list[Step]], None, None]:
    """Batches end, where they can, where nothing above the cursor has been decided: nobody who
    goes on from there meets, and counts, a couple again."""
    steps: list[Step] = []
    units, counted, highest = 0, 0, after
    with closing(planner.steps(after, skim=True)) as planned:
        for step in planned:
            steps.append(step)
            units += len(step.units)
            counted += step.counters.listed
            highest = max(highest, step.floor, *(decided.key for decided in step.planned))
            if (units >= _UNITS and step.floor >= highest) or (
                len(steps) >= _STEPS or counted >= _LISTED
            ):
                yield _batch(planner, steps)
                steps, units, counted = [], 0, 0
    if steps:
        yield _batch(planner, steps)


def _batch(planner: Planner, planned: list[Step]) -> tuple[Batch, list[Step]]:
    steps = list(planner.quarantined(planned))
    counters = Counters()
    for step in steps:
        counters.add(step.counters)
    units = tuple(unit for step in steps for unit in step.units)
    return Batch(units, counters, steps[-1].floor), steps
