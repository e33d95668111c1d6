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
    version: str | None = None
    uptime_seconds: float | None = None
    detail: str
    """What there is to say, in a few words."""


class InfrastructureStatus(BaseModel):
    """All parts together: unhealthy without the database, degraded where any other part is not
    healthy."""

    model_config = PLAIN

    status: Health
    components: list[Component]
    """Those of stores that no grant touches are counted, and not shown."""


class Alive(BaseModel):
    """The process answers."""

    model_config = PLAIN

    status: Health
    version: str


class Ready(BaseModel):
    """Whether the replica takes requests."""

    model_config = PLAIN

    status: Health
    database: Health
    detail: str
