"""The summary of an operation: counted from its rows, never from what a run remembers."""

from collections import Counter

from sqlalchemy import Connection, func, select

from lakebed.database.tables import objects
from lakebed.model.operation import Action, ObjectState, Summary
from lakebed.operations.operation import Operation

_GROUPS = (objects.c.action, objects.c.state, objects.c.lane, objects.c.proof)
ARRIVED = (ObjectState.DONE, ObjectState.DELETED)
"""A copy is `deleted` where it was moved: it arrived, and its source is gone."""


def summarize(connection: Connection, operation: Operation, now: float) -> Summary:
    states: Counter[ObjectState] = Counter()
    lanes: Counter[str] = Counter()
    proofs: Counter[str] = Counter()
    copied = copied_bytes = reread_bytes = 0
    counted = (
        select(
            *_GROUPS,
            func.count().label("objects"),
            func.sum(objects.c.size).label("bytes"),
            func.sum(objects.c.reread_bytes).label("reread_bytes"),
        )
        .where(objects.c.operation == operation.id)
        .group_by(*_GROUPS)
    )
    for row in connection.execute(counted):
        state = ObjectState(row.state)
        states[state] += row.objects
        if state not in ARRIVED:
            continue
        if row.action == Action.COPY:
            copied += row.objects
            copied_bytes += int(row.bytes or 0)
            reread_bytes += int(row.reread_bytes or 0)
        if row.lane:
            lanes[row.lane] += row.objects
        if row.proof:
            proofs[row.proof] += row.objects
    return Summary(
        operation_id=operation.id,
        state=operation.state,
        listed=operation.counters.listed,
        copied=copied,
        skipped=operation.counters.skipped,
        failed=states[ObjectState.FAILED],
        quarantined=states[ObjectState.QUARANTINED],
        deleted=states[ObjectState.DELETED],
        bytes=copied_bytes,
        seconds=operation.seconds(now),
        extra=operation.counters.extra,
        halves=operation.counters.halves,
        pending=states[ObjectState.PENDING],
        reread_bytes=reread_bytes,
        lanes=dict(lanes),
        proofs=dict(proofs),
        error=operation.error,
        message=operation.message,
        note=operation.note,
    )
