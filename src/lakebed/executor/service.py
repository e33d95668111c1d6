"""What the routes work with: one value, made at start and closed at the end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from lakebed.access.reception import Reception
from lakebed.executor.admission import Admission
from lakebed.executor.crew import Crew
from lakebed.operations.queue import Queue
from lakebed.operations.run import Platform
from lakebed.settings import Settings

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
    reception: Reception
    host: str
    """Where it listens, as it was told."""

    @classmethod
    def open(cls, settings: Settings, host: str = "localhost") -> "Service":
        """Raises LedgerError."""
        platform = Platform(settings)
        engine = platform.ledger.engine
        queue = Queue(engine)
        reception = Reception(lambda: service.settings.access, engine, token_hex(8))
        crew = Crew(settings, queue, Admission(reception.standing))
        limiter = CapacityLimiter(THREADS)
        service = cls(settings, platform, queue, crew, limiter, reception, host)
        return service

    def do(self, action: Callable[[], T]) -> Awaitable[T]:
        """Do what may block, outside of the loop."""
        return to_thread.run_sync(action, limiter=self.limiter)


def service_of(connection: HTTPConnection) -> Service:
    """A dependency of routes."""
    service: Service = connection.app.state.service
    return service
