"""`lakebed operations`, `lakebed operations ID`, `lakebed operations prune`."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.engine import Shown, engine
from lakebed.cli.flatten import flatten
from lakebed.cli.options import MANY, Common, OperationId, Output, Remote
from lakebed.cli.output import emit, say, table
from lakebed.cli.session import session
from lakebed.model.operation import OperationState
from lakebed.model.quantity import format_size, parse_duration
from lakebed.report import text_report
from lakebed.report.json_report import moment, row_event

if TYPE_CHECKING:
    from typer._click.core import Context

LIST, SHOW = "list", "show"


class OperationsGroup(Group):
    """`operations` lists, `operations ID` shows: neither needs to be said."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in (*self.commands, "--help", "-h"):
            args = [SHOW if first and not first.startswith("-") else LIST, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=OperationsGroup, rich_markup_mode=None, help=_HELP)
    group.command(LIST, cls=Command)(flatten(list_))
    group.command(SHOW, cls=Command)(flatten(show))
    group.command(cls=Command)(flatten(prune))
    app.add_typer(group, name="operations")


_HELP = """What ran, what runs, what failed and why.

`lakebed operations` is short for list, `lakebed operations ID` for show."""


def list_(
    output: Output,
    remote: Remote,
    common: Common,
    state: Annotated[
        OperationState | None, typer.Option("--state", help="Only those in this state.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=MANY, help="At most.")
    ] = 50,
) -> None:
    """List operations, the newest first."""
    with engine(common, remote) as opened:
        found = opened.operations(state, limit)
    if output.json:
        for operation in found:
            emit(_record(operation))
    elif found:
        table(_HEADINGS, [_row(one) for one in found], right=(3, 4, 5, 6))
    elif not common.quiet:
        say("no operations")


def show(operation: OperationId, output: Output, remote: Remote, common: Common) -> None:
    """Show one operation and what it refused.

    Each object that failed or is in quarantine is named, with the reason.
    """
    with engine(common, remote) as opened:
        found = opened.operation(operation)
        summary = found.summary
        failures = opened.failures(summary.operation_id)
        if output.json:
            emit(_record(found))
            for row in failures:
                if not emit({"event": row.state, **row_event(row)}):
                    return
            return
        say(_what(found))
        say(f"  {'started':<12}{_time(found.started) or 'not yet'}")
        told = text_report.Told(found.kind, resumed=found.resumed, shown=None)
        for line in text_report.lines(summary, failures, told):
            if not say(line):
                return
        if summary.message:
            say(f"  {'error':<12}{text_report.printable(summary.message)}")


def prune(
    common: Common,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="Ended so long ago, as 30d.")
    ] = "30d",
    keep_last: Annotated[
        int,
        typer.Option("--keep-last", metavar="N", min=0, max=MANY, help="But never the newest N."),
    ] = 0,
) -> None:
    """Forget operations that ended long ago, and their reports. What they copied stays remembered,
    and so does what is in quarantine.

    One that was interrupted is kept, for it can be resumed; cancel it to have it forgotten. So is
    one that left an upload unfinished: abort that first, see `lakebed uploads`.
    """
    from lakebed.operations.retention import prune as forget

    age = parse_duration(older_than)
    with session(common) as opened:
        pruned = forget(opened.platform.ledger, age, keep_last)
    if not common.quiet:
        say(f"{text_report.counted(pruned, 'operation')} pruned")


_HEADINGS = ("OPERATION", "STATE", "STARTED", "COPIED", "SIZE", "FAILED", "QUARANTINED", "WHAT")


def _row(operation: Shown) -> tuple[str, ...]:
    summary = operation.summary
    return (
        summary.operation_id,
        summary.state,
        _time(operation.started),
        f"{summary.copied:,}",
        format_size(summary.bytes),
        f"{summary.failed:,}",
        f"{summary.quarantined:,}",
        _what(operation),
    )


def _record(operation: Shown) -> dict[str, object]:
    return {
        "operation_id": operation.summary.operation_id,
        "kind": operation.kind,
        "source": operation.source,
        "destination": operation.destination,
        "created": moment(operation.created),
        "started": moment(operation.started),
        "finished": moment(operation.finished),
        **asdict(operation.summary),
    }


def _what(operation: Shown) -> str:
    return f"{operation.kind} {operation.source} → {operation.destination}"


def _time(at: float | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
