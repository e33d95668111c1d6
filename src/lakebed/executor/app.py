"""The application: routes over a service, whose crew runs as long as the application does."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from fastapi import FastAPI

from lakebed import __version__
from lakebed.executor import problems
from lakebed.executor.auditing import Audited
from lakebed.executor.bodies import BodyLimit
from lakebed.executor.console import CONSOLE
from lakebed.executor.document import DocumentedApi
from lakebed.executor.entrance import Entrance
from lakebed.executor.heartbeat import heartbeat
from lakebed.executor.housekeeping import keep_house
from lakebed.executor.observed import Observed
from lakebed.executor.reload import Reloader
from lakebed.executor.routes import (
    configuration,
    health,
    infrastructure,
    metrics,
    operations,
    plan,
    session,
    storage,
    sync,
    webhooks,
)
from lakebed.executor.service import Service
from lakebed.settings.layers import Sources

_log = logging.getLogger(__name__)
ROUTERS = (
    sync.router,
    plan.router,
    operations.router,
    configuration.router,
    session.router,
    webhooks.router,
    storage.router,
    infrastructure.router,
    health.router,
    metrics.router,
    *CONSOLE,
)


def build(service: Service, sources: Sources | None = None) -> FastAPI:
    """The application; where its settings come from `sources`, it takes over what changes there.

    Raises ConfigurationError where they may not be served.
    """
    app = described()
    app.state.service = service
    app.state.reloader = Reloader(service, sources)
    app.add_middleware(Entrance)
    app.add_middleware(BodyLimit, service=service)
    app.add_middleware(Audited, service=service)
    app.add_middleware(Observed, service=service)  # the last one is the outermost
    return app


def described() -> FastAPI:
    """The application without a service: enough to say what can be asked of one."""
    app = DocumentedApi(
        title="Lakebed executor",
        version=__version__,
        description="Moves archives between object stores, proves each object, remembers it.",
        lifespan=_running,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would be answered before anybody asks who it is
        generate_unique_id_function=lambda route: route.name,
    )
    problems.add_to(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, service.platform.__exit__, None, None, None)
        service.audit.start()
        stack.push_async_callback(service.audit.stop)
        await stack.enter_async_context(_beside(heartbeat(service)))
        await stack.enter_async_context(_beside(service.crew.run(), service.crew.stop))
        await stack.enter_async_context(_beside(service.streams.run(), service.streams.close))
        await stack.enter_async_context(_beside(app.state.reloader.run()))
        await stack.enter_async_context(_beside(keep_house(lambda: service.platform.ledger)))
        service.courier.start()
        stack.push_async_callback(service.courier.stop)
        yield


@asynccontextmanager
async def _beside(
    running: Coroutine[None, None, None],
    stop: Callable[[], Awaitable[None] | None] | None = None,
) -> AsyncIterator[None]:
    """Run it while the scope lasts; at its end it is stopped and waited for, or else cancelled."""
    task = asyncio.create_task(running)
    task.add_done_callback(_check)
    try:
        yield
    finally:
        if stop is None:
            task.cancel()
        elif (stopping := stop()) is not None:
            await stopping
        with suppress(asyncio.CancelledError):
            await task


def _check(task: asyncio.Task[None]) -> None:
    """A replica of which a part is gone is none: it stops, and others take over."""
    if not task.cancelled() and (error := task.exception()):
        _log.critical("a part of the replica broke: it stops", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
