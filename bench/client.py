"""Lakebed's own client, for the loops and for what the benchmark itself must do."""

from pydantic import SecretStr

from lakebed.settings import StoreSettings
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Store
from lakebed.store.s3.credentials import Credentials


def open_at(name: str, endpoint: str, credentials: Credentials) -> Store:
    """A client for the store at an endpoint. Close it after use."""
    settings = StoreSettings(
        name=name,
        endpoint=endpoint,
        access_key=SecretStr(credentials.access_key),
        secret_key=SecretStr(credentials.secret_key),
    )
    return open_store(settings, Cancellation())
