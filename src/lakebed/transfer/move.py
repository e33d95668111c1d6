"""Moves a unit: the archive first, held back until its publisher's digest is met, then the rest.

A pair may disagree because its publisher is replacing it just then: it is fetched again twice,
each time as it is by then, before it is put in quarantine.
"""

import json
import time
from dataclasses import dataclass, replace

from lakebed import errors
from lakebed.errors import DigestRefused, LakebedError, SourceChanged
from lakebed.model.objects import Head, Object
from lakebed.model.operation import Action, Item, ObjectState, OnChange, Outcome, Unit
from lakebed.model.pair import published_digest
from lakebed.transfer.lanes import choose
from lakebed.transfer.lanes.moved import read_whole
from lakebed.transfer.outcomes import done, failed
from lakebed.transfer.recorder import Recorder
from lakebed.transfer.sides import Job, Sides

REFETCHES = 2
"""How often a pair that disagrees is fetched again."""
SETTLE = 1.0
"""Seconds between two fetches of a pair that disagrees; its publisher writes two objects, and
between the two writes a reader sees the new one of one half and the old one of the other."""
_SIDECAR_LIMIT = 64 * 1024
"""Bytes; a published digest has about a hundred (docs of the Binance archive: 89 to 103)."""

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


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The publisher's word, as it was read."""

    digest: str | None
    head: Head
    content: tuple[bytes, ...]


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
        for attempt in range(1, REFETCHES + 2):
            try:
                return self._attempt(unit, attempt)
            except ENDS_OPERATION:
                raise
            except DigestRefused as refused:
                if attempt > REFETCHES:
                    return _quarantined(unit, refused, attempt)
            except SourceChanged as changed:
                if attempt > REFETCHES or self._sides.options.on_change is OnChange.FAIL:
                    return [failed(item, changed, attempts=attempt) for item in unit.items]
            except LakebedError as error:
                return [failed(item, error, attempts=attempt) for item in unit.items]
            self._sides.cancellation.wait(self._settle * (attempt - 1))
            refreshed = self._refreshed(unit)
            if isinstance(refreshed, LakebedError):
                return [failed(item, refreshed, attempts=attempt) for item in unit.items]
            unit = refreshed
        raise AssertionError("the last attempt always returns")

    def _attempt(self, unit: Unit, attempt: int) -> list[Outcome]:
        """Move each item once; an error of the first leaves the others untouched."""
        evidence = self._evidence(unit)
        outcomes: list[Outcome] = []
        for item in unit.items:
            began = time.monotonic()
            job = self._job(item, unit, evidence)
            try:
                moved = choose.move(self._sides, job)
            except ENDS_OPERATION:
                if outcomes:
                    self._recorder.settled(outcomes)
                raise
            except LakebedError as error:
                if not outcomes:
                    raise
                outcomes.append(failed(item, error, attempts=attempt))
                continue
            seconds = time.monotonic() - began
            outcomes.append(done(item, moved, attempts=attempt, seconds=seconds))
        return outcomes

    def _job(self, item: Item, unit: Unit, evidence: _Evidence | None) -> Job:
        if item.source is None or item.action is not Action.COPY:
            raise AssertionError("only objects of the source are moved")
        job = Job(item.source, self._sides.destination.location.key(item.key))
        if evidence is None or unit.digest is None:
            return job
        if item.source.key == unit.digest.key:
            return replace(job, head=evidence.head, content=evidence.content)
        return replace(job, digest=evidence.digest)

    def _evidence(self, unit: Unit) -> _Evidence | None:
        """Read the sidecar. Raises DigestRefused where it publishes no digest of its archive."""
        if unit.digest is None:
            return None
        archive = unit.items[0].source
        if archive is None:
            raise AssertionError("a unit with a digest begins with its archive")
        if unit.digest.size > _SIDECAR_LIMIT:
            raise DigestRefused(
                f"its sidecar has {unit.digest.size} bytes: no published digest",
                subject=archive.key,
            )
        head, content = read_whole(self._sides, Job(unit.digest, unit.digest.key))
        digest = published_digest(b"".join(content), archive.key)
        if digest is None:
            raise DigestRefused(
                "its sidecar does not hold `SHA-256  NAME` for it", subject=archive.key
            )
        return _Evidence(digest, head, tuple(content))

    def _refreshed(self, unit: Unit) -> Unit | LakebedError:
        """The unit as its source is now, or why it cannot be taken as it is now."""
        try:
            items = tuple(replace(item, source=self._now(item.source)) for item in unit.items)
            digest = self._now(unit.digest)
        except ENDS_OPERATION:
            raise
        except LakebedError as error:
            return error
        fresh = Unit(items, digest)
        if self._sides.options.on_change is OnChange.FAIL and _revisions(fresh) != _revisions(unit):
            return SourceChanged(
                "its publisher replaced it in the meantime",
                subject=unit.items[0].key,
                advice="run again, or see --on-change",
            )
        return fresh

    def _now(self, listed: Object | None) -> Object | None:
        if listed is None:
            return None
        source = self._sides.source
        head = source.store.head(source.bucket, listed.key)
        modified = head.modified or listed.modified
        return Object(listed.key, head.size, head.etag, modified)


def _revisions(unit: Unit) -> list[str]:
    held = [*(item.source for item in unit.items), unit.digest]
    return [one.etag for one in held if one is not None]


def _quarantined(unit: Unit, refused: DigestRefused, attempts: int) -> list[Outcome]:
    archive = unit.items[0].source
    evidence = json.dumps(
        {
            "refused": refused.what,
            "archive": {"etag": archive.etag, "size": archive.size} if archive else None,
            "sidecar": {"etag": unit.digest.etag} if unit.digest else None,
        }
    )
    return [
        Outcome(
            item.key,
            ObjectState.QUARANTINED,
            size=item.source.size if item.source else 0,
            source_etag=item.source.etag if item.source else "",
            error=refused.code,
            message=str(refused),
            evidence=evidence,
            attempts=attempts,
        )
        for item in unit.items
    ]
