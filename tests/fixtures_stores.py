"""Fixtures that start real stores, once for each test process, when a test first asks for one."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from moto.server import ThreadedMotoServer

from lakebed.errors import ConfigurationError
from lakebed.local import engines
from lakebed.local.embedded import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Served:
    """A store that runs: where it answers, and to whom."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    engine: str


@pytest.fixture(scope="session")
def minio_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _embedded("minio", tmp_path_factory)


@pytest.fixture(scope="session")
def seaweedfs_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _embedded("seaweedfs", tmp_path_factory)


@pytest.fixture(scope="session")
def moto_store() -> Iterator[Served]:
    """In memory, with any key; it does not look at signatures."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Served(f"http://{host}:{port}", "any-access-key", "any-secret-key", "moto")
    finally:
        server.stop()


def _embedded(engine: str, folders: pytest.TempPathFactory) -> Iterator[Served]:
    try:
        engines.choose(engine)
    except ConfigurationError as absent:
        pytest.skip(str(absent))
    with EmbeddedStore(folders.mktemp(engine), engine=engine) as store:
        yield Served(store.endpoint, store.access_key, store.secret_key, store.engine)
