"""Whether the process is there, and whether it can serve: `/health`, `/ready`."""

from fastapi import APIRouter, Response

from lakebed import __version__
from lakebed.api.infrastructure import Alive, Health, Ready
from lakebed.executor.callers import At
from lakebed.executor.components import database

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> Alive:
    """The process answers."""
    return Alive(status=Health.HEALTHY, version=__version__)


@router.get("/ready", responses={503: {"model": Ready}})
async def ready(at: At, response: Response) -> Ready:
    """The database answers, and is of this program's schema; the replica takes requests.

    A store that is down takes no replica out of service: the status shows it.
    """
    found = (await database(at)).status
    if at.draining:
        detail = "it is about to stop"
    elif found is Health.HEALTHY:
        return Ready(status=found, database=found, detail="it takes requests")
    else:
        detail = "the database is away, or of another schema: the status and the log say more"
    response.status_code = 503
    return Ready(status=Health.UNHEALTHY, database=found, detail=detail)
