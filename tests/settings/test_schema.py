"""The published schema says what the program reads: no more, no less."""

import json
import tomllib

import jsonschema_rs
import pytest
from pydantic import ValidationError

from lakebed.settings import Settings
from lakebed.settings.schema import DIALECT, schema

SOUND = """
log = "info"
bandwidth = "50M"
ledger = "env:LEDGER"
[stores.lake]
endpoint = "https://minio.example.com:9000"
secret_key = "file:lake-secret-key"
access_key = "a"
disable = ["unpack"]
timeouts = { stall = "2m", total = 60 }
default = true
[observe]
metrics_listen = "off"
[executor]
running = 8
drain = "5s"
"""


def validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema())


def test_it_is_a_schema_of_its_dialect() -> None:
    assert schema()["$schema"] == DIALECT
    jsonschema_rs.meta.validate(schema())


def test_what_the_program_reads_is_valid() -> None:
    table = tomllib.loads(SOUND)
    assert Settings.model_validate(table)
    validator().validate(table)


@pytest.mark.parametrize(
    "text",
    [
        "lgo = 1",
        "log = 'loud'",
        "bandwidth = []",
        "[executor]\nrunning = 0",
        "[executor]\nmemory = 1",
        "[stores.lake]\nregion = ''",
        "[stores.lake]\ntimeouts = { total = 0 }",
        "[stores.lake]\nendpiont = 'x'",
        "[stores]\nlake = 3",
    ],
)
def test_what_is_not_valid_the_program_refuses_too(text: str) -> None:
    table = tomllib.loads(text)
    assert not validator().is_valid(table)
    with pytest.raises(ValidationError):
        Settings.model_validate(table)


Keys = dict[str, dict[str, object]]


def tables() -> dict[str, Keys]:
    """The keys of each table of the schema."""
    found = json.loads(json.dumps(schema()))
    return {name: table["properties"] for name, table in {**found["$defs"], "": found}.items()}


@pytest.mark.parametrize("table", tables())
def test_each_key_is_described(table: str) -> None:
    silent = {name for name, key in tables()[table].items() if not key.get("description")}
    own = {"stores", "observe", "executor", "timeouts", "access", "oidc", "audit", "webhooks"}
    assert silent <= own, "tables of their own"


def test_the_name_of_a_store_is_no_key() -> None:
    assert "name" not in tables()["StoreSettings"]


def test_it_says_which_keys_take_a_restart() -> None:
    keys = tables()[""]
    assert {name for name, key in keys.items() if key.get("x-restart")} == {
        "state",
        "ledger",
        "observe",
    }
