"""`lakebed status`."""

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.session import settings_of
from lakebed.cli.standings import Folder, home_at, show
from lakebed.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(status))


def status(output: Output, common: Common, home: Folder = None) -> None:
    """Show each component of the platform: state, version, uptime, memory, address."""
    settings_of(common)
    place = home_at(home)
    if place.supervisor() is None:
        raise ConfigurationError(
            "the platform does not run", subject=str(place.path), advice="start it: lakebed up"
        )
    show(place.told(), output)
