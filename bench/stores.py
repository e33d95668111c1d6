"""Two MinIO servers on loopback, one drive each, that count the requests they answer."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import open_at
from lakebed.errors import ConfigurationError, StoreError
from lakebed.local.address import Address, free_ports
from lakebed.local.child import Child
from lakebed.local.engines.engine import Site
from lakebed.local.engines.minio import Minio
from lakebed.local.knock import knock
from lakebed.store.contract import Store
from lakebed.store.s3.credentials import Credentials

_START_SECONDS = 60.0
_ENVIRONMENT = {
    "MINIO_PROMETHEUS_AUTH_TYPE": "public",
    # The crawler's own reads would be noise in the CPU of whoever runs at that moment.
    "MINIO_SCANNER_SPEED": "slowest",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A MinIO that runs. `data` is its drive, a folder for each bucket."""

    name: str
    endpoint: str
    pid: int
    data: Path
    store: Store = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stores:
    """Source and target, under one identity that was made for this run."""

    source: Server
    target: Server
    credentials: Credentials = field(repr=False)

    @property
    def both(self) -> tuple[Server, Server]:
        return self.source, self.target


@contextmanager
def serve(folder: Path) -> Iterator[Stores]:
    """Start both servers with their drives in `folder`; they end with the block.

    Raises ConfigurationError where there is no MinIO, StoreError where it does not answer.
    """
    credentials = Credentials("bench", secrets.token_hex(16))
    with ExitStack() as running:
        source, target = (
            running.enter_context(_server(name, folder / name, port, credentials))
            for name, port in zip(("source", "target"), free_ports(2), strict=True)
        )
        yield Stores(source, target, credentials)


@contextmanager
def _server(name: str, folder: Path, port: int, credentials: Credentials) -> Iterator[Server]:
    engine = Minio()
    binary = engine.binary()
    if binary is None:
        raise ConfigurationError("there is no MinIO", subject=name, advice="run: make tools")
    site = Site(folder / "data", folder, Address("127.0.0.1", port), credentials)
    site.data.mkdir(parents=True)
    launch = engine.launch(binary, site)
    environment = {**os.environ, **launch.environment, **_ENVIRONMENT}
    child = Child(launch.argv, environment, folder / "log", ())
    child.start()
    try:
        _wait_for(site.address, credentials, child)
        endpoint = f"http://{site.address}"
        with closing(open_at(name, endpoint, credentials)) as store:
            yield Server(name, endpoint, child.pid, site.data, store)
    finally:
        child.stop(engine.grace)


def _wait_for(address: Address, credentials: Credentials, child: Child) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while knock(address, credentials, "GET", "/") != 200:
        if child.wait(0.1) is not None or time.monotonic() > deadline:
            raise StoreError(f"MinIO does not answer: {child.tail()}", subject=str(address))
