"""`lakebed resume ID`."""

import typer

from lakebed.cli.command import Command
from lakebed.cli.conduct import Showing, conduct
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Network, Observe, OperationId, Output, Remote, Report


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(resume))


def resume(
    operation: OperationId,
    network: Network,
    output: Output,
    report: Report,
    observe: Observe,
    remote: Remote,
    common: Common,
) -> None:
    """Go on where an operation stopped.

    What failed or is in quarantine is tried again; what is done is not.
    """
    showing = Showing(common, output, report, network, observe, remote)
    conduct(showing, lambda engine, display: engine.resume(operation, display))
