"""Running an operation from the command line: shown, reported, and ended with its exit code."""

from collections.abc import Callable
from dataclasses import dataclass

import typer

from lakebed.cli.display import Display, choose
from lakebed.cli.engine import Engine, engine
from lakebed.cli.options import Common, Network, Observe, Output, Remote, Report
from lakebed.cli.session import complain, warn_of_nothing
from lakebed.model.operation import OperationState, Summary
from lakebed.report.text_report import Told


@dataclass(frozen=True, slots=True)
class Showing:
    """How an operation is shown, and where its report goes."""

    common: Common
    output: Output
    report: Report
    network: Network
    observe: Observe
    remote: Remote


def conduct(showing: Showing, act: Callable[[Engine, Display], Summary]) -> None:
    """Run an operation, show it, report it, and exit with what the ledger says."""
    from lakebed.report import file
    from lakebed.report.formats import Format, format_of

    path = showing.report.report
    if path is not None:
        # After hours of copying it would be late to hear of it.
        file.check(path)
    with engine(showing.common, showing.remote, showing.network, showing.observe) as opened:
        display = choose(showing.common, showing.output)
        with display:
            summary = act(opened, display)
        operation_id = summary.operation_id
        operation = opened.operation(operation_id)
        told = Told(operation.kind, resumed=operation.resumed)
        display.finished(summary, opened.failures(operation_id), told)
        if summary.state is OperationState.COMPLETED and not summary.listed:
            warn_of_nothing(operation.source, filtered=operation.filtered)
        if summary.message:
            complain(summary.message)
        if path is not None:
            report = opened.report(operation_id, format_of(path, Format.JSON))
            file.write(path, report, operation_id)
    from lakebed.operations.states import exit_code

    raise typer.Exit(exit_code(summary))
