"""What the routes work with: one value, made at start and closed at the end."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from lakebed.audit.heads import heads_of
from lakebed.audit.log import Log
from lakebed.executor.auditor import Auditor
from lakebed.executor.crew import Crew
from lakebed.executor.seats import Seats
from lakebed.executor.webhooks.courier import Courier
from lakebed.operations.queue import Queue
from lakebed.operations.run import Platform
from lakebed.settings import Settings
from lakebed.settings.master import key_for

T = TypeVar("T")
THREADS = 16
"""Threads in which requests speak to the database: more than its connections would only wait."""


@dataclass(slots=True)
class Service:
    """One replica. `settings` may be replaced while it runs."""

    settings: Settings
    platform: Platform
    queue: Queue
    crew: Crew
    limiter: CapacityLimiter
    audit: Auditor
    courier: Courier
    seats: Seats = field(default_factory=Seats)

    @classmethod
    def open(cls, settings: Settings) -> "Service":
        """Raises LedgerError, ConfigurationError."""
        platform = Platform(settings)
        queue = Queue(platform.ledger.engine)
        log = Log.open(queue.engine, key_for("audit", settings, os.environ))
        return cls(
            settings,
            platform,
            queue,
            Crew(settings, queue),
            CapacityLimiter(THREADS),
            Auditor(log, heads_of(settings)),
            Courier(
                settings.webhooks,
                platform.ledger,
                queue,
                key_for("webhooks", settings, os.environ),
            ),
        )

    def do(self, action: Callable[[], T]) -> Awaitable[T]:
        """Do what may block, outside of the loop."""
        return to_thread.run_sync(action, limiter=self.limiter)


def service_of(connection: HTTPConnection) -> Service:
    """A dependency of routes."""
    service: Service = connection.app.state.service
    return service
