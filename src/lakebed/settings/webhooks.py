"""Where notifications may go: `[webhooks]`."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from lakebed.settings.store import FROZEN, Seconds


def _networks(value: object) -> object:
    """A text is read too, so that a variable can say several."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


class WebhookSettings(BaseModel):
    """By default HTTPS to public addresses only."""

    model_config = FROZEN

    allow: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)] = ()
    """Networks that may be connected to, though they are not public."""
    http: bool = False
    """Take addresses without TLS too."""
    ca: Path | None = None
    """A file of certificates to trust, beside those of the system."""
    deadline: Seconds = 10.0
    """How long a receiver has to answer."""
    patience: Seconds = 86_400.0
    """How long a notification is tried again, before it is given up."""
    at_once: Annotated[int, Field(ge=1, le=256)] = 16
    """Notifications that a replica sends at the same time."""
