"""The configuration of a replica, as it is told and as it is proposed. No secret is in it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, JsonValue

from lakebed.api.answers import PLAIN
from lakebed.api.place import STRICT

MOST_TEXT = 65_536
"""Characters of a proposed file."""
Text = Annotated[str, Field(max_length=MOST_TEXT)]


class ConfigurationFinding(BaseModel):
    """What is wrong, or doubtful; no value is repeated."""

    model_config = PLAIN

    level: Literal["error", "warning"]
    """How bad it is."""
    key: str
    """The setting, as `stores.lake.endpoint`; empty where it is none."""
    where: str
    """The file or the variable."""
    line: int | None
    """From 1, in the file; null where it is in none."""
    reason: str
    """What is wrong."""
    advice: str
    """What to change."""


class ConfigurationValue(BaseModel):
    """One value in force."""

    model_config = PLAIN

    key: str
    """The setting, as `stores.lake.endpoint`."""
    value: JsonValue
    """Of a secret, where it is kept."""
    source: str
    """FILE:LINE, a variable, `built in`, `default`; `until a restart` where the files say
    something else by now."""


class ConfigurationRefusal(BaseModel):
    """A change that was not taken over."""

    model_config = PLAIN

    at: datetime
    """When it was refused."""
    findings: list[ConfigurationFinding]
    """Why."""


class ConfigurationStatus(BaseModel):
    """What a replica works with."""

    model_config = PLAIN

    environment: str
    """Empty where none is named."""
    version: int | None
    """The number in the history; null where it is not recorded."""
    sha256: str
    """Of the canonical text of all values."""
    since: datetime
    """When it was taken over."""
    files: list[str]
    """Where it was read from."""
    values: list[ConfigurationValue]
    """Each value in force, by its key."""
    restart: list[str]
    """Keys that have changed in the files, and whose change takes a restart."""
    refused: ConfigurationRefusal | None
    """The newest change, where it was refused; what was in force before still is."""
    unrecorded: str | None
    """Why this configuration is not in the history."""


class ConfigurationVersion(BaseModel):
    """One that a service has loaded."""

    model_config = PLAIN

    version: int
    """Its number in the history."""
    loaded: datetime
    """When it was loaded."""
    author: str
    """The user and the machine of the service."""
    environment: str
    """Empty where none was named."""
    sha256: str
    """Of the canonical text of all values."""
    files: list[str]
    """Where it was read from."""


class ConfigurationHistory(BaseModel):
    """Versions, the newest first."""

    model_config = PLAIN

    versions: list[ConfigurationVersion]
    """At most as many as were asked for."""
    next: int | None
    """Give it as `before` for those that follow."""


class ConfigurationProposal(BaseModel):
    """Files as they might be; nothing is written."""

    model_config = STRICT

    text: Text
    """The base file, in TOML."""
    environment: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,64}$")] = ""
    """For which environment; by default for none."""
    environment_text: Text = ""
    """The file of that environment, on top of the other."""


class ConfigurationVerdict(BaseModel):
    """What is wrong in a proposal, with the variables of the replica on top of it."""

    model_config = PLAIN

    valid: bool
    """Whether it would be taken over."""
    findings: list[ConfigurationFinding]
    """At most a hundred."""
