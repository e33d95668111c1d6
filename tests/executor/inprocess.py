"""A replica inside of the test's own process, asked by whichever caller a test wants."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from lakebed.access.caller import LOCAL, Caller, Grant
from lakebed.access.permission import Role
from lakebed.executor.app import build
from lakebed.executor.callers import caller_of
from lakebed.executor.service import Service
from lakebed.settings import Settings, StoreSettings
from lakebed.settings.access import AccessSettings
from tests.fixtures_stores import Served


@dataclass(frozen=True, slots=True)
class Inside:
    service: Service
    app: FastAPI
    client: TestClient

    def become(self, caller: Caller) -> None:
        """Every request from now on is of this caller."""
        self.app.dependency_overrides[caller_of] = lambda: caller


@contextmanager
def inside(settings: Settings) -> Iterator[Inside]:
    service = Service.open(settings)
    app = build(service)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Inside(service, app, client)


def settings_in(folder: Path, **stores: StoreSettings) -> Settings:
    return Settings(state=folder, stores=dict(stores), access=AccessSettings(mode="none"))


def store_of(name: str, served: Served) -> StoreSettings:
    return StoreSettings(
        name=name,
        endpoint=served.endpoint,
        access_key=SecretStr(served.access_key),
        secret_key=SecretStr(served.secret_key),
    )


def caller(role: Role, *grants: Grant) -> Caller:
    return Caller("key:1", "somebody", frozenset({role}), grants)


__all__ = ["LOCAL", "Inside", "caller", "inside", "settings_in", "store_of"]
