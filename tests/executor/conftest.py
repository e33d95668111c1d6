"""Replicas of the executor between real stores, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.database import postgresql
from tests.e2e.conftest import destination, lakebed, served, source, store
from tests.e2e.process import Lakebed
from tests.executor.replica import Replica, replica
from tests.operations.conftest import server

__all__ = ["destination", "lakebed", "served", "server", "source", "store"]


@pytest.fixture
def executor(lakebed: Lakebed) -> Iterator[Replica]:
    """One replica on SQLite, open to all."""
    with replica(lakebed) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def team(request: pytest.FixtureRequest, lakebed: Lakebed) -> Lakebed:
    """A configuration that several replicas can share, on either database."""
    if request.param == "sqlite":
        return lakebed
    pg: postgresql.Server = request.getfixturevalue("server")
    return lakebed.but(LAKEBED_LEDGER=pg.url(pg.new_database("migrated")))
