"""`lakebed logs NAME`."""

from typing import Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common
from lakebed.cli.output import say
from lakebed.cli.session import settings_of
from lakebed.cli.standings import Folder, home_at
from lakebed.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(logs))


def logs(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A component, or supervisor.")],
    common: Common,
    home: Folder = None,
) -> None:
    """Print what a component of the platform wrote since its last start."""
    settings_of(common)
    place = home_at(home)
    known = place.logs()
    if name not in known:
        raise ConfigurationError(
            "no component of this name has a log",
            subject=name,
            advice=f"known: {', '.join(sorted(known))}" if known else "start it: lakebed up",
        )
    with known[name].open(errors="replace") as lines:
        for line in lines:
            if not say(line.rstrip("\n")):
                return
