"""Configurations as tests write them."""

from pathlib import Path

from lakebed.settings.file import beside, parsed
from lakebed.settings.layers import Layers

BASE = Path("/etc/lakebed.toml")


def layers(base: str, environment: str = "", upper: str = "", **environ: str) -> Layers:
    files = [parsed(BASE, base)]
    if environment:
        files.append(parsed(beside(BASE, environment), upper))
    return Layers(tuple(files), environ, environment)
