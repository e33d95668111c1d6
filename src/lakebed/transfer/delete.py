"""What is removed once everything else is done: extras at the destination, and what was moved."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from lakebed.errors import (
    DestinationChanged,
    LakebedError,
    LimitReached,
    OperationError,
    ProofFailed,
    SourceChanged,
)
from lakebed.model.objects import Object
from lakebed.model.operation import Item, ObjectState, Outcome, Proof, Unit
from lakebed.transfer.move import ends_operation
from lakebed.transfer.now import held_now
from lakebed.transfer.outcomes import deleted, failed
from lakebed.transfer.recorder import Recorder
from lakebed.transfer.sides import Sides
from lakebed.transfer.workers import Workers

Count = Callable[[Iterable[Outcome]], None]
"""Told of outcomes, for the limits on failures."""


@dataclass(slots=True)
class _Refusals:
    """How many there were, and the first: there may be one for each object."""

    count: int = 0
    first: LakebedError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, error: LakebedError) -> None:
        with self._lock:
            self.count += 1
            self.first = self.first or error


def delete_extra(sides: Sides, recorder: Recorder, count: Count) -> None:
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
    with Workers(sides.width, sides.cancellation) as workers:
        # What was just copied may not be durable yet, and so still be among them.
        for unit in filter(lambda unit: unit.deletes, recorder.unfinished()):
            workers.submit(partial(_delete_unit, sides, recorder, count, unit))


def _delete_unit(sides: Sides, recorder: Recorder, count: Count, unit: Unit) -> None:
    """Delete a pair as a whole: what one half meets keeps the halves after it, too."""
    destination = sides.destination
    outcomes: list[Outcome] = []
    try:
        there = [_is_extra(sides, item) for item in unit.items]
        for item, is_there in zip(unit.items, there, strict=True):
            if is_there:
                destination.store.delete(destination.bucket, destination.location.key(item.key))
            outcomes.append(deleted(item))
    except LakebedError as error:
        if ends_operation(sides, error):
            raise
        outcomes += [failed(item, error) for item in unit.items[len(outcomes) :]]
    recorder.settled(outcomes)
    count(outcomes)


def _is_extra(sides: Sides, item: Item) -> bool:
    """Whether it is still to be deleted, and not gone already. Raises DestinationChanged where it
    is no longer what was listed: a whole run, or a night before a resume, lies in between."""
    there = held_now(sides.destination, item.key)
    if there is None:
        return False
    advice = "it stays; a new run plans anew"
    if there.etag != item.destination_etag:
        raise DestinationChanged(
            "it was written since it was listed", subject=item.key, advice=advice
        )
    if held_now(sides.source, item.key) is not None:
        raise DestinationChanged("the source has it again", subject=item.key, advice=advice)
    return True


def delete_moved(sides: Sides, recorder: Recorder) -> None:
    """Remove from the source what is proved at the destination and remembered as done."""
    refused = _Refusals()
    with Workers(sides.width, sides.cancellation) as workers:
        for arrived in recorder.arrived():
            workers.submit(partial(_delete_moved, sides, recorder, arrived, refused))
    if refused.count:
        raise OperationError(
            f"{refused.count} objects arrived and could not be deleted at the source:"
            f" {refused.first}",
            subject=str(sides.source.location),
        )


def _delete_moved(sides: Sides, recorder: Recorder, arrived: Outcome, refused: _Refusals) -> None:
    source = sides.source
    try:
        there = held_now(source, arrived.key)
        # Where it is gone, an earlier run deleted it and was ended before it could say so.
        if there is not None:
            _check_moved(sides, arrived, there)
            source.store.delete(source.bucket, there.key)
    except LakebedError as error:
        if ends_operation(sides, error):
            raise
        refused.add(error)
        return
    recorder.settled([replace(arrived, state=ObjectState.DELETED)])


def _check_moved(sides: Sides, arrived: Outcome, there: Object) -> None:
    """Raise where the source's is not the revision that arrived, or its copy is not there now, or
    is not known to have its bytes."""
    if arrived.proof is Proof.SIZE_ONLY:
        raise ProofFailed(
            "nothing but its size is proved",
            subject=arrived.key,
            advice="the source stays; compare them, then delete it yourself",
        )
    if there.etag != arrived.source_etag:
        raise SourceChanged(
            "its publisher replaced it after it arrived",
            subject=arrived.key,
            advice="it stays; a new run moves the newer revision",
        )
    copy = held_now(sides.destination, arrived.key)
    if copy is None or copy.etag != arrived.destination_etag:
        raise DestinationChanged(
            "the destination no longer holds the copy that was proved",
            subject=arrived.key,
            advice="the source stays; a new run copies it again",
        )
