"""The service: `[executor]`."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from lakebed.model.quantity import MIB
from lakebed.settings.store import FROZEN, Endpoint, Seconds, Words


def _lower(hosts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(host.lower() for host in hosts)


class ExecutorSettings(BaseModel):
    """All of it needs `lakebed[executor]`."""

    model_config = FROZEN

    running: Annotated[int, Field(ge=1, le=256)] = 4
    """Operations that a replica runs at once; each is a process."""
    memory: Annotated[int, Field(ge=MIB)] = 256 * MIB
    """Bytes in flight of all operations of a replica together."""
    drain: Seconds = 20.0
    """How long a replica that is to stop lets its operations go on, before it hands them over."""
    hosts: Annotated[Words, AfterValidator(_lower)] = ()
    """Names that the service is asked by, beside the address that it listens at."""
    public_url: Endpoint | None = None
    """Where browsers reach it, where something stands before it, as a TLS proxy."""
