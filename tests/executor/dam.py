"""A way to a store on which objects wait until it is opened: so long an operation runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.e2e.gateway import Answer, Asked, Gateway
from tests.e2e.process import PATIENCE
from tests.fixtures_stores import Served


@dataclass
class Dam:
    endpoint: str = ""
    _open: threading.Event = field(default_factory=threading.Event)
    _reached: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def reached(self) -> None:
        """Wait for one more request for an object."""
        assert self._reached.acquire(timeout=PATIENCE), "nobody came"

    def open(self) -> None:
        self._open.set()

    def choose(self, asked: Asked) -> Answer:
        if asked.method == "GET" and not asked.is_listing:
            self._reached.release()
            self._open.wait(PATIENCE)
        return None


@contextmanager
def dam(served: Served) -> Iterator[Dam]:
    built = Dam()
    address = urlsplit(served.endpoint)
    with Gateway((str(address.hostname), address.port or 0), built.choose) as gateway:
        built.endpoint = gateway.endpoint
        try:
            yield built
        finally:
            built.open()
