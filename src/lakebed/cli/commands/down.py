"""`lakebed down`."""

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common
from lakebed.cli.session import settings_of
from lakebed.cli.standings import Folder, home_at


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(down))


def down(common: Common, home: Folder = None) -> None:
    """Stop what `up` has started, and nothing else. What it holds is kept."""
    settings_of(common)
    home_at(home).stop()
