"""`lakebed ls LOCATION`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import OUTPUT, Common, Output, Place
from lakebed.cli.output import emit, say
from lakebed.cli.session import place, session, warn_of_nothing
from lakebed.errors import KeyUnsupported, UsageError
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.quantity import format_size
from lakebed.report.text_report import counted, printable

if TYPE_CHECKING:
    from lakebed.operations.run import Platform

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
    where = place(location, common)
    objects = size = 0
    with session(common) as opened:
        for found in _listed(opened.platform, where):
            objects += 1
            size += found.size
            if not (summary or (_emit(found) if output.json else _say(found))):
                return
        if not objects:
            _nothing(where)
    if summary and output.json:
        emit({"event": "summary", "objects": objects, "bytes": size})
    elif summary:
        say(f"{counted(objects)}, {format_size(size)}")


def _nothing(where: Location) -> None:
    if where.is_folder:
        warn_of_nothing(where)
        return
    advice = "a folder's location ends in /"
    raise UsageError("there is no such object", subject=str(where), advice=advice)


def _listed(platform: "Platform", place: Location) -> Iterator[Object]:
    try:
        yield from platform.list(place)
    except KeyUnsupported as error:
        # No object failed: the store has no such folder, and what was typed can be changed.
        raise UsageError(error.what, subject=error.subject, advice=error.advice) from None


def _emit(found: Object) -> bool:
    modified = found.modified.isoformat()
    return emit({"key": found.key, "size": found.size, "etag": found.etag, "modified": modified})


def _say(found: Object) -> bool:
    modified = f"{found.modified:%Y-%m-%d %H:%M:%S}"
    return say(f"{modified}{format_size(found.size):>12}  {printable(found.key)}")
