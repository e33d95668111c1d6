"""`lakebed version`."""

import typer

from lakebed import __version__
from lakebed.cli.command import Command


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(version)


def version() -> None:
    """Print the version."""
    typer.echo(f"lakebed {__version__}")
