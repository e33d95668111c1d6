"""Writing what became of objects: their rows, and what is remembered beyond the operation."""

import json
from collections.abc import Sequence

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    bindparam,
    delete,
    update,
)
from sqlalchemy.sql.dml import UpdateBase

from lakebed.database.dialect import replace_into
from lakebed.database.prepared import Prepared, Values
from lakebed.database.tables import copies, objects, quarantines
from lakebed.database.text import storable
from lakebed.errors import DigestRefused, ProofFailed
from lakebed.model.location import Location
from lakebed.model.operation import Kind, ObjectState, Outcome, Request
from lakebed.model.pair import archive_of, is_sidecar
from lakebed.observe.log import redact

_ENDED = (ObjectState.DONE.value, ObjectState.DELETED.value)
"""What is done stays done: a row in these states takes no other."""

_REFUTES = (DigestRefused.code, ProofFailed.code)
"""The errors of a verify that found other bytes than were once proved."""


def bucket_of(location: Location) -> str:
    return f"{location.store}:{location.bucket}"


class Settlement:
    """The statements for one operation, made once."""

    def __init__(self, engine: Engine, operation_id: str, request: Request) -> None:
        self._operation_id = operation_id
        self._request = request
        row = (
            (objects.c.operation == operation_id)
            & (objects.c.key == bindparam("row_key"))
            & (objects.c.state != ObjectState.DELETED.value)
            # A copy that is done may still become one that was moved: its source is deleted.
            & (
                (objects.c.state != ObjectState.DONE.value)
                | (bindparam("state") == ObjectState.DELETED.value)
            )
        )
        told = ("state", "lane", "error", "message", "attempts", "seconds", "finished")
        arrived = ("size", "etag", "written_etag", "proof", "sha256", "reread_bytes")
        change = update(objects).where(row)
        self._refuse = Prepared(engine, change.values({n: bindparam(n) for n in told}))
        self._settle = Prepared(engine, change.values({n: bindparam(n) for n in told + arrived}))
        self._remember = Prepared(engine, replace_into(engine, copies))
        self._quarantine = Prepared(engine, replace_into(engine, quarantines))
        self._release = Prepared(engine, _forget(quarantines, "source"))
        self._forget_copy = Prepared(engine, _forget(copies, "destination"))

    def write(self, connection: Connection, outcomes: Sequence[Outcome], now: float) -> None:
        """Write them in the caller's transaction. Of two of one key `done` wins, else the last."""
        # Two operations may write the same destination: in one order they cannot deadlock.
        outcomes = sorted(outcomes, key=lambda outcome: outcome.key)
        refused = [o for o in outcomes if o.state not in _ENDED]
        ended = [o for o in outcomes if o.state in _ENDED]
        self._refuse.execute(connection, [_told(o, now) for o in refused])
        self._settle.execute(connection, [_told(o, now) | _arrived(o) for o in ended])
        if self._request.kind is Kind.SYNC:
            self._write_memory(connection, ended, refused, now)
        elif self._request.kind is Kind.VERIFY:
            # A copy that a verify refutes was proved before, and is to be copied again.
            refuted = [o for o in refused if o.error in _REFUTES]
            self._forget_copy.execute(connection, [self._destination_key(o.key) for o in refuted])

    def _write_memory(
        self,
        connection: Connection,
        ended: Sequence[Outcome],
        refused: Sequence[Outcome],
        now: float,
    ) -> None:
        proved = [(o, o.proof.value) for o in ended if o.proof is not None]
        self._remember.execute(connection, [self._copy(o, proof) for o, proof in proved])
        self._release.execute(connection, [self._source_key(o.key) for o, _ in proved])
        removed = [o for o in ended if o.state is ObjectState.DELETED and o.proof is None]
        self._forget_copy.execute(connection, [self._destination_key(o.key) for o in removed])
        in_quarantine = {o.key: o for o in refused if o.state is ObjectState.QUARANTINED}
        archives = [
            outcome
            for key, outcome in in_quarantine.items()  # a pair is one entry, under its archive
            if not (is_sidecar(key) and archive_of(key) in in_quarantine)
            and outcome.evidence is not None
        ]
        self._quarantine.execute(connection, [self._evidence(o, now) for o in archives])

    def _copy(self, outcome: Outcome, proof: str) -> Values:
        return self._destination_key(outcome.key) | {
            "source_etag": outcome.source_etag,
            "destination_etag": outcome.destination_etag,
            "size": outcome.size,
            "proof": proof,
            "sha256": outcome.sha256,
        }

    def _evidence(self, outcome: Outcome, now: float) -> Values:
        evidence = outcome.evidence or "{}"
        # The sidecar that was judged, which may be a later one than was planned.
        sidecar = json.loads(evidence).get("sidecar", {})
        return self._source_key(outcome.key) | {
            "source_etag": outcome.source_etag,
            "digest_etag": sidecar.get("etag", ""),
            "evidence": storable(evidence),
            "operation": self._operation_id,
            "at": now,
        }

    def _source_key(self, key: str) -> Values:
        source = self._request.source
        return {"source": bucket_of(source), "key": source.key(key).encode()}

    def _destination_key(self, key: str) -> Values:
        destination = self._request.destination
        return {"destination": bucket_of(destination), "key": destination.key(key).encode()}


def _told(outcome: Outcome, now: float) -> Values:
    return {
        "row_key": outcome.key.encode(),
        "state": outcome.state.value,
        "lane": outcome.lane.value if outcome.lane else None,
        "error": outcome.error,
        "message": storable(redact(outcome.message)) if outcome.message else None,
        "attempts": outcome.attempts,
        "seconds": outcome.seconds,
        "finished": now,
    }


def _arrived(outcome: Outcome) -> Values:
    return {
        "size": outcome.size,
        "etag": outcome.source_etag,
        "written_etag": outcome.destination_etag,
        "proof": outcome.proof.value if outcome.proof else None,
        "sha256": outcome.sha256,
        "reread_bytes": outcome.reread_bytes or None,
    }


def _forget(table: Table, bucket: str) -> UpdateBase:
    return delete(table).where(
        table.c[bucket] == bindparam(bucket), table.c.key == bindparam("key")
    )
