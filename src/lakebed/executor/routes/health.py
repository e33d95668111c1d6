"""Whether the process is there, and whether it can serve: `/health`, `/ready`."""

from fastapi import APIRouter, Response

from lakebed import __version__
from lakebed.errors import LedgerError
from lakebed.executor.callers import At

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "healthy", "version": __version__}


@router.get("/ready")
async def ready(at: At, response: Response) -> dict[str, str]:
    """The database answers, and is of this program's schema; the replica takes requests."""
    try:
        await at.do(at.queue.depth)
    except LedgerError:
        response.status_code = 503
        return {"status": "unhealthy", "database": "away"}
    return {"status": "healthy", "database": "healthy"}
