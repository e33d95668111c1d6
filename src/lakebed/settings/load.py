"""The settings of a process."""

import logging
from collections.abc import Mapping
from pathlib import Path

from lakebed.settings.layers import GUARDED, Layers, Sources
from lakebed.settings.root import Settings

_log = logging.getLogger(__name__)


def load(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Settings:
    """What `--config`, variables and the files in `cwd` say; docs/configuration.md has the order.

    Raises ConfigurationError with the file, the line and the reason.
    """
    layers = Sources(config, environ, cwd).read()
    if layers.environment in GUARDED:
        _warn_of_literals(layers)
    return layers.settings()


def _warn_of_literals(layers: Layers) -> None:
    from lakebed.settings.literal import literals

    for finding in literals(layers):
        _log.warning("%s", finding)
