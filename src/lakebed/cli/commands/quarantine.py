"""`lakebed quarantine list`, `lakebed quarantine release`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.output import emit, say
from lakebed.cli.session import place, session
from lakebed.errors import UsageError
from lakebed.model.location import Location
from lakebed.model.quantity import format_size
from lakebed.model.quarantine import Quarantined
from lakebed.report.json_report import quarantine_record
from lakebed.report.text_report import counted, printable

Below = Annotated[
    str | None,
    typer.Argument(metavar="LOCATION", help="Only what is at this source: store:bucket/prefix/."),
]
Which = Annotated[
    str | None,
    typer.Argument(
        metavar="KEY|LOCATION",
        help="A full key in any bucket, or a location; one with a colon is a location.",
        show_default=False,
    ),
]
All = Annotated[bool, typer.Option("--all", help="All that is in quarantine.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help=_HELP)
    group.command("list", cls=Command)(flatten(list_))
    group.command(cls=Command)(flatten(release))
    app.add_typer(group, name="quarantine")


_HELP = """Pairs that their publisher's own digest refused.

Neither half is copied, and the pair is tried again only when one of them changes."""


def list_(output: Output, common: Common, location: Below = None) -> None:
    """List what is in quarantine, since when and why."""
    where = place(location, common) if location else None
    found = False
    with session(common) as opened:
        for entry in opened.platform.quarantined(where):
            found = True
            if not (emit(quarantine_record(entry)) if output.json else _say(entry)):
                return
    if not (found or output.json or common.quiet):
        say("nothing is in quarantine" + (f" at the source {where}" if where else ""))


def release(output: Output, common: Common, which: Which = None, every: All = False) -> None:
    """Forget that a pair is in quarantine: the next run tries it again, changed or not."""
    if every == (which is not None):
        raise UsageError("release what?", advice="write a KEY, a LOCATION, or --all alone")
    chosen = _chosen(which, common) if which else None
    with session(common) as opened:
        released = opened.platform.release(chosen)
    if not released and which is not None:
        raise UsageError(
            "no such pair in quarantine", subject=which, advice="`lakebed quarantine list`"
        )
    if output.json:
        emit({"event": "released", "pairs": released})
    elif not common.quiet:
        say(f"{counted(released, 'pair')} released")


def _chosen(which: str, common: Common) -> Location | str:
    return place(which, common) if ":" in which else which


def _say(entry: Quarantined) -> bool:
    lines = {
        "since": f"{datetime.fromtimestamp(entry.since, UTC):%Y-%m-%d %H:%M:%S}",
        "expected": entry.expected and f"sha256 {entry.expected}",
        "found": entry.found and f"sha256 {entry.found}",
        "refused": "" if entry.expected else entry.refused,
        "archive": _revision(entry.source_etag, entry.archive_size),
        "sidecar": _revision(entry.digest_etag, entry.sidecar_size),
        "operation": entry.operation_id,
    }
    told = (f"  {name:<12}{printable(text)}" for name, text in lines.items() if text)
    return all(map(say, [printable(str(entry.location)), *told]))


def _revision(etag: str, size: int | None) -> str:
    return f"ETag {etag}" if size is None else f"ETag {etag}, {format_size(size)}"
