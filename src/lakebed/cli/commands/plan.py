"""`lakebed plan SOURCE DESTINATION`."""

from typing import TYPE_CHECKING

import typer

from lakebed.cli.command import Command
from lakebed.cli.engine import engine
from lakebed.cli.flatten import flatten
from lakebed.cli.options import (
    Common,
    Comparison,
    Deletion,
    Destination,
    Limits,
    Output,
    Remote,
    Selection,
    Source,
    Transfer,
)
from lakebed.cli.output import emit, say
from lakebed.cli.request import options
from lakebed.cli.session import place, warn_of_nothing
from lakebed.model.operation import Decision, Filters, Request
from lakebed.model.quantity import format_size
from lakebed.report.forecast import Forecast, decision_event
from lakebed.report.text_report import printable, reason

if TYPE_CHECKING:
    from lakebed.transfer.plan import Planned


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(plan))


def plan(
    source: Source,
    destination: Destination,
    selection: Selection,
    comparison: Comparison,
    deletion: Deletion,
    transfer: Transfer,
    limits: Limits,
    output: Output,
    remote: Remote,
    common: Common,
) -> None:
    """Say what sync would do: copy, skip, changed, extra, delete, fail. Nothing is written.

    Skipped objects are only counted, unless -v or --json asks for them.
    """
    request = Request(
        place(source, common),
        place(destination, common),
        options=options(selection, comparison, limits, transfer, deletion),
    )
    show_plan(request, output, common, remote)


def show_plan(request: Request, output: Output, common: Common, remote: Remote) -> None:
    """Print each decision as it is made, and how many there were."""
    forecast = Forecast(request)
    with engine(common, remote) as opened:
        for planned in opened.plan(request):
            forecast.add(planned)
            if not _told(planned, output, common):
                return
        if not forecast.listed:
            warn_of_nothing(request.source, filtered=request.options.filters != Filters())
    if output.json:
        emit(forecast.summary_event())
    elif not common.quiet:
        objects = forecast.objects
        told = (d for d in Decision if d not in _SELDOM or objects[d])
        say(", ".join(f"{objects[decision]:,} {decision}" for decision in told))
        say(f"{format_size(forecast.bytes)} to copy")
        if forecast.kept_back:
            say(f"nothing would be deleted: {forecast.kept_back}")


_SELDOM = (Decision.DELETE, Decision.FAIL)


def _told(planned: "Planned", output: Output, common: Common) -> bool:
    """Whether somebody still reads."""
    if output.json:
        return emit(decision_event(planned))
    if planned.decision is Decision.SKIP and not common.verbose:
        return True
    why = f"  ({reason(planned.key, planned.reason)})" if planned.reason else ""
    line = f"{planned.decision:<8}{format_size(planned.size):>11}  {planned.key}{why}"
    return say(printable(line))
