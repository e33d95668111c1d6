"""Watching, cancelling and resuming operations: `/api/v1/operations`."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from lakebed.access.caller import Caller
from lakebed.access.permission import Permission
from lakebed.access.permits import check_request, may_see
from lakebed.api.answers import ObjectPage, ObjectStatus, OperationPage, OperationStatus
from lakebed.errors import UnknownOperation
from lakebed.executor.callers import At, Who
from lakebed.executor.service import Service
from lakebed.executor.status import PREFIX, status_of
from lakebed.executor.streams import frames
from lakebed.model.operation import Kind, ObjectState, OperationState
from lakebed.operations.operation import Operation
from lakebed.operations.pages import objects_page, operations_page
from lakebed.operations.queue import Submission
from lakebed.report.formats import Format, renderer

router = APIRouter(tags=["operations"])
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
After = Annotated[str | None, Query(max_length=2048, description="The `next` of a page before.")]


@router.get(PREFIX)
async def operations(
    who: Who,
    at: At,
    state: Annotated[OperationState | None, Query(description="Only those in this state.")] = None,
    kind: Annotated[Kind | None, Query(description="Only those of this kind.")] = None,
    batch: Annotated[
        str | None, Query(max_length=64, description="Only those of this batch.")
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
        told = [status_of(at.platform.ledger, at.queue, one) for one in page.operations]
        return OperationPage(operations=told, next=page.next)

    return await at.do(read)


@router.get("/operations/{operation_id}", include_in_schema=False)
@router.get(PREFIX + "/{operation_id}")
async def operation(operation_id: str, who: Who, at: At) -> OperationStatus:
    """How an operation stands."""

    def read() -> OperationStatus:
        return status_of(at.platform.ledger, at.queue, seen(at, who, operation_id))

    return await at.do(read)


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


@router.get(PREFIX + "/{operation_id}/events", response_class=StreamingResponse)
async def events(
    operation_id: str,
    who: Who,
    at: At,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="Go on after this event.")
    ] = None,
) -> StreamingResponse:
    """What happens in an operation, as server-sent events, until it ends.

    `queued`, `started`, `objects` (outcomes of some moments), `progress` (once a second), and
    `summary` at the end; docs/api.md has their data.
    """
    found = await at.do(lambda: seen(at, who, operation_id))
    number = int(last_event_id) if last_event_id and last_event_id.isdigit() else 0
    return StreamingResponse(
        frames(at, found.id, number),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get(PREFIX + "/{operation_id}/report", response_class=StreamingResponse)
async def report(
    operation_id: str,
    who: Who,
    at: At,
    format: Annotated[Format, Query(description="The form.")] = Format.JSON,  # noqa: A002
) -> StreamingResponse:
    """All that the ledger tells of an operation; docs/report.md says what each name means."""

    def read() -> "list[str]":
        found = seen(at, who, operation_id)
        ledger = at.platform.ledger
        return list(renderer(format)(ledger.report(found.id), ledger.failures(found.id)))

    lines = await at.do(read)
    media = {Format.JSON: "application/json", Format.HTML: "text/html", Format.TEXT: "text/plain"}
    return StreamingResponse((f"{line}\n" for line in lines), media_type=media[format])


@router.post(PREFIX + "/{operation_id}/cancel", status_code=202)
async def cancel(operation_id: str, who: Who, at: At) -> OperationStatus:
    """Stop an operation for good, wherever it runs."""

    def act() -> OperationStatus:
        found = seen(at, who, operation_id)
        submission = at.queue.submission(found.id)
        is_own = submission is not None and submission.caller == who.id
        who.check(Permission.SYNC_EXECUTE if is_own else Permission.OPERATIONS_CANCEL)
        at.platform.cancel(found.id)
        return status_of(at.platform.ledger, at.queue, at.platform.ledger.get(found.id))

    return await at.do(act)


@router.post(PREFIX + "/{operation_id}/resume", status_code=202)
async def resume(operation_id: str, http: Request, who: Who, at: At) -> OperationStatus:
    """Go on where an operation stopped; what failed or is in quarantine is tried again."""

    def act() -> OperationStatus:
        found = seen(at, who, operation_id)
        check_request(who, found.request)
        at.queue.want(found.id, Submission(who.id, who.to_json()))
        return status_of(at.platform.ledger, at.queue, at.platform.ledger.get(found.id))

    told = await at.do(act)
    at.crew.hint()
    return told


def seen(at: Service, who: Caller, operation_id: str) -> Operation:
    """The operation, where the caller may see it; else it is unknown to this caller."""
    who.check(Permission.OPERATIONS_READ)
    found = at.platform.ledger.get(operation_id)
    if not may_see(who, found.request):
        raise UnknownOperation("no such operation", subject=operation_id)
    return found
