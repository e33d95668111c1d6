"""The whole configuration."""

import difflib
import re
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from lakebed.errors import UnknownStore, UsageError
from lakebed.model.location import LOCAL_STORE
from lakebed.model.quantity import MIN_BANDWIDTH, parse_bandwidth
from lakebed.settings.access import AccessSettings
from lakebed.settings.audit import AuditSettings
from lakebed.settings.executor import ExecutorSettings
from lakebed.settings.observe import ObserveSettings
from lakebed.settings.restart import RESTART
from lakebed.settings.store import FROZEN, FolderSettings, StoreSettings
from lakebed.settings.webhooks import WebhookSettings

BUILT_IN: dict[str, dict[str, object]] = {
    "aws": {"credentials": "chain"},
    "binance": {
        "anonymous": True,
        "addressing": "path",
        "endpoint": "https://s3.ap-northeast-1.amazonaws.com",
        "region": "ap-northeast-1",
    },
}
"""Stores that nobody needs to configure; a table of the same name overrides single fields."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Settings(BaseModel):
    """Everything that is configured; values given on the command line come on top."""

    model_config = FROZEN

    stores: dict[str, StoreSettings] = {}
    state: Path = Field(
        default_factory=lambda: platformdirs.user_state_path("lakebed"), json_schema_extra=RESTART
    )
    """The folder that holds the ledger, where `ledger` says nothing else."""
    ledger: SecretStr = Field(
        default_factory=lambda data: SecretStr(f"sqlite:///{data.get('state', '')}/ledger.sqlite"),
        json_schema_extra=RESTART,
    )
    """The URL of the ledger's database; secret, for it may hold a password."""
    log: Literal["debug", "info", "warning", "error"] = "warning"
    """The least level that is logged, where no option says otherwise."""
    observe: ObserveSettings = Field(default=ObserveSettings(), json_schema_extra=RESTART)
    executor: ExecutorSettings = ExecutorSettings()
    access: AccessSettings = AccessSettings()
    audit: AuditSettings = AuditSettings()
    webhooks: WebhookSettings = WebhookSettings()

    bandwidth: int | None = Field(default=None, ge=MIN_BANDWIDTH)
    """Bytes a second that the process receives, and as many that it sends; by default, and with
    `off`, all that the network has."""

    @field_validator("bandwidth", mode="before", json_schema_input_type=int | str | None)
    @classmethod
    def _read_bandwidth(cls, text: object) -> object:
        try:
            return parse_bandwidth(text) if isinstance(text, str) else text
        except UsageError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _name_each_store(cls, data: dict[str, object]) -> dict[str, object]:
        stores = data.get("stores", {})
        if not isinstance(stores, dict):
            return data
        named = {n: {**t, "name": n} if isinstance(t, dict) else t for n, t in stores.items()}
        built_in = {name: _built_in(name, named.get(name, {})) for name in BUILT_IN}
        return {**data, "stores": {**named, **built_in}}

    @field_validator("stores")
    @classmethod
    def _agree(cls, stores: dict[str, StoreSettings]) -> dict[str, StoreSettings]:
        for name in stores:
            if not _NAME.fullmatch(name) or "__" in name or name == LOCAL_STORE:
                raise ValueError(f"{name!r} is no name for a store: use letters, digits, . _ -")
        defaults = [name for name, store in stores.items() if store.default]
        if len(defaults) > 1:
            raise ValueError(f"only one store can be the default, not {' and '.join(defaults)}")
        return stores

    def store(self, name: str) -> StoreSettings:
        """The store of that name; of no name, the one that `s3://` means. Raises UnknownStore."""
        if not name:
            return self._default_store()
        if name == LOCAL_STORE:
            return FolderSettings()
        if name in self.stores:
            return self.stores[name]
        close = difflib.get_close_matches(name, self.stores, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise UnknownStore(
            "no store of this name is configured",
            subject=name,
            advice=f"{hint}known: {', '.join(sorted(self.stores))}",
        )

    def _default_store(self) -> StoreSettings:
        configured = [store for name, store in self.stores.items() if name not in BUILT_IN]
        chosen = [store for store in self.stores.values() if store.default] or configured
        if len(chosen) > 1:
            raise UnknownStore(
                "several stores are configured and none is the default",
                subject="s3://",
                advice=f"write default = true in one of: {', '.join(s.name for s in chosen)}",
            )
        return chosen[0] if chosen else self.stores["aws"]


def _built_in(name: str, table: object) -> object:
    if not isinstance(table, dict):
        return table
    base = {**BUILT_IN[name], "name": name}
    if {"access_key", "secret_key", "credentials", "profile", "anonymous"} & table.keys():
        base = {key: v for key, v in base.items() if key not in ("anonymous", "credentials")}
    return {**base, **table}
