"""The application in this process, over a ledger in SQLite: asked without a socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from lakebed.executor.app import build
from lakebed.executor.service import Service
from lakebed.settings import Settings

STORES = {"lake": {"endpoint": "http://127.0.0.1:9", "access_key": "a", "secret_key": "b"}}
OPEN = {"mode": "none"}
LATER = "2999-01-01T00:00:00Z"
SYNC: dict[str, object] = {
    "source": "lake:raw/a/",
    "destination": "lake:raw/b/",
    "scheduled_for": LATER,
}
"""It waits in the queue: no process is begun for it."""


def settings_in(folder: Path, **more: object) -> Settings:
    return Settings.model_validate(
        {"state": folder / "state", "stores": STORES, "access": OPEN, **more}
    )


@contextmanager
def inside(settings: Settings) -> Iterator[tuple[TestClient, Service]]:
    service = Service.open(settings)
    with TestClient(build(service), raise_server_exceptions=False) as client:
        yield client, service
