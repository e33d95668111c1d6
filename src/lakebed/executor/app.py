"""The application: routes over a service, whose crew runs as long as the application does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from lakebed import __version__
from lakebed.executor import problems
from lakebed.executor.entrance import Entrance
from lakebed.executor.routes import health, operations, session, sync
from lakebed.executor.service import Service

ROUTERS = (sync.router, operations.router, session.router, health.router)


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
    app.add_middleware(Entrance)
    problems.add_to(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    crew = asyncio.create_task(service.crew.run())
    try:
        yield
    finally:
        await service.crew.stop()
        await crew
        await asyncio.to_thread(service.platform.__exit__, None, None, None)
