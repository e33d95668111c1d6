"""`lakebed plan SOURCE DESTINATION`."""

from collections import Counter

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import (
    Common,
    Comparison,
    Deletion,
    Destination,
    Limits,
    Output,
    Selection,
    Source,
    Transfer,
)
from lakebed.cli.output import emit, say
from lakebed.cli.request import options
from lakebed.cli.session import session
from lakebed.model.location import Location
from lakebed.model.operation import Decision, Request
from lakebed.model.quantity import format_size
from lakebed.report.text_report import printable


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
    common: Common,
) -> None:
    """Say what sync would do: copy, skip, changed, extra. Nothing is written.

    Skipped objects are only counted, unless -v or --json asks for them.
    """
    request = Request(
        Location.parse(source),
        Location.parse(destination),
        options=options(selection, comparison, limits, transfer, deletion),
    )
    show_plan(request, output, common)


def show_plan(request: Request, output: Output, common: Common) -> None:
    """Print each decision as it is made, and how many there were."""
    objects: Counter[Decision] = Counter()
    sizes: Counter[Decision] = Counter()
    with session(common) as opened:
        for planned in opened.platform.plan(request):
            objects[planned.decision] += 1
            sizes[planned.decision] += planned.size
            if output.json:
                read = emit(
                    {
                        "event": "decision",
                        "decision": planned.decision,
                        "key": planned.key,
                        "size": planned.size,
                        "reason": planned.reason,
                    }
                )
            elif planned.decision is not Decision.SKIP or common.verbose:
                line = f"{planned.decision:<8}{format_size(planned.size):>11}  {planned.key}"
                reason = f"  ({planned.reason})" if planned.reason else ""
                read = say(printable(line + reason))
            else:
                read = True
            if not read:
                return
    if output.json:
        emit(
            {"event": "summary"} | {str(d): objects[d] for d in Decision} | {"bytes": _moved(sizes)}
        )
    elif not common.quiet:
        say(", ".join(f"{objects[decision]:,} {decision}" for decision in Decision))
        say(f"{format_size(_moved(sizes))} to copy")


def _moved(sizes: Counter[Decision]) -> int:
    return sizes[Decision.COPY] + sizes[Decision.CHANGED]
