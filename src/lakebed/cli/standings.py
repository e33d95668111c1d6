"""The platform on this machine, as commands find and show it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.options import Output
from lakebed.cli.output import emit, table

if TYPE_CHECKING:
    from lakebed.local.platform.home import Home, Standing

Folder = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="Where its state is; by default one of your own."),
]
_HEADINGS = ("component", "state", "version", "uptime", "memory", "address")


def home_at(folder: Path | None) -> "Home":
    """Raises ConfigurationError where the folder is not to be had."""
    from lakebed.local.platform.home import Home

    if folder is None:
        import platformdirs

        folder = platformdirs.user_data_path("lakebed") / "home"
    return Home.at(folder)


def show(standings: "Sequence[Standing]", output: Output) -> None:
    """A line for each component."""
    from lakebed.local.platform.usage import resident_bytes

    now = time.time()
    found = [
        (one, now - one.since if one.pid else 0.0, resident_bytes(one.pid)) for one in standings
    ]
    if output.json:
        for one, uptime, memory in found:
            emit(_record(one, uptime, memory))
    else:
        table(_HEADINGS, [_row(*one) for one in found], right=(3, 4))


def _record(one: "Standing", uptime: float, memory: int) -> dict[str, object]:
    return {
        "component": one.name,
        "state": one.state,
        "version": one.version,
        "url": one.url,
        "pid": one.pid or None,
        "uptime_seconds": round(uptime, 1),
        "memory_bytes": memory,
        "restarts": one.restarts,
        "message": one.message,
    }


def _row(one: "Standing", uptime: float, memory: int) -> tuple[str, ...]:
    from lakebed.model.quantity import format_size

    return (one.name, one.state, one.version, f"{uptime:.0f} s", format_size(memory), one.url)
