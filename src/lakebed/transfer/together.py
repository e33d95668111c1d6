"""Moves units in batches: each is prepared by whoever has it, in a seat of the open batch.

Seats are handed out in the order of the plan, so that what is listed together travels together.
Whoever settles the last seat of a batch sends it: a batch needs no thread of its own, and nobody
waits for anybody. What is not proved then goes alone.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from lakebed.errors import LakebedError, NotSupported
from lakebed.model.operation import Outcome, Unit
from lakebed.transfer.lanes.batch import BatchLane, Limits
from lakebed.transfer.lanes.moved import Moved
from lakebed.transfer.move import UnitMover
from lakebed.transfer.outcomes import done
from lakebed.transfer.recorder import Recorder
from lakebed.transfer.sides import Sides
from lakebed.transfer.workers import Workers

P = TypeVar("P")
Count = Callable[[Sequence[Outcome]], None]
_log = logging.getLogger("lakebed.transfer")

_REFUSALS = 3
"""Batches in a row that may fail as a whole; after these everything goes alone, as it does at once
where there is no such way."""


@dataclass(slots=True)
class _Seat(Generic[P]):
    """A unit's place in a batch. Without anything prepared it does not travel."""

    unit: Unit
    prepared: Sequence[P] = ()
    seconds: float = 0.0


@dataclass(slots=True)
class _Batch(Generic[P]):
    held: ExitStack
    """Its bytes of the budget."""
    seats: list[_Seat[P]] = field(default_factory=list)
    members: int = 0
    size: int = 0
    _unsettled: int = 1
    """Seats, and one for as long as more may be handed out."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def seat(self, unit: Unit) -> _Seat[P]:
        seat: _Seat[P] = _Seat(unit)
        self.seats.append(seat)
        self.members += len(unit.items)
        self.size += _size(unit)
        with self._lock:
            self._unsettled += 1
        return seat

    def is_full(self, limits: Limits) -> bool:
        return self.members >= limits.members or self.size >= limits.size

    def settle(self) -> bool:
        """A seat is taken or given up, or no more are handed out: whether nothing is awaited."""
        with self._lock:
            self._unsettled -= 1
            return self._unsettled == 0


class Together(Generic[P]):
    """Hands units to `lane`, and to `alone` what it does not take or leaves unproved."""

    def __init__(
        self,
        sides: Sides,
        recorder: Recorder,
        lane: BatchLane[P],
        alone: UnitMover,
        count: Count = lambda outcomes: None,
    ) -> None:
        """`count` is told what became of each object of a batch."""
        self._sides, self._recorder = sides, recorder
        self._lane, self._alone, self._count = lane, alone, count
        self._open: _Batch[P] | None = None
        self._lock = threading.Lock()
        self._refusals = 0

    def __call__(self, unit: Unit) -> list[Outcome]:
        """What became of its objects where they went alone.

        Raises only what ends the operation.
        """
        if self._refusals >= _REFUSALS or not self._lane.takes(unit):
            return self._alone(unit)
        seat, batch = self._seat(unit)
        began = time.monotonic()
        try:
            seat.prepared = [self._lane.prepare(job) for job in self._alone.jobs(unit)]
        except LakebedError:
            # Alone it is tried as often as it may be, and its error told.
            self._sides.cancellation.check()
        seat.seconds = time.monotonic() - began
        if batch.settle():
            for left in self._left(batch):
                self._go_alone(left)
        return [] if seat.prepared else self._alone(unit)

    def finish(self) -> None:
        """Send the batch that waited for more, after every unit was handed over."""
        batch, self._open = self._open, None
        if batch is not None and batch.settle():
            with Workers(self._sides.width, self._sides.cancellation) as workers:
                for left in self._left(batch):
                    workers.submit(partial(self._go_alone, left))

    def _go_alone(self, unit: Unit) -> None:
        self._sides.cancellation.check()
        self._count(self._alone(unit))

    def _seat(self, unit: Unit) -> tuple[_Seat[P], _Batch[P]]:
        """Waits for a batch's bytes of the budget where a new one is begun."""
        with self._lock:
            batch = self._open or self._begun()
            seat = batch.seat(unit)
            full = batch.is_full(self._lane.limits)
            self._open = None if full else batch
        if full:
            batch.settle()
        return seat, batch

    def _begun(self) -> _Batch[P]:
        held = ExitStack()
        held.enter_context(self._sides.budget.reserve(self._lane.limits.held, idle=True))
        return _Batch(held)

    def _left(self, batch: _Batch[P]) -> list[Unit]:
        """The units that it did not bring, after those that it did are told."""
        seats = [seat for seat in batch.seats if seat.prepared]
        members = [one for seat in seats for one in seat.prepared]
        began = time.monotonic()
        moved = iter(self._all_moved(batch, members))
        share = (time.monotonic() - began) / max(1, len(members))
        outcomes: list[Outcome] = []
        left: list[Unit] = []
        for seat in seats:
            there = [one for one in islice(moved, len(seat.prepared)) if one is not None]
            if len(there) < len(seat.unit.items):
                left.append(seat.unit)
                continue
            outcomes += [
                done(item, one, attempts=1, seconds=seat.seconds + share)
                for item, one in zip(seat.unit.items, there, strict=True)
            ]
        self._recorder.settled(outcomes)
        self._count(outcomes)
        return left

    def _all_moved(self, batch: _Batch[P], members: Sequence[P]) -> Sequence[Moved | None]:
        """What the lane says; nothing of any, where it fails. Its bytes are free again then."""
        try:
            # Free before anything else: who begins a batch may wait for them with our lock.
            with batch.held:
                moved = self._lane.move(members) if members else ()
        except LakebedError as error:
            self._sides.cancellation.check()
            self._refused(error)
            return [None] * len(members)
        self._refusals = 0
        return moved

    def _refused(self, error: LakebedError) -> None:
        with self._lock:
            before = self._refusals
            self._refusals += _REFUSALS if isinstance(error, NotSupported) else 1
            gives_up = before < _REFUSALS <= self._refusals
        if gives_up:
            note = f"no more batches, from then on objects went one by one: {error}"
            _log.warning("%s", note)
            self._recorder.noted(note)
        else:
            _log.info("a batch failed, its objects go one by one: %s", error)


def _size(unit: Unit) -> int:
    return sum(item.source.size for item in unit.items if item.source)
