import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from lakebed.database.engine import open_engine, sqlite_url
from lakebed.model.location import Location
from lakebed.model.operation import Request
from lakebed.operations.ledger import Ledger
from tests.database import postgresql

REQUEST = Request(Location.parse("binance:data/spot/"), Location.parse("lake:raw/spot/"))


@dataclass
class Clock:
    """A wall clock that stands still until it is told."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "ledger.db"
    open_engine(sqlite_url(path)).dispose()
    return path


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """With a database `migrated` to make copies of."""
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.serve() as server:
        server.execute("CREATE DATABASE migrated")
        open_engine(server.url("migrated")).dispose()
        yield server


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "ledger.db"
    shutil.copy(sqlite_template, path)
    engine = open_engine(sqlite_url(path))
    yield engine
    engine.dispose()


@pytest.fixture
def pg(server: postgresql.Server) -> Iterator[Engine]:
    engine = open_engine(server.url(server.new_database("migrated")))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "pg"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """A migrated database, of both kinds."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def ledger(engine: Engine, clock: Clock) -> Ledger:
    return Ledger(engine, clock)
