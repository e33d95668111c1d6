"""`lakebed cancel ID`."""

import typer

from lakebed.cli.command import Command
from lakebed.cli.engine import engine
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, OperationId, Output, Remote
from lakebed.cli.output import emit, say
from lakebed.model.operation import OperationState
from lakebed.report.json_report import summary_event


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(cancel))


def cancel(operation: OperationId, output: Output, remote: Remote, common: Common) -> None:
    """Stop an operation for good: it cannot be resumed. What was copied stays."""
    with engine(common, remote) as opened:
        summary = opened.cancel(operation)
    if output.json:
        emit(summary_event(summary))
    elif summary.state is OperationState.CANCELLED:
        say(f"operation {summary.operation_id} is cancelled")
    else:
        say(f"operation {summary.operation_id} was asked to stop")
