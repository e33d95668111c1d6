"""The application: routes over a service, whose crew runs as long as the application does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from lakebed import __version__
from lakebed.executor import problems
from lakebed.executor.auditing import Audited
from lakebed.executor.bodies import BodyLimit
from lakebed.executor.document import DocumentedApi
from lakebed.executor.routes import health, operations, sync, webhooks
from lakebed.executor.service import Service

ROUTERS = (sync.router, operations.router, webhooks.router, health.router)


def build(service: Service) -> FastAPI:
    app = DocumentedApi(
        title="Lakebed executor",
        version=__version__,
        description="Moves archives between object stores, proves each object, remembers it.",
        lifespan=_running,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    problems.add_to(app)
    app.add_middleware(BodyLimit, service=service)
    app.add_middleware(Audited, service=service)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    service.audit.start()
    service.courier.start()
    crew = asyncio.create_task(service.crew.run())
    try:
        yield
    finally:
        await service.crew.stop()
        await crew
        await service.courier.stop()
        await service.audit.stop()
        await asyncio.to_thread(service.platform.__exit__, None, None, None)
