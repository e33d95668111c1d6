"""`lakebed up`: the whole platform on this machine."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.session import settings_of, stoppable
from lakebed.cli.standings import Folder, home_at, show
from lakebed.errors import ConfigurationError
from lakebed.model.platform import Profile

if TYPE_CHECKING:
    from lakebed.local.platform.home import Home

GRACE = 60.0
"""Seconds in which a signal ends all components."""


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(up))


def up(
    output: Output,
    common: Common,
    home: Folder = None,
    profile: Annotated[
        Profile,
        typer.Option("--profile", help="small: store and executor; full: PostgreSQL too."),
    ] = Profile.FULL,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay, until SIGINT or SIGTERM.")
    ] = False,
) -> None:
    """Start the platform on this machine, and return when all of it is ready.

    State, credentials and a lakebed.toml are kept in one folder; a second `up` finds the same
    platform, running or not.
    """
    settings_of(common)
    place = home_at(home)
    if foreground:
        _supervise(place, profile, output, common)
        return
    if place.supervisor() is None:
        _launch(place, profile)
    show(place.told(), output)


def _launch(place: "Home", profile: Profile) -> None:
    """Start a supervisor in a session of its own, and wait until all is ready."""
    command = [str(Path(sys.executable).with_name("lakebed")), "up", "--foreground", "--json"]
    with place.log("supervisor").open("w") as log:
        process = subprocess.Popen(
            [*command, "--home", str(place.path), "--profile", profile],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            text=True,
        )
    assert process.stdout is not None
    with process.stdout:
        if process.stdout.readline():
            return
    status = process.wait()
    said = place.log("supervisor").read_text().strip().removeprefix("lakebed: ")
    raise ConfigurationError(said or f"its supervisor ended with status {status}")


def _supervise(place: "Home", profile: Profile, output: Output, common: Common) -> None:
    from lakebed.local.platform.profile import components
    from lakebed.local.platform.supervisor import Supervisor

    with place.claimed(), stoppable(common, GRACE) as (cancellation, _):
        supervisor = Supervisor(place, components(place, profile), cancellation)
        supervisor.run(lambda standings: show(standings, output))
