"""The service: `[executor]`."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from lakebed.model.quantity import MIB
from lakebed.settings.store import FROZEN, Seconds


class ExecutorSettings(BaseModel):
    """All of it needs `lakebed[executor]`."""

    model_config = FROZEN

    running: Annotated[int, Field(ge=1, le=256)] = 4
    """Operations that a replica runs at once; each is a process."""
    memory: Annotated[int, Field(ge=MIB)] = 256 * MIB
    """Bytes in flight of all operations of a replica together."""
    drain: Seconds = 20.0
    """How long a replica that is to stop lets its operations go on, before it hands them over."""
    log_format: Literal["json", "text"] | None = None
    """How a line of the log looks; by default `json`, but `text` on a terminal."""
    metrics: Literal["authorized", "open", "off"] = "authorized"
    """Who may read `/metrics`: callers with `infrastructure:read`, or whoever reaches the port."""
