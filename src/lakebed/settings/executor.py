"""The service: `[executor]`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from lakebed.model.quantity import MIB
from lakebed.settings.restart import RESTART
from lakebed.settings.store import FROZEN, Endpoint, Seconds, Words, read_size

Memory = Annotated[
    int,
    BeforeValidator(read_size, json_schema_input_type=Annotated[int, Field(ge=MIB)] | str),
    Field(ge=MIB),
]


def _lower(hosts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(host.lower() for host in hosts)


class ExecutorSettings(BaseModel):
    """All of it needs `lakebed[executor]`."""

    model_config = FROZEN

    running: Annotated[int, Field(ge=1, le=256)] = 4
    """Operations that a replica runs at once; each is a process."""
    memory: Memory = 256 * MIB
    """Bytes in flight of all operations of a replica together."""
    plans: Annotated[int, Field(ge=1, le=64)] = 2
    """Plans that a replica makes at once; each is a process."""
    plan_deadline: Seconds = 600.0
    """How long one plan may take, with its reader."""
    drain: Seconds = 20.0
    """How long a replica that is to stop lets its operations go on, before it hands them over."""
    body: Annotated[int, Field(ge=1024)] = 4 * MIB
    """Bytes of the longest body of a request."""
    streams: Annotated[int, Field(ge=1)] = 32
    """Event streams that one caller may have open at a replica."""
    log_format: Literal["json", "text"] | None = None
    """How a line of the log looks; by default `json`, but `text` on a terminal."""
    metrics: Literal["authorized", "open", "off"] = Field(
        default="authorized", json_schema_extra=RESTART
    )
    """Who may read `/metrics`: callers with `infrastructure:read`, or whoever reaches the port."""
    hosts: Annotated[Words, AfterValidator(_lower)] = ()
    """Names that the service is asked by, beside the address that it listens at."""
    public_url: Endpoint | None = Field(default=None, json_schema_extra=RESTART)
    """Where browsers reach it, where something stands before it, as a TLS proxy."""
