"""A replica inside the test's own process, asked without a socket."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.testclient import TestClient

from lakebed.access.caller import Grant
from lakebed.access.keys import Keys
from lakebed.access.permission import Role
from lakebed.database.engine import sqlite_url
from lakebed.executor.app import build
from lakebed.executor.service import Service
from lakebed.settings import Settings

STORE = {"endpoint": "http://127.0.0.1:9", "access_key": "a", "secret_key": "b"}
LATER = "2999-01-01T00:00:00Z"


@dataclass
class Inside:
    service: Service
    client: TestClient

    def key(
        self, role: Role = Role.INFRASTRUCTURE_ADMIN, *grants: Grant, seconds: float | None = None
    ) -> dict[str, str]:
        """The header of a new key."""
        keys = Keys(self.service.platform.ledger.engine)
        given = grants or (Grant("*", write=True),)
        return bearer(keys.create("night", [role], given, seconds, "test")[1])


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def sync(source: str = "here:lake/a/", destination: str = "there:lake/b/") -> dict[str, object]:
    """The body of a sync that nobody runs yet."""
    return {"source": source, "destination": destination, "scheduled_for": LATER}


@contextmanager
def inside(template: Path, folder: Path, **settings: object) -> Iterator[Inside]:
    """It serves while the scope lasts, from a copy of an empty ledger."""
    ledger = folder / "ledger.db"
    shutil.copy(template, ledger)
    given = {
        "state": folder,
        "ledger": sqlite_url(ledger),
        "stores": {"here": STORE, "there": STORE},
        **settings,
    }
    service = Service.open(Settings.model_validate(given))
    with TestClient(build(service), base_url="http://localhost") as client:
        yield Inside(service, client)
