"""Databases of both kinds, and an issuer that does what a test wants."""

from collections.abc import Iterator

import pytest

from tests.access.issuer import FakeIssuer, issuing
from tests.operations.conftest import clock, engine, pg, server, sqlite, sqlite_template

__all__ = ["clock", "engine", "pg", "server", "sqlite", "sqlite_template"]


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with issuing() as running:
        yield running
