"""Asking for operations: `POST /api/v1/sync`, `/sync/batch`, `/verify`."""

from collections.abc import Sequence
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi import Request as Http

from lakebed.access.caller import Caller
from lakebed.access.permits import check_request, check_stores
from lakebed.api.answers import Accepted, BatchAccepted
from lakebed.api.requests import BatchRequest, SyncRequest, VerifyRequest
from lakebed.errors import AccessError, UsageError
from lakebed.executor.callers import At, Known, Who
from lakebed.executor.service import Service
from lakebed.executor.status import BATCHES, PREFIX
from lakebed.executor.tracing import traceparent_of
from lakebed.executor.webhooks.address import check_url
from lakebed.model.operation import OperationState, Request
from lakebed.operations.submission import Enqueued, Idempotency, Submission

router = APIRouter(tags=["operations"], route_class=Known)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A repeated request with this key and body returns the first operation, for "
        "a day; with another body it is refused.",
    ),
]


@router.post("/sync", status_code=202, include_in_schema=False)
@router.post("/api/v1/sync", status_code=202)
async def sync(body: SyncRequest, http: Http, who: Who, at: At, key: Key = None) -> Accepted:
    """Start a sync, or find the one that the same key started."""
    return _accepted(await _enqueue(at, who, http, [body], key))[0]


@router.post("/api/v1/sync/batch", status_code=202)
async def batch(body: BatchRequest, http: Http, who: Who, at: At, key: Key = None) -> BatchAccepted:
    """Start up to 100 syncs, all or none."""
    batch_id = token_hex(8)
    enqueued = await _enqueue(at, who, http, body.requests, key, batch_id)
    if enqueued.repeated:
        found = await at.do(lambda: at.queue.submission(enqueued.ids[0]))
        batch_id = (found.batch if found else None) or batch_id
    return BatchAccepted(
        batch_id=batch_id,
        summary_url=f"{BATCHES}/{batch_id}",
        operations=_accepted(enqueued),
    )


@router.post("/api/v1/verify", status_code=202)
async def verify(body: VerifyRequest, http: Http, who: Who, at: At, key: Key = None) -> Accepted:
    """Prove a destination against its source; copies nothing."""
    return _accepted(await _enqueue(at, who, http, [body], key))[0]


async def _enqueue(
    at: Service,
    who: Caller,
    http: Http,
    bodies: Sequence[VerifyRequest],
    key: str | None,
    batch_id: str | None = None,
) -> Enqueued:
    trace = traceparent_of(http)
    given = Idempotency(key, _does(http) + await http.body()) if key else None

    def enqueue() -> Enqueued:
        submitted = []
        for number, body in enumerate(bodies):
            try:
                request = _checked(at, who, body)
            except (UsageError, AccessError) as error:
                if batch_id is not None:
                    http.state.field = f"requests.{number}"
                    error.subject = f"requests[{number}]: {error.subject}".removesuffix(": ")
                raise
            told = body.notification.model_dump_json() if body.notification else None
            submission = Submission(
                who.id, who.to_json(), body.priority, body.not_before, batch_id, trace, told
            )
            submitted.append((request, submission))
        return at.queue.enqueue(submitted, given)

    enqueued = await at.do(enqueue)
    http.state.subject = " ".join(enqueued.ids)
    at.crew.hint()
    http.state.operation_id = enqueued.ids[0]  # for the log
    return enqueued


def _checked(at: Service, who: Caller, body: VerifyRequest) -> Request:
    """What is asked for, where it can be and may be. Raises UsageError, AccessError."""
    request = body.request(at.settings.executor.memory)
    check_stores(who, request)
    request = at.platform.checked(request)
    check_request(who, request, body.priority)
    if body.notification is not None:
        check_url(body.notification.webhook_url, at.settings.webhooks)
    return request


def _does(http: Http) -> bytes:
    """What a request with a key asks for, whichever of its paths it came by."""
    return str(http.scope["route"].name).encode()


def _accepted(enqueued: Enqueued) -> list[Accepted]:
    return [
        Accepted(
            operation_id=operation_id,
            state=OperationState.QUEUED,
            progress_url=f"{PREFIX}/{operation_id}",
            events_url=f"{PREFIX}/{operation_id}/events",
            repeated=enqueued.repeated,
        )
        for operation_id in enqueued.ids
    ]
