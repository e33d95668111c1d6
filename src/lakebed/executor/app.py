"""The application: routes over a service, whose crew runs as long as the application does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from lakebed import __version__
from lakebed.executor import problems
from lakebed.executor.reload import Reloader
from lakebed.executor.routes import configuration, health, operations, sync
from lakebed.executor.service import Service
from lakebed.settings.layers import Sources

ROUTERS = (sync.router, operations.router, configuration.router, health.router)


def build(service: Service, sources: Sources | None = None) -> FastAPI:
    """The application; where its settings come from `sources`, it takes over what changes there.

    Raises ConfigurationError where they may not be served.
    """
    app = FastAPI(
        title="Lakebed executor",
        version=__version__,
        description="Moves archives between object stores, proves each object, remembers it.",
        lifespan=_running,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.reloader = Reloader(service, sources)
    problems.add_to(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    crew = asyncio.create_task(service.crew.run())
    reloading = asyncio.create_task(app.state.reloader.run())
    try:
        yield
    finally:
        reloading.cancel()
        await service.crew.stop()
        await crew
        await asyncio.to_thread(service.platform.__exit__, None, None, None)
