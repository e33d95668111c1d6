"""Moves a unit: the archive first, held back until its publisher's digest is met, then the rest.

A unit is done, failed or in quarantine as a whole. A pair may disagree because its publisher is
replacing it just then: it is fetched again twice, each time as it is by then, before it is put in
quarantine. What the earlier fetches had brought to a place that was empty is then taken away again.
"""

import json
import time
from dataclasses import replace
from itertools import count

from lakebed import errors
from lakebed.errors import (
    ChecksumRefused,
    DigestRefused,
    LakebedError,
    ObjectMissing,
    ProofFailed,
    SourceChanged,
)
from lakebed.model.objects import Object
from lakebed.model.operation import Item, OnChange, Outcome, Unit
from lakebed.model.pair import is_sidecar
from lakebed.transfer.keys import refusal
from lakebed.transfer.lanes import choose
from lakebed.transfer.lanes.moved import pinned
from lakebed.transfer.outcomes import done, failed, quarantined
from lakebed.transfer.publisher import Published, published
from lakebed.transfer.recorder import Recorder
from lakebed.transfer.sides import Job, Side, Sides

REFETCHES = 2
"""How often a pair that disagrees is fetched again."""
SETTLE = 1.0
"""Seconds between two fetches of a pair that disagrees; its publisher writes two objects, and
between the two writes a reader sees the new one of one half and the old one of the other."""

ENDS_OPERATION = (
    errors.StoreUnreachable,
    errors.CredentialsRefused,
    errors.ClockSkew,
    errors.TlsRefused,
    errors.BucketMissing,
    errors.OperationError,
    errors.LedgerError,
)
"""Errors that every other object would meet too: they end the operation, which can be resumed."""


def ends_operation(sides: Sides, error: LakebedError) -> bool:
    """Whether every other object would meet this error too, which then ends the operation.

    One object alone may break each connection on which it is asked for. So where a store seems to
    be away both are asked something cheap: as long as they answer it is that object's own.
    """
    if isinstance(error, errors.StoreUnreachable):
        return not all(_answers(side) for side in (sides.source, sides.destination))
    return isinstance(error, ENDS_OPERATION)


def _answers(side: Side) -> bool:
    try:
        side.store.list_page(side.bucket, side.location.path, limit=1)
    except errors.StoreError:
        return False
    return True


class UnitMover:
    """Moves units from one side to the other and tells the recorder."""

    def __init__(self, sides: Sides, recorder: Recorder, *, settle: float = SETTLE) -> None:
        self._sides, self._recorder, self._settle = sides, recorder, settle

    def __call__(self, unit: Unit) -> list[Outcome]:
        """What became of each item. Raises only what ends the operation."""
        outcomes = self._moved(unit)
        self._recorder.settled(outcomes)
        return outcomes

    def _moved(self, unit: Unit) -> list[Outcome]:
        written: dict[str, str] = {}
        for attempt in count(1):
            try:
                if attempt > 1:
                    unit = self._refreshed(unit)
                return self._attempt(unit, attempt, written)
            except LakebedError as error:
                if ends_operation(self._sides, error):
                    raise
                if attempt > REFETCHES or not self._may_settle(error):
                    outcomes = _refused(unit, error, attempt)
                    # Of a first attempt what arrived met its digest, and only waits for the rest.
                    return self._taken_back(unit, outcomes, written) if attempt > 1 else outcomes
            self._sides.cancellation.wait(self._settle * (attempt - 1))
        raise AssertionError("it is tried until it is settled")

    def _may_settle(self, error: LakebedError) -> bool:
        """Whether another fetch may end otherwise."""
        if isinstance(error, SourceChanged):
            return self._sides.options.on_change is not OnChange.FAIL
        return isinstance(error, (ChecksumRefused, DigestRefused, ProofFailed))

    def _attempt(self, unit: Unit, attempt: int, written: dict[str, str]) -> list[Outcome]:
        """Move each item once; an error of the first leaves the others untouched.

        `written` takes the ETag of each key that arrived.
        """
        outcomes: list[Outcome] = []
        for item, job in zip(unit.items, self.jobs(unit), strict=True):
            began = time.monotonic()
            moved = choose.move(self._sides, job)
            written[item.key] = moved.destination_etag
            seconds = time.monotonic() - began
            outcomes.append(done(item, moved, attempts=attempt, seconds=seconds))
        return outcomes

    def _taken_back(
        self, unit: Unit, outcomes: list[Outcome], written: dict[str, str]
    ) -> list[Outcome]:
        """The outcomes of a refused unit, after what it had `written` is away, or with what stays.

        Its halves may be of two revisions: where nothing was before, nothing is left.
        """
        told = []
        for item, outcome in zip(unit.items, outcomes, strict=True):
            stays = self._stays(item, written[item.key]) if item.key in written else ""
            message = f"{outcome.message}; {stays}" if stays else outcome.message
            told.append(replace(outcome, message=message))
        return told

    def _stays(self, item: Item, etag: str) -> str:
        """Take away the revision `etag` that we wrote; else why it stays."""
        if item.destination_etag == etag:
            return ""  # as it was
        if item.destination_etag is not None:
            return "an earlier fetch replaced what the destination held, which cannot be undone"
        destination = self._sides.destination
        key = destination.location.key(item.key)
        try:
            if destination.store.head(destination.bucket, key).etag == etag:
                destination.store.delete(destination.bucket, key)
        except ObjectMissing:
            return ""
        except LakebedError as error:
            if ends_operation(self._sides, error):
                raise
            return f"what an earlier fetch had brought could not be removed: {error}"
        return ""

    def jobs(self, unit: Unit) -> list[Job]:
        """A job for each item, with its publisher's word.

        Raises KeyUnsupported, DigestRefused, SourceChanged.
        """
        destination = self._sides.destination
        for item in unit.items:
            # The plan has asked so too, but of a unit that failed then a resume asks only here.
            refused = refusal(destination, destination.location.key(item.key))
            if refused is not None:
                raise refused
        word = None
        if unit.digest is not None:
            word = published(self._sides, unit.digest, _archive(unit).key, unit.items[0].sha256)
        return [self._job(item, unit, word) for item in unit.items]

    def _job(self, item: Item, unit: Unit, word: Published | None) -> Job:
        if item.source is None:
            raise AssertionError("only objects of the source are moved")
        publishes = unit.digest is not None and item.source.key == unit.digest.key
        return Job(
            item.source,
            self._sides.destination.location.key(item.key),
            item.destination_etag,
            digest=None if publishes or word is None else word.digest,
            sha256=item.sha256,
            head=word.head if publishes and word else None,
            content=word.content if publishes and word else None,
        )

    def _refreshed(self, unit: Unit) -> Unit:
        """The unit as its source is now. Raises SourceChanged where it cannot be taken so."""
        # What disagreed is read as it is, whatever is remembered of it.
        items = tuple(
            replace(item, source=self._now(item.source), sha256=None) for item in unit.items
        )
        fresh = Unit(items, self._now(unit.digest))
        keeps = self._sides.options.on_change is OnChange.FAIL or self._is_half(unit)
        if keeps and _revisions(fresh) != _revisions(unit):
            raise SourceChanged(
                "its publisher replaced it in the meantime",
                subject=unit.items[0].key,
                advice="run again, or see --on-change",
            )
        return fresh

    def _is_half(self, unit: Unit) -> bool:
        """Whether its other half is at the destination already, and would be of another revision
        than what is at the source by now."""
        source = self._sides.source
        if not (source.sidecars and source.location.is_folder) or len(unit.items) > 1:
            return False
        return unit.digest is not None or is_sidecar(unit.items[0].key)

    def _now(self, listed: Object | None) -> Object | None:
        if listed is None:
            return None
        source = self._sides.source
        with pinned(listed.key):
            head = source.store.head(source.bucket, listed.key)
        modified = head.modified or listed.modified
        return Object(listed.key, head.size, head.etag, modified)


def _archive(unit: Unit) -> Object:
    archive = unit.items[0].source
    if archive is None:
        raise AssertionError("a unit with a digest begins with its archive")
    return archive


def _revisions(unit: Unit) -> list[str]:
    held = [*(item.source for item in unit.items), unit.digest]
    return [one.etag for one in held if one is not None]


def _refused(unit: Unit, error: LakebedError, attempts: int) -> list[Outcome]:
    if not isinstance(error, DigestRefused) or unit.digest is None:
        return [failed(item, error, attempts=attempts) for item in unit.items]
    archive, sidecar = _archive(unit), unit.digest
    evidence = json.dumps(
        {
            "refused": error.what,
            "expected": error.expected,
            "found": error.found,
            "archive": {"etag": archive.etag, "size": archive.size},
            "sidecar": {"etag": sidecar.etag, "size": sidecar.size},
        }
    )
    return [quarantined(item, str(error), evidence, attempts=attempts) for item in unit.items]
