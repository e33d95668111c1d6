"""What the process of a run tells of it in the database, for every replica that is asked.

Progress is one row, written over once a second. Events are rows with numbers, so that a stream
goes on after a break; the outcomes of some moments are one of them.
"""

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from threading import Lock
from typing import Self

from sqlalchemy import Connection, Engine, func, insert, select

from lakebed.database.dialect import replace_into
from lakebed.database.tables import events, progress
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.errors import LakebedError
from lakebed.model.operation import Summary
from lakebed.operations.lease import Lease
from lakebed.operations.watch import Snapshot, Value

EVERY = 1.0
"""Seconds between two words on the progress."""
SOON = 0.25
"""Seconds for which outcomes are gathered into one event."""
MOST = 200
"""Outcomes in one event: what many readers hold of it at once stays small."""
WINDOW = 5.0
"""Seconds over which the current throughput is the mean."""


@dataclass(frozen=True, slots=True)
class Event:
    """`data` is JSON; `number` counts from 1 within the operation, `at` is in epoch seconds."""

    number: int
    at: float
    kind: str
    data: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an operation is, all of its runs together. Bytes, and bytes a second."""

    listed: int = 0
    planned: int = 0
    planned_bytes: int = 0
    skipped: int = 0
    done: int = 0
    failed: int = 0
    quarantined: int = 0
    deleted: int = 0
    pending: int = 0
    bytes: int = 0
    reread_bytes: int = 0
    in_flight: int = 0
    listing: bool = True
    """Whether more may still be planned: the totals are none yet."""
    retries: int = 0
    concurrency: int = 0
    seconds: float = 0.0
    """How long its runs took together."""
    throughput: float = 0.0
    """Over the last WINDOW seconds."""
    peak: float = 0.0
    proofs: dict[str, int] = field(default_factory=dict)
    lanes: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    """Objects by the code of their error."""
    last: bool = False
    """Its run has ended, and these are the ledger's figures."""

    @classmethod
    def read(cls, text: str) -> Self:
        """As it was told; of what a newer replica tells, what is known here."""
        told = json.loads(text)
        return cls(**{name: told[name] for name in cls.__dataclass_fields__ if name in told})

    @classmethod
    def of(cls, summary: Summary, planned_bytes: int) -> Self:
        """What the ledger counted; `planned_bytes` are those of all that was to be done."""
        return cls(
            listed=summary.listed,
            planned=arrived(summary) + summary.failed + summary.quarantined + summary.pending,
            planned_bytes=max(planned_bytes, summary.bytes),
            skipped=summary.skipped,
            done=arrived(summary),
            failed=summary.failed,
            quarantined=summary.quarantined,
            deleted=summary.deleted,
            pending=summary.pending,
            bytes=summary.bytes,
            reread_bytes=summary.reread_bytes,
            listing=False,
            seconds=summary.seconds,
            proofs=summary.proofs,
            lanes=summary.lanes,
        )


class Bulletin:
    """A watch that writes into the database, under the fence of the run.

    What cannot be written now is written with the next word: a database that is away stops the
    run by its ledger, not by this.
    """

    def __init__(self, lease: Lease, before: Summary) -> None:
        self._lease, self._before = lease, before
        said = progress_of(lease.engine, lease.operation_id)
        earlier = said[1] if said else Progress()
        self._retries = self._earlier_retries = earlier.retries
        self._planned_bytes = 0
        self._lock = Lock()
        self._outcomes: list[dict[str, Value]] = []
        self._waiting: list[tuple[str, str]] = []
        self._proofs, self._lanes = Counter(before.proofs), Counter(before.lanes)
        self._errors: Counter[str] = Counter()
        self._passed: list[tuple[float, int]] = [(0.0, 0)]
        self._peak = earlier.peak
        self._told = self._gathered = 0.0
        self._number = last_number(lease.engine, lease.operation_id)

    def started(self, operation_id: str) -> None:
        self._waiting.append(("started", "{}"))
        self._write(None)

    def event(self, kind: str, fields: dict[str, Value]) -> None:
        with self._lock:
            self._outcomes.append({"event": kind, **fields})
            # What is moved and then deleted at its source is two events of one object.
            if kind == "copied":
                self._proofs[str(fields.get("proof", ""))] += 1
                self._lanes[str(fields.get("lane", ""))] += 1
            if fields.get("error"):
                self._errors[str(fields["error"])] += 1

    def progress(self, live: Snapshot) -> None:
        now = time.monotonic()
        due = live.last or now - self._told >= EVERY
        if not due and now - self._gathered < SOON:
            return
        self._gathered = now
        if due:
            self._told = now
        self._write(self._progress(live) if due else None)

    def ended(self, summary: Summary) -> None:
        """The last word: what the ledger knows."""
        told = replace(
            Progress.of(summary, self._planned_bytes),
            retries=self._retries,
            peak=self._peak,
            errors=dict(self._errors),
            last=True,
        )
        self._write(told)

    def _progress(self, live: Snapshot) -> Progress:
        before = self._before
        self._retries = self._earlier_retries + live.retries
        self._planned_bytes = before.bytes + live.planned_bytes
        speed = self._speed(live.seconds, live.bytes)
        self._peak = max(self._peak, speed)
        with self._lock:
            proofs, lanes, errors = dict(self._proofs), dict(self._lanes), dict(self._errors)
        return Progress(
            listed=before.listed + live.listed,
            planned=arrived(before) + live.planned,
            planned_bytes=self._planned_bytes,
            skipped=before.skipped + live.skipped,
            done=arrived(before) + live.done,
            failed=live.failed,
            quarantined=live.quarantined,
            deleted=before.deleted + live.deleted,
            pending=max(0, live.planned - live.done - live.failed - live.quarantined),
            bytes=before.bytes + live.bytes,
            reread_bytes=before.reread_bytes,
            in_flight=live.in_flight,
            listing=live.listing,
            retries=self._retries,
            concurrency=live.concurrency,
            seconds=before.seconds + live.seconds,
            throughput=speed,
            peak=self._peak,
            proofs=proofs,
            lanes=lanes,
            errors=errors,
        )

    def _speed(self, seconds: float, passed: int) -> float:
        self._passed.append((seconds, passed))
        while len(self._passed) > 2 and self._passed[1][0] < seconds - WINDOW:
            del self._passed[0]
        since, had = self._passed[0]
        span = seconds - since
        return (passed - had) / span if span > 0 else 0.0

    def _write(self, told: Progress | None) -> None:
        with self._lock:
            outcomes, self._outcomes = self._outcomes, []
        self._waiting += [
            ("objects", storable(json.dumps(outcomes[start : start + MOST])))
            for start in range(0, len(outcomes), MOST)
        ]
        if told is not None:
            self._waiting.append(("progress", json.dumps(asdict(told))))
        if not self._waiting:
            return
        try:
            with writing(self._lease.engine) as connection:
                self._lease.check(connection)
                self._append(connection, told)
        except LakebedError:
            self._forget_progress()

    def _append(self, connection: Connection, told: Progress | None) -> None:
        operation_id, now = self._lease.operation_id, time.time()
        rows = [
            {"operation": operation_id, "number": number, "at": now, "kind": kind, "data": data}
            for number, (kind, data) in enumerate(self._waiting, self._number + 1)
        ]
        connection.execute(insert(events), rows)
        if told is not None:
            row = {"operation": operation_id, "at": now, "told": json.dumps(asdict(told))}
            connection.execute(replace_into(self._lease.engine, progress), row)
        self._number += len(rows)
        self._waiting = []

    def _forget_progress(self) -> None:
        """Of what was not written, old figures are worth nothing."""
        self._waiting = [one for one in self._waiting if one[0] != "progress"]


def arrived(summary: Summary) -> int:
    """Objects that were copied, or by `verify` proved."""
    return summary.copied or sum(summary.proofs.values())


def last_number(engine: Engine, operation_id: str) -> int:
    """The number of the last event of an operation; 0 where there is none."""
    query = select(func.max(events.c.number)).where(events.c.operation == operation_id)
    with reading(engine) as connection:
        return int(connection.scalar(query) or 0)


def progress_of(engine: Engine, operation_id: str) -> tuple[float, Progress] | None:
    """The last word on an operation, and when it was said (epoch seconds)."""
    query = select(progress.c.at, progress.c.told).where(progress.c.operation == operation_id)
    with reading(engine) as connection:
        row = connection.execute(query).first()
    return (row.at, Progress.read(row.told)) if row else None
