"""`lakebed report ID`."""

from pathlib import Path
from typing import Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.engine import engine
from lakebed.cli.flatten import flatten
from lakebed.cli.options import OUTPUT, Common, OperationId, Remote
from lakebed.cli.output import say
from lakebed.report import file
from lakebed.report.formats import Format, format_of

Form = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="By default what FILE's name ends in, else text.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Instead of stdout.", rich_help_panel=OUTPUT
    ),
]


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(report))


def report(
    operation: OperationId, remote: Remote, common: Common, form: Form = None, output: File = None
) -> None:
    """Tell all that the ledger knows of an operation: how fast, how large, how proved, what failed.

    It may run still, or have ended long ago. As HTML it is one file that fetches nothing.
    """
    if output is not None:
        file.check(output)
    by_name = format_of(output, Format.TEXT) if output else Format.TEXT
    with engine(common, remote) as opened:
        lines = opened.report(operation, form or by_name)
        if output is not None:
            file.write(output, lines, operation)
            return
        for line in lines:
            if not say(line):
                return
