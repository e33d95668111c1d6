"""Watching, cancelling and resuming operations: `/api/v1/operations`."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from lakebed.access.caller import Caller
from lakebed.access.permission import Permission
from lakebed.access.permits import check_request, may_see
from lakebed.api.answers import (
    BatchStatus,
    ObjectPage,
    ObjectStatus,
    OperationPage,
    OperationStatus,
)
from lakebed.api.requests import MOST_BATCH
from lakebed.errors import LedgerError, RunningElsewhere, Unauthenticated, UnknownOperation
from lakebed.executor.callers import At, Who
from lakebed.executor.seats import Seated
from lakebed.executor.service import Service
from lakebed.executor.status import BATCHES, PREFIX, status_of
from lakebed.executor.streams import EventStream
from lakebed.model.operation import Kind, ObjectState, OperationState
from lakebed.model.operation import Request as OperationRequest
from lakebed.model.report import Report
from lakebed.operations.bulletin import last_number
from lakebed.operations.ledger import Failure
from lakebed.operations.operation import Operation
from lakebed.operations.pages import ended, objects_page, operations_page
from lakebed.operations.submission import Submission
from lakebed.report.formats import Format, renderer

router = APIRouter(tags=["operations"])
MEDIA = {Format.JSON: "application/json", Format.HTML: "text/html", Format.TEXT: "text/plain"}
ALONE = {"Content-Security-Policy": "sandbox allow-scripts", "X-Content-Type-Options": "nosniff"}
"""A page of this origin that may do nothing in its name, whatever the keys in it are."""
LAST = 2**63 - 1
"""The largest number that a database can be asked for."""
CHUNK = 1 << 16
"""Characters of a report that leave at once, at the least."""
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
STORABLE = r"^[^\x00]*$"
"""No text of a database holds a NUL."""
BatchId = Annotated[str, Path(max_length=64, pattern=STORABLE)]
After = Annotated[
    str | None,
    Query(max_length=2048, pattern=STORABLE, description="The `next` of a page before."),
]


@router.get(PREFIX)
async def operations(
    who: Who,
    at: At,
    state: Annotated[OperationState | None, Query(description="Only those in this state.")] = None,
    kind: Annotated[Kind | None, Query(description="Only those of this kind.")] = None,
    batch: Annotated[
        str | None,
        Query(max_length=64, pattern=STORABLE, description="Only those of this batch."),
    ] = None,
    mine: Annotated[bool, Query(description="Only those that the caller asked for.")] = False,
    limit: Limit = 50,
    after: After = None,
) -> OperationPage:
    """Operations that the caller may see, the newest first."""
    who.check(Permission.OPERATIONS_READ)

    def read() -> OperationPage:
        page = operations_page(
            at.platform.ledger,
            lambda one: may_see(who, one.request),
            state=state,
            kind=kind,
            batch=batch,
            caller=who.id if mine else None,
            limit=limit,
            after=after,
        )
        return OperationPage(operations=_told(at, page.operations), next=page.next)

    return await at.do(read)


async def recent(who: Caller, at: Service, limit: int) -> list[OperationStatus]:
    """Those that the caller may see and nobody works at any more, the newest end first."""
    who.check(Permission.OPERATIONS_READ)

    def read() -> list[OperationStatus]:
        found = ended(at.platform.ledger, lambda one: may_see(who, one.request), limit)
        return _told(at, found)

    return await at.do(read)


def _told(at: Service, found: Sequence[Operation]) -> list[OperationStatus]:
    told = []
    for one in found:
        with suppress(UnknownOperation):  # it may just have been pruned
            told.append(status_of(at.platform.ledger, one.id))
    return told


@router.get(BATCHES + "/{batch_id}")
async def batch_status(batch_id: BatchId, who: Who, at: At) -> BatchStatus:
    """How the operations of a batch stand together."""
    found = (await operations(who, at, batch=batch_id, limit=MOST_BATCH)).operations
    if not found:
        raise UnknownOperation("no such batch", subject=batch_id)
    return BatchStatus(
        batch_id=batch_id,
        operations=len(found),
        states=Counter(one.state for one in found),
        files_total=sum(one.files_total for one in found),
        files_done=sum(one.files_done for one in found),
        files_skipped=sum(one.files_skipped for one in found),
        files_failed=sum(one.files_failed for one in found),
        files_quarantined=sum(one.files_quarantined for one in found),
        bytes_total=sum(one.bytes_total for one in found),
        bytes_done=sum(one.bytes_done for one in found),
    )


@router.get("/operations/{operation_id}", include_in_schema=False)
@router.get(PREFIX + "/{operation_id}", response_model=OperationStatus)
async def operation(operation_id: str, who: Who, at: At) -> Response:
    """How an operation stands."""
    try:
        found = await at.statuses.of(_id(operation_id))
    except UnknownOperation:
        raise _unknown(operation_id) from None
    check_sight(who, operation_id, found.request)
    return Response(found.body, media_type="application/json")


@router.get(PREFIX + "/{operation_id}/objects")
async def objects(
    operation_id: str,
    who: Who,
    at: At,
    state: Annotated[ObjectState | None, Query(description="Only those in this state.")] = None,
    limit: Limit = 100,
    after: After = None,
) -> ObjectPage:
    """The objects that an operation acted on, in key order."""

    def read() -> ObjectPage:
        found = seen(at, who, operation_id)
        rows = objects_page(at.platform.ledger.engine, found.id, state, limit, after)
        told = [ObjectStatus.model_validate(row) for row in rows]
        return ObjectPage(objects=told, next=told[-1].key if len(told) == limit else None)

    return await at.do(read)


@router.get(
    PREFIX + "/{operation_id}/events",
    status_code=200,
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(
    operation_id: str,
    who: Who,
    at: At,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="Go on after this event.")
    ] = None,
    after: Annotated[
        int, Query(ge=0, lt=2**31, description="The same; the header comes first.")
    ] = 0,
) -> Seated:
    """What happens in an operation, as server-sent events, until it ends.

    `queued`, `started`, `objects` (outcomes of some moments), `progress` (once a second), and
    `summary` at the end, under the number of the event before it; docs/api.md has their data.
    A replica that stops ends the stream without one: ask another, with the last number.
    """
    found = await at.do(lambda: seen(at, who, operation_id))
    number = min(_number(last_event_id) or after, LAST)

    async def may() -> bool:
        try:
            today = await at.do(lambda: at.reception.standing.now(who))
        except Unauthenticated:
            return False
        except LedgerError:  # away: it has no news either
            return True
        return may_see(today, found.request)

    return Seated(
        at.streams.response(found.id, number, may), at.seats, who.id, at.settings.executor.streams
    )


@router.get(
    PREFIX + "/{operation_id}/report",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {} for media in MEDIA.values()}}},
)
async def report(
    operation_id: str,
    who: Who,
    at: At,
    format: Annotated[Format, Query(description="The form.")] = Format.JSON,  # noqa: A002
) -> StreamingResponse:
    """All that the ledger tells of an operation; docs/report.md says what each name means."""

    def read() -> tuple[Report, Iterator[Failure]]:
        found = seen(at, who, operation_id)
        ledger = at.platform.ledger
        return ledger.report(found.id), ledger.failures(found.id)

    lines = renderer(format)(*await at.do(read))
    return StreamingResponse(chunks(lines), media_type=MEDIA[format], headers=ALONE)


@router.post(PREFIX + "/{operation_id}/cancel", status_code=202)
async def cancel(operation_id: str, http: Request, who: Who, at: At) -> OperationStatus:
    """Stop an operation for good, wherever it runs."""

    def act() -> OperationStatus:
        found = seen(at, who, operation_id)
        http.state.subject = found.id
        submission = at.queue.submission(found.id)
        check_cancel(who, submission.caller if submission else None)
        at.platform.cancel(found.id)
        return status_of(at.platform.ledger, found.id)

    told = await at.do(act)
    at.statuses.forget(told.operation_id)
    return told


@router.post(PREFIX + "/{operation_id}/resume", status_code=202)
async def resume(operation_id: str, http: Request, who: Who, at: At) -> OperationStatus:
    """Go on where an operation stopped; what failed or is in quarantine is tried again.

    One that waits to begin is left as it is.
    """

    def act() -> OperationStatus:
        found = seen(at, who, operation_id)
        http.state.subject = found.id
        check_request(who, found.request)
        if found.state is OperationState.RUNNING:
            raise RunningElsewhere("it is running", subject=found.id, advice="watch its events")
        number = last_number(at.platform.ledger.engine, found.id)
        if at.platform.is_left(found):
            at.queue.want(found.id, Submission(who.id, who.to_json()))
        told = status_of(at.platform.ledger, found.id)
        return told.model_copy(update={"events_url": f"{told.events_url}?after={number}"})

    told = await at.do(act)
    at.statuses.forget(told.operation_id)
    at.crew.hint()
    return told


def _number(text: str | None) -> int:
    """What is no number of an event is as good as none."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else 0


def seen(at: Service, who: Caller, operation_id: str) -> Operation:
    """The operation, where the caller may see it; else it is unknown to this caller."""
    try:
        found = at.platform.ledger.get(_id(operation_id))
    except UnknownOperation:
        raise _unknown(operation_id) from None
    check_sight(who, operation_id, found.request)
    return found


def _id(text: str) -> str:
    """Nothing, of what is no id."""
    return text if text.isascii() and text.isalnum() else ""


def _unknown(operation_id: str) -> UnknownOperation:
    """The same whether there is none, several or one that this caller may not see."""
    return UnknownOperation(
        "no such operation", subject=operation_id, advice="`lakebed operations` lists them"
    )


def check_sight(who: Caller, operation_id: str, request: OperationRequest) -> None:
    """Raises Forbidden, UnknownOperation."""
    who.check(Permission.OPERATIONS_READ)
    if not may_see(who, request):
        raise _unknown(operation_id)


def check_cancel(who: Caller, asker: str | None) -> None:
    """`asker` is the id of who asked for the operation. Raises Forbidden."""
    who.check(Permission.SYNC_EXECUTE if asker == who.id else Permission.OPERATIONS_CANCEL)


def chunks(lines: Iterator[str]) -> Iterator[str]:
    """A report in pieces of some size: of any length within little memory."""
    piece, size = list[str](), 0
    for line in lines:
        piece.append(line)
        size += len(line) + 1
        if size >= CHUNK:
            yield "\n".join([*piece, ""])
            piece, size = [], 0
    yield "\n".join([*piece, ""]) if piece else ""
