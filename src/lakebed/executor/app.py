"""The application: routes over a service, whose crew runs as long as the application does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from fastapi import FastAPI

from lakebed import __version__
from lakebed.executor import problems
from lakebed.executor.console import CONSOLE
from lakebed.executor.entrance import Entrance
from lakebed.executor.housekeeping import keep_house
from lakebed.executor.reload import Reloader
from lakebed.executor.routes import configuration, health, operations, plan, session, sync
from lakebed.executor.service import Service
from lakebed.settings.layers import Sources

ROUTERS = (
    sync.router,
    plan.router,
    operations.router,
    configuration.router,
    session.router,
    health.router,
    *CONSOLE,
)


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
    app.add_middleware(Entrance)
    problems.add_to(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, service.platform.__exit__, None, None, None)
        await stack.enter_async_context(_beside(service.crew.run(), service.crew.stop))
        await stack.enter_async_context(_beside(service.streams.run(), service.streams.close))
        await stack.enter_async_context(_beside(app.state.reloader.run()))
        await stack.enter_async_context(_beside(keep_house(lambda: service.platform.ledger)))
        yield


@asynccontextmanager
async def _beside(
    running: Coroutine[None, None, None],
    stop: Callable[[], Awaitable[None] | None] | None = None,
) -> AsyncIterator[None]:
    """Run it while the scope lasts; at its end it is stopped and waited for, or else cancelled."""
    task = asyncio.create_task(running)
    try:
        yield
    finally:
        if stop is None:
            task.cancel()
        elif (stopping := stop()) is not None:
            await stopping
        with suppress(asyncio.CancelledError):
            await task
