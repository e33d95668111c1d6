from collections.abc import Iterator
from pathlib import Path

import pytest

from lakebed.database.engine import sqlite_url
from tests.database import postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.serve() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.db")
    server: postgresql.Server = request.getfixturevalue("server")
    return server.url(server.new_database())
