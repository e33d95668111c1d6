"""The form that starts a sync, once its plan was seen."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from lakebed.access.permission import Permission
from lakebed.api.requests import Configuration
from lakebed.executor.callers import At, Who
from lakebed.executor.console.pages import PageRoute, page
from lakebed.model.operation import Compare, Mode, OnChange

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Text = Annotated[str, Query(max_length=1400)]


@router.get("/console/new")
async def new(
    request: Request, who: Who, at: At, source: Text = "", destination: Text = ""
) -> HTMLResponse:
    """The form; an address may fill in its ends."""
    who.check(Permission.SYNC_EXECUTE)
    return page(
        request,
        "new.html",
        who,
        source=source,
        destination=destination,
        stores=sorted(name for name in at.settings.stores if who.touches(name)),
        usual=Configuration(),
        modes=list(Mode),
        compares=list(Compare),
        changes=list(OnChange),
        may_delete=who.may(Permission.SYNC_DELETE),
        may_prioritize=who.may(Permission.SYNC_PRIORITIZE),
    )
