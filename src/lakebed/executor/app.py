"""The application: routes over a service, whose crew runs as long as the application does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from lakebed import __version__
from lakebed.executor import problems
from lakebed.executor.routes import health, operations, plan, sync
from lakebed.executor.service import Service

ROUTERS = (sync.router, plan.router, operations.router, health.router)


def build(service: Service) -> FastAPI:
    app = described()
    app.state.service = service
    return app


def described() -> FastAPI:
    """The application without a service: enough to say what can be asked of one."""
    app = FastAPI(
        title="Lakebed executor",
        version=__version__,
        description="Moves archives between object stores, proves each object, remembers it.",
        lifespan=_running,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
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
