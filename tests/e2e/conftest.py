"""The real command between real stores: one server for the session, two buckets for each test."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.local import engines
from lakebed.store.contract import Store
from tests.e2e.buckets import Bucket, open_served
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> Served:
    """MinIO where it is present, else the store from the package index; or the one asked for."""
    engine = getattr(request, "param", None) or _best()
    found: Served = request.getfixturevalue(f"{engine}_store")
    return found


def _best() -> str:
    try:
        engines.choose("minio")
    except ConfigurationError:
        return "seaweedfs"
    return "minio"


@pytest.fixture(scope="session")
def store(served: Served) -> Iterator[Store]:
    with closing(open_served(served)) as opened:
        yield opened


@pytest.fixture
def source(store: Store) -> Bucket:
    return Bucket.create(store)


@pytest.fixture
def destination(store: Store) -> Bucket:
    return Bucket.create(store)


@pytest.fixture
def lakebed(tmp_path: Path, served: Served) -> Lakebed:
    """Knows the server as `here`, and by its other name as `there`: so bytes pass through us."""
    configure(tmp_path, served)
    return Lakebed(tmp_path)


def configure(folder: Path, served: Served) -> None:
    folder.chmod(0o755)
    secret = folder / "secret-key"
    secret.write_text(served.secret_key)
    secret.chmod(0o600)
    endpoints = {
        "here": served.endpoint,
        "there": served.endpoint.replace("127.0.0.1", "localhost"),
    }
    tables = [
        f'[stores.{name}]\nendpoint = "{endpoint}"\naccess_key = "{served.access_key}"\n'
        'secret_key = "file:secret-key"\n'
        for name, endpoint in endpoints.items()
    ]
    (folder / "lakebed.toml").write_text("\n".join(tables))
