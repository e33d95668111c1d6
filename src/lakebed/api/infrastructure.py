"""How the service and what it needs are."""

from enum import StrEnum

from pydantic import BaseModel

from lakebed.api.answers import PLAIN


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """It works, though not in all of its parts."""
    UNHEALTHY = "unhealthy"


class Component(BaseModel):
    """One part, as it was at the last look, some seconds ago at the most."""

    model_config = PLAIN

    name: str
    """`database`, `queue`, `s5cmd`, `replica:ID` or `store:NAME`."""
    status: Health
    """How it is."""
    version: str | None = None
    """Which one it is, where it says so."""
    uptime_seconds: float | None = None
    """For how long it has been there, where that is known."""
    detail: str
    """What there is to say, in a few words."""


class InfrastructureStatus(BaseModel):
    """All parts together: unhealthy without the database, degraded where any other part is not
    healthy."""

    model_config = PLAIN

    status: Health
    """How all of it is."""
    components: list[Component]
    """Those of stores that no grant touches are counted, and not shown."""


class Alive(BaseModel):
    """The process answers."""

    model_config = PLAIN

    status: Health
    """How the process is."""
    version: str
    """Of this program."""


class Ready(BaseModel):
    """Whether the replica takes requests."""

    model_config = PLAIN

    status: Health
    """How the replica is."""
    database: Health
    """How its database is."""
    detail: str
    """What there is to say, in a few words."""
