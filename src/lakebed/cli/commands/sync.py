"""`lakebed sync SOURCE DESTINATION`."""

from typing import Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.commands.plan import show_plan
from lakebed.cli.conduct import Showing, conduct
from lakebed.cli.flatten import flatten
from lakebed.cli.options import (
    TRANSFER,
    Common,
    Comparison,
    Deletion,
    Destination,
    Limits,
    Network,
    Observe,
    Output,
    Remote,
    Report,
    Selection,
    Source,
    Transfer,
)
from lakebed.cli.request import options
from lakebed.cli.session import place
from lakebed.errors import UsageError
from lakebed.model.operation import Request

DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", "-n", help="Say what would be done, and do nothing.", rich_help_panel=TRANSFER
    ),
]


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(sync))


def sync(
    source: Source,
    destination: Destination,
    selection: Selection,
    comparison: Comparison,
    deletion: Deletion,
    transfer: Transfer,
    limits: Limits,
    network: Network,
    output: Output,
    report: Report,
    observe: Observe,
    remote: Remote,
    common: Common,
    dry_run: DryRun = False,
) -> None:
    """Copy what is missing or changed, prove it, remember it.

    Nothing is deleted unless --delete or --delete-source says so.
    """
    request = Request(
        place(source, common),
        place(destination, common),
        options=options(selection, comparison, limits, transfer, deletion),
    )
    if dry_run:
        if report.report is not None:
            raise UsageError("--dry-run makes no report", advice="leave out --report")
        show_plan(request, output, common, remote)
        return
    showing = Showing(common, output, report, network, observe, remote)
    conduct(showing, lambda engine, display: engine.sync(request, display))
