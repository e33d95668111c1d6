"""Where the engine tells what it does: `[observe]`. By default nowhere."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel

from lakebed.settings.store import FROZEN


def _collector(text: str) -> str:
    parts = urlsplit(text)
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in the URL: use OTEL_EXPORTER_OTLP_HEADERS")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write http://HOST:4318 or https://HOST")
    return text


class ObserveSettings(BaseModel):
    """All of it needs `lakebed[observe]`."""

    model_config = FROZEN

    metrics_listen: str | None = None
    """HOST:PORT at which Prometheus finds `/metrics` while a command runs; `off`: nowhere."""
    metrics_file: Path | None = None
    """The file that is written at the end of a command, for the textfile collector of the node
    exporter."""
    traces: Annotated[str, AfterValidator(_collector)] | None = None
    """The base URL of an OTLP collector that takes spans over HTTP; OTEL_… variables come first."""
