"""`lakebed ls LOCATION`."""

from typing import Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import OUTPUT, Common, Output, Place
from lakebed.cli.output import emit, say
from lakebed.cli.session import session
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.quantity import format_size
from lakebed.report.text_report import printable

OnlySummary = Annotated[
    bool,
    typer.Option("--summary", help="Print only how many, and how large.", rich_help_panel=OUTPUT),
]


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(ls))


def ls(location: Place, output: Output, common: Common, summary: OnlySummary = False) -> None:
    """List the objects at a location.

    Time of modification (UTC), size and key; a folder is listed with all that is below it.
    """
    place = Location.parse(location)
    objects = size = 0
    with session(common) as opened:
        for found in opened.platform.list(place):
            objects += 1
            size += found.size
            if not (summary or (_emit(found) if output.json else _say(found))):
                return
    if summary and output.json:
        emit({"event": "summary", "objects": objects, "bytes": size})
    elif summary:
        say(f"{objects:,} objects, {format_size(size)}")


def _emit(found: Object) -> bool:
    modified = found.modified.isoformat()
    return emit({"key": found.key, "size": found.size, "etag": found.etag, "modified": modified})


def _say(found: Object) -> bool:
    modified = f"{found.modified:%Y-%m-%d %H:%M:%S}"
    return say(f"{modified}{format_size(found.size):>12}  {printable(found.key)}")
