"""Where a service may be asked: by whom depends on how it tells callers apart."""

from urllib.parse import urlsplit

from lakebed.errors import ConfigurationError
from lakebed.settings import Settings
from lakebed.settings.access import is_loopback


def check_address(settings: Settings, host: str) -> None:
    """Raises ConfigurationError where others than this machine could ask, and nobody knew who."""
    mode, public = settings.access.mode, settings.executor.public_url
    names = [host, *settings.executor.hosts, *([urlsplit(public).hostname or ""] if public else [])]
    outside = [name for name in names if not is_loopback(name)]
    if mode in ("none", "token") and outside:
        raise ConfigurationError(
            f"--auth {mode} is for this machine only",
            subject=outside[0],
            advice="listen at 127.0.0.1, or use --auth keys or --auth oidc",
        )
