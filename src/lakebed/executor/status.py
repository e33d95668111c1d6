"""How an operation stands, as an answer: from its row and the last word of its process."""

from dataclasses import replace
from datetime import UTC, datetime

from lakebed.api.answers import OperationStatus, Throughput
from lakebed.model.operation import Filters, OperationState, Summary
from lakebed.operations.bulletin import Progress
from lakebed.operations.ledger import Ledger
from lakebed.operations.operation import Operation
from lakebed.operations.standing import Standing, standing
from lakebed.operations.states import FINISHED, exit_code
from lakebed.operations.submission import Submission

PREFIX, BATCHES = "/api/v1/operations", "/api/v1/sync/batch"


def status_of(ledger: Ledger, operation_id: str) -> OperationStatus:
    """Reads one row, however many objects there are; one that ran elsewhere is counted, and so is
    one whose process has not said its last word.

    Raises UnknownOperation, LedgerError.
    """
    return told_of(ledger, standing(ledger, operation_id))


def told_of(ledger: Ledger, found: Standing) -> OperationStatus:
    told, operation = found.progress, found.operation
    if told is None or not (told.last or operation.state not in FINISHED):
        told = _counted(ledger, operation)
    return _status(operation, found.submission, told, ledger.now())


def _counted(ledger: Ledger, operation: Operation) -> Progress:
    if operation.state is OperationState.QUEUED:
        return Progress()
    counted = Progress.of(ledger.summary(operation.id), operation.counters.planned_bytes)
    errors = ledger.errors(operation.id) if counted.failed or counted.quarantined else {}
    return replace(counted, listing=operation.state not in FINISHED, errors=errors)


def _status(
    operation: Operation, submission: Submission | None, told: Progress, now: float
) -> OperationStatus:
    request, ended = operation.request, operation.state in FINISHED
    seconds = operation.seconds(now)
    return OperationStatus(
        operation_id=operation.id,
        kind=request.kind,
        state=operation.state,
        source=str(request.source),
        destination=str(request.destination),
        filtered=request.options.filters != Filters(),
        caller=submission.caller if submission else None,
        batch_id=submission.batch if submission else None,
        priority=submission.priority if submission else 0,
        created=_moment(operation.created),
        scheduled_for=_moment(submission.not_before)
        if submission and submission.not_before
        else None,
        started=_moment(operation.started) if operation.started else None,
        finished=_moment(operation.finished) if operation.finished else None,
        resumed=operation.earlier_seconds > 0,
        percentage=_percentage(operation.state, told),
        listing=told.listing and not ended,
        files_listed=told.listed,
        files_total=told.planned,
        files_done=told.done,
        files_skipped=told.skipped,
        files_failed=told.failed,
        files_quarantined=told.quarantined,
        files_deleted=told.deleted,
        files_extra=operation.counters.extra,
        files_pending=told.pending,
        files_in_flight=0 if ended else told.in_flight,
        half_pairs=operation.counters.halves,
        bytes_total=told.planned_bytes,
        bytes_done=told.bytes,
        bytes_reread=told.reread_bytes,
        throughput=Throughput(
            current=0.0 if ended else told.throughput,
            average=told.bytes / seconds if seconds else 0.0,
            peak=told.peak,
        ),
        seconds=seconds,
        seconds_left=_left(operation.state, told),
        retries=told.retries,
        proofs=told.proofs,
        lanes=told.lanes,
        errors=told.errors,
        error=operation.error,
        message=operation.message,
        note=operation.note,
        exit_code=exit_code(_bare(operation)),
        report_url=f"{PREFIX}/{operation.id}/report",
        events_url=f"{PREFIX}/{operation.id}/events",
    )


def _bare(operation: Operation) -> Summary:
    return Summary(
        operation.id,
        operation.state,
        *(0,) * 7,
        seconds=0.0,
        error=operation.error,
        message=operation.message,
    )


def _percentage(state: OperationState, told: Progress) -> float:
    if state is OperationState.COMPLETED:
        return 100.0
    if told.planned_bytes:
        return round(min(100.0, 100.0 * told.bytes / told.planned_bytes), 2)
    return round(100.0 * told.done / told.planned, 2) if told.planned else 0.0


def _left(state: OperationState, told: Progress) -> float | None:
    if state is not OperationState.RUNNING or told.listing or told.throughput <= 0:
        return None
    return max(0.0, (told.planned_bytes - told.bytes) / told.throughput)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
