"""`lakebed uploads list`, `lakebed uploads abort [KEY]...`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.output import emit, say, table
from lakebed.cli.session import session
from lakebed.errors import UsageError
from lakebed.model.quantity import format_size, parse_duration
from lakebed.report.text_report import counted, printable

if TYPE_CHECKING:
    from lakebed.model.objects import Upload
    from lakebed.operations.abandoned import Abandoned

_HELP = """Multipart uploads that were begun and not completed.

Only those that an operation of this ledger began, and that no running operation holds."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help=_HELP)
    group.command("list", cls=Command)(flatten(list_))
    group.command(cls=Command)(flatten(abort))
    app.add_typer(group, name="uploads")


def list_(output: Output, common: Common) -> None:
    """List what operations left unfinished, as their stores still hold it."""
    with session(common) as opened:
        found = [(left, one) for left in opened.platform.uploads.find() for one in left.uploads]
    if output.json:
        for left, upload in found:
            emit(_record(left, upload))
    elif found:
        table(_HEADINGS, [_row(*one) for one in found], right=(3, 4))
    elif not common.quiet:
        say("no unfinished uploads")


def abort(
    output: Output,
    common: Common,
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY", help="Keys or locations; without any, all.", show_default=False
        ),
    ] = None,
    operation: Annotated[
        str | None,
        typer.Option("--operation", metavar="ID", help="Only those of this operation."),
    ] = None,
    older: Annotated[
        str | None, typer.Option("--older", metavar="AGE", help="Begun so long ago, as 1d.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be aborted, and abort nothing.")
    ] = False,
) -> None:
    """Abort what operations left unfinished: the store drops the parts.

    An operation that is resumed after that begins those objects anew.
    """
    before = datetime.now(UTC).timestamp() - parse_duration(older) if older else None
    aborted = 0
    unmet = set(keys or ())
    with session(common) as opened:
        uploads = opened.platform.uploads
        for left in uploads.find(operation):
            names = {left.location.path, str(left.location)}
            unmet -= names
            if (keys and names.isdisjoint(keys)) or not _is_older(left, before):
                continue
            if not dry_run:
                uploads.abort(left)
            aborted += len(left.uploads)
            if output.json or not common.quiet:
                _told(left, output, "would abort" if dry_run else "aborted")
    if unmet:
        raise UsageError(
            "no unfinished upload", subject=min(unmet), advice="`lakebed uploads list`"
        )
    if not output.json and not common.quiet:
        done = "would be aborted" if dry_run else "aborted"
        say(f"{counted(aborted, 'upload')} {done}")


def _is_older(left: "Abandoned", before: float | None) -> bool:
    begun = (upload.initiated.timestamp() for upload in left.uploads)
    return before is None or all(moment <= before for moment in begun)


def _told(left: "Abandoned", output: Output, done: str) -> None:
    for upload in left.uploads:
        if output.json:
            emit({"event": done.replace(" ", "-"), **_record(left, upload)})
        else:
            say(f"{done} {printable(str(left.location))}, begun {_time(upload)}")


_HEADINGS = ("OPERATION", "STATE", "BEGUN", "SENT", "SIZE", "LOCATION")


def _row(left: "Abandoned", upload: "Upload") -> tuple[str, ...]:
    return (
        left.operation_id,
        left.state,
        _time(upload),
        format_size(left.sent),
        format_size(left.size),
        str(left.location),
    )


def _record(left: "Abandoned", upload: "Upload") -> dict[str, object]:
    return {
        "operation_id": left.operation_id,
        "state": left.state,
        "location": str(left.location),
        "upload_id": upload.upload_id,
        "initiated": upload.initiated.isoformat(),
        "sent_bytes": left.sent,
        "size": left.size,
    }


def _time(upload: "Upload") -> str:
    return f"{upload.initiated:%Y-%m-%d %H:%M:%S}"
