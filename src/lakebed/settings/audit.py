"""The audit log of the executor: `[audit]`."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from lakebed.settings.restart import RESTART
from lakebed.settings.secret import is_reference
from lakebed.settings.store import FROZEN


def _reference(secret: SecretStr) -> SecretStr:
    if not is_reference(secret.get_secret_value()):
        raise ValueError("write env:NAME or file:PATH, not the key itself")
    return secret


class AuditSettings(BaseModel):
    """By default its key and its heads are files in the state folder."""

    model_config = FROZEN

    key: Annotated[SecretStr, AfterValidator(_reference)] | None = Field(
        default=None, json_schema_extra=RESTART
    )
    """`env:NAME` or `file:PATH` of at least 32 characters, the same for all replicas of one
    database; by default `master.key` in the state folder, made at first use."""
    head: Path | None = Field(default=None, json_schema_extra=RESTART)
    """The file to which heads are exported; by default `audit-heads.jsonl` in the state folder."""
    refusals: Annotated[int, Field(ge=1)] = 60
    """Refusals a minute from one address that are entered one by one; the rest is counted."""
