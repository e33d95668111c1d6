"""Operations: all that is going on, one of them, its objects."""

from collections import Counter
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from lakebed.access.permits import check_request
from lakebed.api.answers import ObjectStatus, OperationStatus
from lakebed.errors import Forbidden
from lakebed.executor.callers import At, Who
from lakebed.executor.console.pages import PageRoute, page
from lakebed.executor.routes import operations as api
from lakebed.model.operation import NEXT_STATES, Kind, ObjectState, OperationState
from lakebed.operations.course import course
from lakebed.operations.states import FINISHED

router = APIRouter(include_in_schema=False, route_class=PageRoute)
RECENT = 20
BUSY = 50
"""Running or queued ones that are shown; the page of each state has the rest."""
EXAMPLES = 10
_REFUSED = (ObjectState.FAILED, ObjectState.QUARANTINED)
After = api.After


@router.get("/")
async def overview(request: Request, who: Who, at: At) -> HTMLResponse:
    """What runs, what waits, what ended last."""
    running = await api.operations(who, at, state=OperationState.RUNNING, limit=BUSY)
    queued = await api.operations(who, at, state=OperationState.QUEUED, limit=BUSY)
    return page(
        request,
        "overview.html",
        who,
        running=running,
        queued=queued,
        recent=await api.recent(who, at, RECENT),
    )


@router.get("/console/operations")
async def operations(
    request: Request,
    who: Who,
    at: At,
    state: OperationState | None = None,
    kind: Kind | None = None,
    mine: bool = False,
    after: After = None,
) -> HTMLResponse:
    """All operations, a page at a time."""
    found = await api.operations(who, at, state=state, kind=kind, mine=mine, after=after)
    return page(
        request,
        "operations.html",
        who,
        found=found,
        state=state,
        kind=kind,
        mine=mine,
        after=after,
        states=list(OperationState),
        kinds=list(Kind),
    )


@router.get("/console/operations/{operation_id}")
async def operation(
    request: Request, operation_id: str, who: Who, at: At, live: bool = False
) -> HTMLResponse:
    """How one stands. `live` leaves out what the script of the page has already."""
    told = await _told(operation_id, who, at)
    refused: list[ObjectStatus] = []
    for state, count in zip(_REFUSED, (told.files_failed, told.files_quarantined), strict=True):
        if count:
            found = await api.objects(told.operation_id, who, at, state=state, limit=EXAMPLES)
            refused += found.objects
    engine = at.platform.ledger.engine
    points = [] if live else await at.do(lambda: course(engine, told.operation_id))
    known = await at.statuses.of(told.operation_id)
    nexts = NEXT_STATES[told.state]
    can_resume = told.state in FINISHED and OperationState.RUNNING in nexts
    return page(
        request,
        "operation.html",
        who,
        told=told,
        refused=refused,
        causes=Counter(told.errors).most_common(),
        course=points,
        live=live,
        may_cancel=OperationState.CANCELLED in nexts
        and _passes(lambda: api.check_cancel(who, told.caller)),
        may_resume=can_resume and _passes(lambda: check_request(who, known.request)),
    )


@router.get("/console/operations/{operation_id}/objects")
async def objects(
    request: Request,
    operation_id: str,
    who: Who,
    at: At,
    state: ObjectState | None = None,
    after: After = None,
) -> HTMLResponse:
    """What it acted on, in key order, a page at a time."""
    told = await _told(operation_id, who, at)
    found = await api.objects(told.operation_id, who, at, state=state, after=after)
    return page(
        request,
        "objects.html",
        who,
        told=told,
        found=found,
        state=state,
        after=after,
        states=list(ObjectState),
    )


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except Forbidden:
        return False
    return True


async def _told(operation_id: str, who: Who, at: At) -> OperationStatus:
    answer = await api.operation(operation_id, who, at)
    return OperationStatus.model_validate_json(bytes(answer.body))
