"""The application: routes over a service, whose crew runs as long as the application does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from lakebed import __version__
from lakebed.executor import problems
from lakebed.executor.heartbeat import heartbeat
from lakebed.executor.observed import Observed
from lakebed.executor.routes import health, infrastructure, metrics, operations, storage, sync
from lakebed.executor.service import Service

ROUTERS = (
    sync.router,
    operations.router,
    storage.router,
    infrastructure.router,
    health.router,
    metrics.router,
)


def build(service: Service) -> FastAPI:
    app = FastAPI(
        title="Lakebed executor",
        version=__version__,
        description="Moves archives between object stores, proves each object, remembers it.",
        lifespan=_running,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    problems.add_to(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Observed, service=service)  # the last one is the outermost
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    crew = asyncio.create_task(service.crew.run())
    beating = asyncio.create_task(heartbeat(service))
    try:
        yield
    finally:
        await service.crew.stop()
        await crew
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await asyncio.to_thread(service.platform.__exit__, None, None, None)
